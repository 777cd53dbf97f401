//! What an operation is to do, as it is sealed.

use crate::store::{Kind, Place, Sealed, StoredOperation};
use crate::vault::{SealPlace, Vault, VaultError};
use psa_host_api::model::Visibility;
use psa_host_api::ops::{AddTimeEntryRequest, CreateTicketRequest, TicketChanges};
use serde::{Deserialize, Serialize};

/// The payload. Its word is a name that no request has: a new ticket has a `kind` of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "payload", rename_all = "snake_case")]
pub(crate) enum Payload {
    Note {
        text: String,
        visibility: Visibility,
        /// The provider's id of the author.
        member: Option<String>,
        /// The product's id of the author; a mapping says which member that is.
        agent: Option<String>,
    },
    Status {
        /// The provider's id, or
        status: Option<String>,
        /// the product's value, which a mapping translates for the ticket's board.
        value: Option<String>,
    },
    Ticket(Box<CreateTicketRequest>),
    /// What of the ticket becomes another.
    Update(Box<TicketChanges>),
    /// Time on the ticket. Its `ticket` is left empty: the link says which that is.
    Time {
        entry: Box<AddTimeEntryRequest>,
        /// The product's id of who worked, unless the entry says a member.
        agent: Option<String>,
    },
}

impl Payload {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Payload::Note { .. } => Kind::Note,
            Payload::Status { .. } => Kind::Status,
            Payload::Ticket(_) => Kind::Ticket,
            Payload::Update(_) => Kind::Update,
            Payload::Time { .. } => Kind::Time,
        }
    }

    /// Seals it for its operation.
    pub(crate) fn seal(
        &self,
        vault: &Vault,
        tenant: &str,
        connection: &str,
        operation: &str,
    ) -> Result<Sealed, VaultError> {
        let text = zeroize::Zeroizing::new(serde_json::to_vec(self).unwrap_or_default());
        vault.seal(&place(tenant, connection, operation), &text)
    }

    /// The same, sealed with the key that seals now.
    pub(crate) fn renew(vault: &Vault, at: &Place, operation: &str, sealed: &Sealed) -> Result<Sealed, VaultError> {
        vault.renew(&place(&at.tenant, &at.connection, operation), sealed)
    }

    /// Opens that of an operation. `Ok(None)`: it is gone, or cannot be understood.
    pub(crate) fn open(vault: &Vault, row: &StoredOperation) -> Result<Option<Payload>, VaultError> {
        let Some(sealed) = &row.sealed else { return Ok(None) };
        match vault.open_sealed(&place(&row.place.tenant, &row.place.connection, &row.operation), sealed) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(VaultError::Tampered) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn place<'a>(tenant: &'a str, connection: &'a str, operation: &'a str) -> SealPlace<'a> {
    SealPlace { table: "operations", tenant, connection, name: operation, version: 1, bound: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_can_be_read_again_with_all_of_its_fields() {
        let ticket = CreateTicketRequest {
            summary: "x".into(),
            kind: Some("project".into()),
            status: Some("1".into()),
            ..CreateTicketRequest::default()
        };
        let changes = TicketChanges { status: Some("1".into()), ..TicketChanges::default() };
        for payload in [
            Payload::Ticket(Box::new(ticket)),
            Payload::Update(Box::new(changes)),
            Payload::Status { status: None, value: Some("open".into()) },
        ] {
            let text = serde_json::to_vec(&payload).unwrap();
            assert_eq!(serde_json::from_slice::<Payload>(&text).unwrap(), payload);
        }
    }
}
