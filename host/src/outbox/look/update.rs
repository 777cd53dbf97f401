//! Whether a ticket is as a change wants it.

use super::{Look, Search, is_ours};
use crate::outbox::trouble::Trouble;
use psa_host_api::Code;
use psa_host_api::model::{Reference, Ticket};
use psa_host_api::ops::TicketChanges;
use serde_json::{Value, json};

impl Search<'_> {
    pub(super) async fn for_update(&self, ticket: &str, changes: &TicketChanges) -> Result<Look, Trouble> {
        let found = match self.read_ticket(ticket).await {
            Err(error) if error.code == Code::NotFound => return Ok(Look::Gone),
            found => found?,
        };
        if let Some(other) = found.merged_into {
            return Ok(Look::Merged(other));
        }
        let differs = differing(changes, &found);
        if differs.is_empty() {
            let evidence = json!({"updated_by": found.updated_by, "updated_at": found.updated_at});
            return Ok(Look::Found { binding: None, ticket: None, shown: None, evidence });
        }
        // Somebody else has changed it since: what was wanted before is not sent over that. The fence is what the PSA's own
        // clock showed before the attempt: theirs can be wrong, and may count whole seconds where ours does not.
        let by_us = is_ours(self.identity, found.updated_by.as_deref());
        let changed = found.updated_at != self.row.fence || self.changed_since_acceptance(found.updated_at.as_deref());
        if !self.first && !by_us && changed {
            return Ok(Look::Overtaken);
        }
        Ok(Look::Nothing(found.updated_at))
    }
}

/// The names of the fields that are not as wanted.
pub(in crate::outbox) fn differing(changes: &TicketChanges, ticket: &Ticket) -> Vec<&'static str> {
    let text = |wanted: &Option<String>, there: Option<&str>| match wanted.as_deref() {
        None => true,
        Some("") => there.is_none_or(str::is_empty),
        Some(wanted) => there == Some(wanted),
    };
    let id = |there: &Option<Reference>| there.as_ref().map(|there| there.id.clone());
    let status = ticket.status.as_ref().map(|status| status.id.clone());
    let same = [
        ("summary", text(&changes.summary, Some(&ticket.summary))),
        ("board", text(&changes.board, id(&ticket.board).as_deref())),
        ("status", text(&changes.status, status.as_deref())),
        ("priority", text(&changes.priority, id(&ticket.priority).as_deref())),
        ("ticket_type", text(&changes.ticket_type, id(&ticket.ticket_type).as_deref())),
        ("subtype", text(&changes.subtype, id(&ticket.subtype).as_deref())),
        ("item", text(&changes.item, id(&ticket.item).as_deref())),
        ("source", text(&changes.source, id(&ticket.source).as_deref())),
        ("owner", text(&changes.owner, id(&ticket.owner).as_deref())),
        ("company", text(&changes.company, id(&ticket.company).as_deref())),
        ("contact", text(&changes.contact, id(&ticket.contact).as_deref())),
        ("external_reference", text(&changes.external_reference, ticket.external_reference.as_deref())),
        ("custom_fields", changes.custom_fields.iter().all(|wanted| has_field(ticket, &wanted.id, &wanted.value))),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// Nothing and an empty text are the same in a field.
fn has_field(ticket: &Ticket, id: &str, wanted: &Value) -> bool {
    let plain = |value: &Value| if *value == json!("") { Value::Null } else { value.clone() };
    let there =
        ticket.custom_fields.iter().find(|field| field.id == id).map_or(Value::Null, |field| plain(&field.value));
    there == plain(wanted)
}

/// The names of all fields that a change is about.
pub(in crate::outbox) fn named(changes: &TicketChanges) -> Vec<&'static str> {
    // Against a ticket without anything and one with other things everywhere: whatever is said differs from one of them.
    let nothing = Ticket::default();
    let other = || Some(Reference { id: "\u{0}".to_owned(), name: None });
    let odd = Ticket {
        summary: "\u{0}".to_owned(),
        board: other(),
        status: Some(psa_host_api::model::StatusRef { id: "\u{0}".to_owned(), name: None }),
        priority: other(),
        ticket_type: other(),
        subtype: other(),
        item: other(),
        source: other(),
        owner: other(),
        company: other(),
        contact: other(),
        external_reference: Some("\u{0}".to_owned()),
        ..Ticket::default()
    };
    let mut names = differing(changes, &nothing);
    names.extend(differing(changes, &odd));
    if !changes.custom_fields.is_empty() {
        names.push("custom_fields");
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::model::CustomField;

    #[test]
    fn only_what_is_wanted_and_not_so_differs() {
        let of = |id: &str| Some(Reference { id: id.into(), name: None });
        let field = |value: Value| CustomField { id: "7".into(), name: None, value };
        let ticket = Ticket {
            summary: "Printer".into(),
            priority: of("4"),
            custom_fields: vec![field(json!("West"))],
            ..Ticket::default()
        };
        let changes = |change: fn(&mut TicketChanges)| {
            let mut changes = TicketChanges::default();
            change(&mut changes);
            changes
        };
        for (wanted, differs) in [
            (changes(|_| {}), vec![]),
            (changes(|it| it.summary = Some("Printer".into())), vec![]),
            (changes(|it| it.summary = Some("Fax".into())), vec!["summary"]),
            (changes(|it| it.priority = Some("4".into())), vec![]),
            (changes(|it| it.priority = Some("5".into())), vec!["priority"]),
            // Empty takes away, and nothing is there to be taken.
            (changes(|it| it.owner = Some(String::new())), vec![]),
            (changes(|it| it.priority = Some(String::new())), vec!["priority"]),
            (
                changes(|it| it.custom_fields = vec![CustomField { id: "7".into(), name: None, value: json!("West") }]),
                vec![],
            ),
            (
                changes(|it| it.custom_fields = vec![CustomField { id: "7".into(), name: None, value: json!("") }]),
                vec!["custom_fields"],
            ),
            (
                changes(|it| it.custom_fields = vec![CustomField { id: "8".into(), name: None, value: Value::Null }]),
                vec![],
            ),
        ] {
            assert_eq!(differing(&wanted, &ticket), differs, "{wanted:?}");
        }
        let both = changes(|it| (it.summary, it.owner) = (Some("x".into()), Some(String::new())));
        assert_eq!(named(&both), ["owner", "summary"]);
    }
}
