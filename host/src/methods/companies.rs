//! Methods of companies and contacts.

use crate::core::Core;
use crate::lists::ahead;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Company, Configuration, Contact, Page, PageRequest, Site};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Parameters of companies.search.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchCompanies {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Words of the name.
    #[serde(default)]
    text: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
    /// Reads the page behind this one, too, while this one is looked at: for who reads a list to its end. A call that asks for
    /// it within half a minute, with `ahead` as well, has it sooner; one that nobody asks for was read in vain.
    #[serde(default)]
    ahead: bool,
}

pub(crate) async fn search(
    core: &Arc<Core>,
    params: SearchCompanies,
    context: &CallContext,
) -> Result<Page<Company>, Error> {
    let SearchCompanies { tenant, connection, text, page, ahead } = params;
    let place = Place { tenant, connection };
    let request = |page| ops::SearchCompaniesRequest { text: text.clone(), page };
    ahead::page::<ops::SearchCompanies, _>(core, &place, page, ahead, request, context).await
}

/// Parameters of contacts.search.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchContacts {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Words of the name.
    #[serde(default)]
    text: Option<String>,
    /// Exactly this address.
    #[serde(default)]
    email: Option<String>,
    /// Of this company.
    #[serde(default)]
    company: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
    /// Reads the page behind this one, too, while this one is looked at: for who reads a list to its end. A call that asks for
    /// it within half a minute, with `ahead` as well, has it sooner; one that nobody asks for was read in vain.
    #[serde(default)]
    ahead: bool,
}

pub(crate) async fn contacts(
    core: &Arc<Core>,
    params: SearchContacts,
    context: &CallContext,
) -> Result<Page<Contact>, Error> {
    let SearchContacts { tenant, connection, text, email, company, page, ahead } = params;
    let place = Place { tenant, connection };
    let request =
        |page| ops::SearchContactsRequest { text: text.clone(), email: email.clone(), company: company.clone(), page };
    ahead::page::<ops::SearchContacts, _>(core, &place, page, ahead, request, context).await
}

/// Parameters of companies.sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSites {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Of this company.
    company: String,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn sites(core: &Core, params: ListSites, context: &CallContext) -> Result<Page<Site>, Error> {
    let ListSites { tenant, connection, company, page } = params;
    let request = ops::ListSitesRequest { company, page };
    core.connections.run::<ops::ListSites>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of configurations.list. All conditions must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListConfigurations {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Words of the name.
    #[serde(default)]
    text: Option<String>,
    /// Of this company.
    #[serde(default)]
    company: Option<String>,
    /// Only those tied to this ticket.
    #[serde(default)]
    ticket: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
    /// Reads the page behind this one, too, while this one is looked at: for who reads a list to its end. A call that asks for
    /// it within half a minute, with `ahead` as well, has it sooner; one that nobody asks for was read in vain.
    #[serde(default)]
    ahead: bool,
}

pub(crate) async fn configurations(
    core: &Arc<Core>,
    params: ListConfigurations,
    context: &CallContext,
) -> Result<Page<Configuration>, Error> {
    let ListConfigurations { tenant, connection, text, company, ticket, page, ahead } = params;
    let place = Place { tenant, connection };
    let request = |page| ops::ListConfigurationsRequest {
        text: text.clone(),
        company: company.clone(),
        ticket: ticket.clone(),
        page,
    };
    ahead::page::<ops::ListConfigurations, _>(core, &place, page, ahead, request, context).await
}
