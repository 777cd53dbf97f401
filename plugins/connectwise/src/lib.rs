//! ConnectWise PSA.
//!
//! Holds: the manifest, the settings of a connection, and the table of operations.
//! Promises: pure logic over the host's services; the private key is named in requests and never here.
//! Leaves to others: each operation, in the file of its subject; sending (`client`); what answers say (`map`).
#![deny(unsafe_code)]

mod attachments;
mod audit;
mod callbacks;
mod catalog;
mod changes;
mod client;
mod companies;
mod conditions;
mod connection;
mod conversation;
mod create;
mod disposition;
mod error;
mod map;
mod members;
mod notes;
mod options;
mod paging;
mod places;
mod raw;
mod settings;
mod statuses;
mod tickets;
mod time;
mod times;
mod update;

use client::Client;
use psa_host_api::Error;
use psa_host_api::model::*;
use psa_host_api::ops::*;
use psa_host_api::sdk::{Cx, Provider, Settings};

/// One connection.
pub struct ConnectWise {
    client: Client,
}

impl Provider for ConnectWise {
    const MANIFEST: &'static str = concat!(
        r#"{"id":"connectwise","name":"ConnectWise PSA","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#"","vendor":{"name":"psa-bridge"},"licence":"MIT OR Apache-2.0","sdk":"psa-host-api "#,
        env!("CARGO_PKG_VERSION"),
        r#"","concurrency":0,"capabilities":{"status_scope":"board","board_kind":"board","#,
        r#""visibilities":["internal","public","resolution"],"closed_known":true,"callbacks":true},"form":"#,
        include_str!("../form.json"),
        "}"
    );

    fn open(settings: &Settings, _: &Cx) -> Result<ConnectWise, Error> {
        Ok(ConnectWise { client: Client::new(settings::Settings::read(settings)?) })
    }

    async fn account(&self, cx: &Cx, _: Nothing) -> Result<Account, Error> {
        connection::account(&self.client, cx).await
    }

    async fn test_connection(&self, cx: &Cx, _: Nothing) -> Result<TestReport, Error> {
        connection::test(&self.client, cx).await
    }

    async fn form_options(&self, cx: &Cx, request: FormOptionsRequest) -> Result<Page<FormOption>, Error> {
        options::list(&self.client, cx, request).await
    }

    async fn validate_settings(&self, _: &Cx, request: ValidateSettingsRequest) -> Result<SettingsIssues, Error> {
        Ok(SettingsIssues { items: settings::issues(&request.settings) })
    }

    async fn list_catalog(&self, cx: &Cx, request: ListCatalogRequest) -> Result<Page<CatalogEntry>, Error> {
        catalog::list(&self.client, cx, request).await
    }

    async fn list_members(&self, cx: &Cx, request: ListMembersRequest) -> Result<Page<Member>, Error> {
        members::list(&self.client, cx, request).await
    }

    async fn search_tickets(&self, cx: &Cx, request: SearchTicketsRequest) -> Result<Page<Ticket>, Error> {
        tickets::search(&self.client, cx, request).await
    }

    async fn get_ticket(&self, cx: &Cx, request: GetTicketRequest) -> Result<Ticket, Error> {
        tickets::get(&self.client, cx, request).await
    }

    async fn set_ticket_status(&self, cx: &Cx, request: SetTicketStatusRequest) -> Result<Ticket, Error> {
        statuses::set(&self.client, cx, request).await
    }

    async fn update_ticket(&self, cx: &Cx, request: UpdateTicketRequest) -> Result<Ticket, Error> {
        update::ticket(&self.client, cx, request).await
    }

    async fn create_ticket(&self, cx: &Cx, request: CreateTicketRequest) -> Result<Ticket, Error> {
        create::ticket(&self.client, cx, request).await
    }

    async fn search_companies(&self, cx: &Cx, request: SearchCompaniesRequest) -> Result<Page<Company>, Error> {
        companies::search(&self.client, cx, request).await
    }

    async fn search_contacts(&self, cx: &Cx, request: SearchContactsRequest) -> Result<Page<Contact>, Error> {
        companies::search_contacts(&self.client, cx, request).await
    }

    async fn list_notes(&self, cx: &Cx, request: ListNotesRequest) -> Result<Page<Note>, Error> {
        notes::list(&self.client, cx, request).await
    }

    async fn add_note(&self, cx: &Cx, request: AddNoteRequest) -> Result<Note, Error> {
        notes::add(&self.client, cx, request).await
    }

    async fn desired_subscriptions(
        &self,
        _: &Cx,
        request: DesiredSubscriptionsRequest,
    ) -> Result<DesiredSubscriptions, Error> {
        callbacks::desired(&self.client.settings.hearing, &request)
    }

    async fn list_subscriptions(
        &self,
        cx: &Cx,
        request: ListSubscriptionsRequest,
    ) -> Result<Page<Subscription>, Error> {
        callbacks::list(&self.client, cx, request).await
    }

    async fn create_subscription(&self, cx: &Cx, request: CreateSubscriptionRequest) -> Result<Subscription, Error> {
        callbacks::create(&self.client, cx, request).await
    }

    async fn update_subscription(&self, cx: &Cx, request: UpdateSubscriptionRequest) -> Result<Subscription, Error> {
        callbacks::update(&self.client, cx, request).await
    }

    async fn delete_subscription(&self, cx: &Cx, request: DeleteSubscriptionRequest) -> Result<Nothing, Error> {
        callbacks::delete(&self.client, cx, request).await
    }

    async fn receive_callback(&self, cx: &Cx, request: ReceiveCallbackRequest) -> Result<CallbackReceipt, Error> {
        callbacks::receive(&self.client, cx, request).await
    }

    async fn changed_tickets(&self, cx: &Cx, request: ChangedTicketsRequest) -> Result<ChangedTickets, Error> {
        changes::tickets(&self.client, cx, request).await
    }

    async fn raw(&self, cx: &Cx, request: RawRequest) -> Result<RawAnswer, Error> {
        raw::read(&self.client, cx, request).await
    }

    async fn get_note(&self, cx: &Cx, request: GetNoteRequest) -> Result<Note, Error> {
        notes::get(&self.client, cx, request).await
    }

    async fn list_conversation(
        &self,
        cx: &Cx,
        request: ListConversationRequest,
    ) -> Result<Page<ConversationEntry>, Error> {
        conversation::list(&self.client, cx, request).await
    }

    async fn list_time_entries(&self, cx: &Cx, request: ListTimeEntriesRequest) -> Result<Page<TimeEntry>, Error> {
        time::list(&self.client, cx, request).await
    }

    async fn add_time_entry(&self, cx: &Cx, request: AddTimeEntryRequest) -> Result<TimeEntry, Error> {
        time::add(&self.client, cx, request).await
    }

    async fn list_audit_trail(&self, cx: &Cx, request: ListAuditTrailRequest) -> Result<Page<AuditEntry>, Error> {
        audit::list(&self.client, cx, request).await
    }

    async fn list_sites(&self, cx: &Cx, request: ListSitesRequest) -> Result<Page<Site>, Error> {
        places::sites(&self.client, cx, request).await
    }

    async fn list_configurations(
        &self,
        cx: &Cx,
        request: ListConfigurationsRequest,
    ) -> Result<Page<Configuration>, Error> {
        places::configurations(&self.client, cx, request).await
    }

    async fn list_attachments(&self, cx: &Cx, request: ListAttachmentsRequest) -> Result<Page<Attachment>, Error> {
        attachments::list(&self.client, cx, request).await
    }

    async fn get_attachment(&self, cx: &Cx, request: GetAttachmentRequest) -> Result<AttachmentContent, Error> {
        attachments::get(&self.client, cx, request).await
    }

    async fn add_attachment(&self, cx: &Cx, request: AddAttachmentRequest) -> Result<Attachment, Error> {
        attachments::add(&self.client, cx, request).await
    }
}

psa_host_api::export_plugin!(ConnectWise {
    account,
    test_connection,
    form_options,
    validate_settings,
    list_catalog,
    list_members,
    search_tickets,
    get_ticket,
    set_ticket_status,
    update_ticket,
    create_ticket,
    search_companies,
    search_contacts,
    list_notes,
    add_note,
    get_note,
    list_conversation,
    list_time_entries,
    add_time_entry,
    list_audit_trail,
    list_sites,
    list_configurations,
    list_attachments,
    get_attachment,
    add_attachment,
    desired_subscriptions,
    list_subscriptions,
    create_subscription,
    update_subscription,
    delete_subscription,
    receive_callback,
    changed_tickets,
    raw,
});
