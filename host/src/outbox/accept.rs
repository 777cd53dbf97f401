//! Accepting: from here on an operation is the host's to carry out.

use super::Outbox;
use super::look::named;
use super::payload::Payload;
use crate::clock::new_id;
use crate::store::marks;
use crate::store::{
    Accepted, Conflict, ConnectionState, LinkState, NewOperation, Place, Record, StopReason, StoreError, StoredLink,
    StoredOperation,
};
use psa_host_api::model::Visibility;
use psa_host_api::ops::{AddTimeEntryRequest, CreateTicketRequest, TicketChanges};
use psa_host_api::{Code, Error};

/// A longer text is refused, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// A longer key is refused, in bytes.
const CLIENT_KEY_BYTES_MAX: usize = 256;

/// A note that is to be posted.
pub(crate) struct NewNote {
    pub(crate) text: String,
    pub(crate) visibility: Visibility,
    pub(crate) member: Option<String>,
    pub(crate) agent: Option<String>,
}

/// A status that a ticket is to get.
pub(crate) struct NewStatus {
    pub(crate) status: Option<String>,
    pub(crate) value: Option<String>,
    /// What the user saw.
    pub(crate) base: Option<String>,
    pub(crate) not_after: Option<i64>,
}

/// Time that is to be added; the link says to which ticket.
pub(crate) struct NewTime {
    pub(crate) entry: AddTimeEntryRequest,
    pub(crate) agent: Option<String>,
}

/// A ticket that is to be created.
pub(crate) struct NewTicket {
    pub(crate) place: Place,
    pub(crate) product_ticket: String,
    pub(crate) request: CreateTicketRequest,
}

impl Outbox {
    /// Accepts a note.
    pub(crate) async fn accept_note(
        &self,
        tenant: &str,
        link: &str,
        note: NewNote,
        client_key: Option<&str>,
    ) -> Result<StoredOperation, Error> {
        check_text("notes.post", "text", &note.text)?;
        let link = self.link_of(tenant, link)?;
        let NewNote { text, visibility, member, agent } = note;
        let payload = Payload::Note { text, visibility, member, agent };
        let mut new = self.operation(&link, &payload, client_key)?;
        if !self.is_known(&new)? {
            self.check_link(&link)?;
        }
        new.visibility = Some(visibility);
        self.accept(new).await
    }

    /// Accepts a change of status.
    pub(crate) async fn accept_status(
        &self,
        tenant: &str,
        link: &str,
        status: NewStatus,
        client_key: Option<&str>,
    ) -> Result<StoredOperation, Error> {
        let link = self.link_of(tenant, link)?;
        let payload = Payload::Status { status: status.status.clone(), value: status.value };
        let mut new = self.operation(&link, &payload, client_key)?;
        if !self.is_known(&new)? {
            self.check_link(&link)?;
        }
        new.wanted = status.status;
        new.base = status.base;
        new.not_after = status.not_after.map_or(new.not_after, |wanted| wanted.min(new.not_after));
        self.accept(new).await
    }

    /// Accepts a change of a ticket.
    pub(crate) async fn accept_update(
        &self,
        tenant: &str,
        link: &str,
        changes: TicketChanges,
        client_key: Option<&str>,
    ) -> Result<StoredOperation, Error> {
        let values = serde_json::to_value(&changes).unwrap_or_default();
        let fields = marks::write(named(&changes).into_iter().map(|name| (name, &values[name])));
        if fields.is_empty() {
            let message = "say at least one field that is to become another";
            return Err(Error::invalid(format!("tickets.update: {message}")).field("/changes", "required", message));
        }
        let link = self.link_of(tenant, link)?;
        let mut new = self.operation(&link, &Payload::Update(Box::new(changes)), client_key)?;
        if !self.is_known(&new)? {
            self.check_link(&link)?;
        }
        new.wanted = Some(fields);
        self.accept(new).await
    }

    /// Accepts time.
    pub(crate) async fn accept_time(
        &self,
        tenant: &str,
        link: &str,
        time: NewTime,
        client_key: Option<&str>,
    ) -> Result<StoredOperation, Error> {
        let link = self.link_of(tenant, link)?;
        let payload = Payload::Time { entry: Box::new(time.entry), agent: time.agent };
        let new = self.operation(&link, &payload, client_key)?;
        if !self.is_known(&new)? {
            self.check_link(&link)?;
        }
        self.accept(new).await
    }

    /// Accepts a new ticket, with the link that will hold it.
    pub(crate) async fn accept_ticket(
        &self,
        ticket: NewTicket,
        client_key: Option<&str>,
    ) -> Result<StoredOperation, Error> {
        let NewTicket { place, product_ticket, request } = ticket;
        let runtime_id = |prefix: &str| new_id(&*self.desk.random, prefix);
        let now = self.desk.clock.now_unix_ms();
        let link = StoredLink {
            place,
            link: runtime_id("l_"),
            product_ticket,
            ticket: None,
            state: LinkState::Creating,
            reference: runtime_id("psa-bridge "),
            created: now,
            changed: now,
        };
        let mut new = self.operation(&link, &Payload::Ticket(Box::new(request)), client_key)?;
        if !self.is_known(&new)? {
            self.usable_connection(&link.place)?;
        }
        new.new_link = Some(link);
        self.accept(new).await
    }

    fn operation(&self, link: &StoredLink, payload: &Payload, client_key: Option<&str>) -> Result<NewOperation, Error> {
        let desk = &self.desk;
        let Place { tenant, connection } = &link.place;
        let client_key = match client_key {
            Some(key) if key.is_empty() || key.len() > CLIENT_KEY_BYTES_MAX => {
                let message = format!("client_key must be 1 to {CLIENT_KEY_BYTES_MAX} bytes");
                return Err(Error::invalid(message.clone()).field("/client_key", "length", message));
            }
            Some(key) => Some(desk.vault.digest("client key", &[key.as_bytes()])?.to_vec()),
            None => None,
        };
        let operation = new_id(&*desk.random, "o_");
        let text = serde_json::to_vec(payload).map_err(|error| Error::internal(error.to_string()))?;
        // The product's ticket: the other one may not be there yet when the same is handed in again.
        let target = link.product_ticket.as_bytes();
        let digest = desk.vault.digest("payload", &[connection.as_bytes(), target, &text])?;
        let now = desk.clock.now_unix_ms();
        Ok(NewOperation {
            place: link.place.clone(),
            kind: payload.kind(),
            client_key,
            payload: digest.to_vec(),
            likeness: desk.likeness(payload)?,
            sealed: payload.seal(&desk.vault, tenant, connection, &operation)?,
            operation,
            link: link.link.clone(),
            new_link: None,
            visibility: None,
            wanted: None,
            base: None,
            not_after: now.saturating_add(desk.config.max_age_ms as i64),
            now,
            record: Record::default(),
        })
    }

    async fn accept(&self, new: NewOperation) -> Result<StoredOperation, Error> {
        self.desk.fail_point("before_accept");
        let mut new = new;
        let accepted = loop {
            match self.desk.store.accept(new.clone()).await {
                // Again each time the key has changed in between: each time it is a newer one, and nobody rotates for ever.
                Err(StoreError::Conflict(Conflict::KeyChanged)) => {
                    new.sealed = Payload::renew(&self.desk.vault, &new.place, &new.operation, &new.sealed)?;
                }
                accepted => break accepted?,
            }
        };
        self.desk.fail_point("accepted");
        self.wake();
        Ok(match accepted {
            Accepted::New(row) | Accepted::Known(row) => *row,
        })
    }

    /// Whether something was accepted under its key: then nothing new is asked for, however things stand now.
    fn is_known(&self, new: &NewOperation) -> Result<bool, Error> {
        match &new.client_key {
            Some(key) => Ok(self.desk.store.by_client_key(&new.place, key)?.is_some()),
            None => Ok(false),
        }
    }

    /// The link of an id.
    pub(crate) fn link_of(&self, tenant: &str, link: &str) -> Result<StoredLink, Error> {
        self.desk.store.get_link(tenant, link)?.ok_or_else(|| {
            let id: String = link.chars().take(64).collect();
            let message = format!("this tenant has no link \"{id}\"");
            Error::new(Code::NotFound, message).because("link_missing")
        })
    }

    fn check_link(&self, link: &StoredLink) -> Result<(), Error> {
        if matches!(link.state, LinkState::Unlinked | LinkState::Failed) {
            let message = format!("the link is {}; link the tickets again", link.state.word());
            return Err(Error::new(Code::Conflict, message).because("not_linked"));
        }
        self.usable_connection(&link.place)
    }

    /// What is stopped for a while still accepts; what was disconnected does not.
    fn usable_connection(&self, place: &Place) -> Result<(), Error> {
        let stored = self.desk.connections.stored(place)?;
        if stored.state == ConnectionState::Stopped && stored.reason == Some(StopReason::Disabled) {
            let message = "the connection was disconnected; enter its credentials again first";
            return Err(Error::new(Code::Conflict, message).because("disconnected"));
        }
        Ok(())
    }
}

/// A text that is to be sent, by the name of its parameter.
pub(crate) fn check_text(method: &str, name: &str, text: &str) -> Result<(), Error> {
    let at = format!("/{name}");
    if text.trim().is_empty() {
        let message = format!("{name} must have words in it");
        return Err(Error::invalid(format!("{method}: {message}")).field(at, "required", message));
    }
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("{name} has {} bytes; {TEXT_BYTES_MAX} are allowed", text.len());
        return Err(Error::new(Code::TooLarge, format!("{method}: {message}")).field(at, "max_length", message));
    }
    // Line breaks and tabs are text; other controls are nobody's intention, and some PSAs refuse them in odd ways.
    let odd = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if let Some(odd) = odd {
        let message = format!("{name} holds the control character U+{:04X}; take it out", odd as u32);
        return Err(Error::invalid(format!("{method}: {message}")).field(at, "control_character", message));
    }
    Ok(())
}
