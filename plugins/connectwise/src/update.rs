//! Changing a ticket.
//!
//! Promises: one PATCH of whole references, the board before its status; a status of another board is never sent;
//! fields of the tenant's that nobody named are sent back as they were; success means that the answer shows all of it.
//! Leaves to others: moving a ticket within its board (`statuses`), which changes are wise (the host).

use crate::client::{Client, number, record};
use crate::conditions::mark;
use crate::create::check_summary;
use crate::map::Record;
use crate::statuses::{check_is_of_board, reference};
use crate::tickets::{Kind, converted, find, ticket_from};
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::{CustomField, Ticket};
use psa_host_api::ops::{NO_MARKS, TicketChanges, UpdateTicketRequest};
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::{Map, Value, json};

pub(crate) async fn ticket(client: &Client, cx: &Cx, request: UpdateTicketRequest) -> Result<Ticket, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let mut changes = changes_of(&request.changes)?;
    let (kind, before) = find(client, cx, ticket).await?;
    if kind == Kind::Project && request.changes.external_reference.is_some() {
        return Err(no_place_for_marks("/changes/external_reference"));
    }
    if !request.changes.custom_fields.is_empty() {
        changes.push(custom_fields_of(&request.changes.custom_fields, &before)?);
    }
    if let (Some(status), Some(board)) = (&request.changes.status, &request.changes.board) {
        check_is_of_board(client, cx, number(status, "status")?, number(board, "board")?).await?;
    }
    let patch = patch_body(&changes);
    let after = match client.write(cx, "PATCH", &kind.path(ticket), &patch).await {
        Err(error) => return Err(converted(client, cx, ticket, kind, error).await),
        Ok(answer) => record(answer)?,
    };
    check_applied(ticket, &changes, &after)?;
    ticket_from(client, kind, Record::new(after))
}

/// Project tickets have no `externalXRef`. Source: facts 6.
pub(crate) fn no_place_for_marks(at: &str) -> Error {
    let message = "project tickets have no place for an external reference";
    Error::invalid(message).because(NO_MARKS).of(SpeaksOf::Operation).field(at, "kind", message)
}

/// What a member is to become.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    theirs: &'static str,
    ours: &'static str,
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Reference(u64),
    NoReference,
    Text(String),
    /// The whole array, and those of it that are to be as wanted.
    Fields(Vec<Value>, Vec<u64>),
}

/// What is asked for, in the order in which it is sent: what others belong to comes first. Source: facts 4.
fn changes_of(changes: &TicketChanges) -> Result<Vec<Change>, Error> {
    let all = [
        ("company", "company", &changes.company),
        ("contact", "contact", &changes.contact),
        ("board", "board", &changes.board),
        ("status", "status", &changes.status),
        ("type", "ticket_type", &changes.ticket_type),
        ("subType", "subtype", &changes.subtype),
        ("item", "item", &changes.item),
        ("priority", "priority", &changes.priority),
        ("source", "source", &changes.source),
        ("owner", "owner", &changes.owner),
    ];
    if changes.board.is_some() != changes.status.is_some() {
        let (at, message) = match changes.board {
            Some(_) => {
                ("status", "a ticket that goes to another board needs a status of that board in the same change")
            }
            None => ("board", "a status goes with the board it is of; within the same board use set_ticket_status"),
        };
        return Err(Error::invalid(message).field(format!("/changes/{at}"), "required", message));
    }
    let mut wanted = Vec::new();
    if let Some(summary) = &changes.summary {
        check_summary(summary, "/changes/summary")?;
        wanted.push(Change { theirs: "summary", ours: "summary", wanted: Wanted::Text(summary.clone()) });
    }
    for (theirs, ours, value) in all {
        let Some(id) = value else { continue };
        let change = match id.as_str() {
            "" if matches!(ours, "company" | "board" | "status") => {
                let message = format!("a ticket cannot be without {ours}");
                return Err(Error::invalid(message.clone()).field(format!("/changes/{ours}"), "required", message));
            }
            "" => Wanted::NoReference,
            id => Wanted::Reference(number(id, ours).map_err(|error| below_changes(error, ours))?),
        };
        wanted.push(Change { theirs, ours, wanted: change });
    }
    if let Some(reference) = &changes.external_reference {
        let text = if reference.is_empty() { "" } else { mark(reference, "/changes/external_reference")? };
        let wanted_text = Wanted::Text(text.to_owned());
        wanted.push(Change { theirs: "externalXRef", ours: "external_reference", wanted: wanted_text });
    }
    if wanted.is_empty() && changes.custom_fields.is_empty() {
        let message = "changes names nothing that is to become another";
        return Err(Error::invalid(message).field("/changes", "empty", message));
    }
    Ok(wanted)
}

fn below_changes(mut error: Error, ours: &str) -> Error {
    for field in &mut error.fields {
        field.at = format!("/changes/{ours}");
    }
    error
}

/// The whole array with what is wanted in it. Source: facts 4, one element alone is not enough.
fn custom_fields_of(wanted: &[CustomField], before: &Map<String, Value>) -> Result<Change, Error> {
    let mut all = before.get("customFields").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut ids = Vec::new();
    for (position, field) in wanted.iter().enumerate() {
        let at = format!("/changes/custom_fields/{position}/id");
        let id = number(&field.id, "id").map_err(|_| {
            let message = format!("\"{}\" is no id of a field; ids are whole numbers", field.id);
            Error::invalid(message.clone()).field(at.clone(), "id", message)
        })?;
        let there = all.iter_mut().filter_map(Value::as_object_mut);
        let Some(there) = there.into_iter().find(|there| there.get("id").and_then(Value::as_u64) == Some(id)) else {
            let message = format!("the ticket has no field {id}: see the catalogue ticket_fields; nothing was sent");
            let error = Error::invalid(message.clone()).because("unknown_field").of(SpeaksOf::Operation);
            return Err(error.field(at, "unknown", message));
        };
        let value = if field.value == json!("") { Value::Null } else { field.value.clone() };
        there.insert("value".to_owned(), value);
        ids.push(id);
    }
    Ok(Change { theirs: "customFields", ours: "custom_fields", wanted: Wanted::Fields(all, ids) })
}

/// Whole references: writing `status/id` may answer 200 and change nothing. Source: facts 4, also for clearing.
fn patch_body(changes: &[Change]) -> Value {
    let operation = |change: &Change| match &change.wanted {
        Wanted::Reference(id) => json!({"op": "replace", "path": change.theirs, "value": {"id": id}}),
        Wanted::NoReference => json!({"op": "remove", "path": change.theirs}),
        Wanted::Text(text) => json!({"op": "replace", "path": change.theirs, "value": text}),
        Wanted::Fields(all, _) => json!({"op": "replace", "path": change.theirs, "value": all}),
    };
    Value::Array(changes.iter().map(operation).collect())
}

/// Compares what was asked for with what the answer shows. Source: facts 4, "always compare".
fn check_applied(ticket: u64, changes: &[Change], after: &Map<String, Value>) -> Result<(), Error> {
    let (mut wanted, mut got, mut fields) = (Map::new(), Map::new(), Vec::new());
    for (name, asked, shown) in changes.iter().flat_map(|change| pairs(change, after)) {
        if plain(&asked) != plain(&shown) {
            fields.push(name.clone());
            wanted.insert(name.clone(), asked);
            got.insert(name, shown);
        }
    }
    if fields.is_empty() {
        return Ok(());
    }
    let message = format!(
        "ConnectWise accepted the change of ticket {ticket} and shows another value of {}: a rule or a workflow keeps it",
        fields.join(", ")
    );
    let mut error = Error::new(Code::Rejected, message.clone()).because("not_applied").of(SpeaksOf::Operation);
    error.details = Some(json!({"wanted": wanted, "got": got}));
    Err(fields.iter().fold(error, |error, name| error.field(format!("/changes/{name}"), "not_applied", &message)))
}

/// Our name of what a change speaks of, what was asked for, what the answer shows.
fn pairs(change: &Change, after: &Map<String, Value>) -> Vec<(String, Value, Value)> {
    let shown = || after.get(change.theirs).cloned().unwrap_or(Value::Null);
    let shown_id =
        || reference(after, change.theirs).filter(|id| *id > 0).map_or(Value::Null, |id| json!(id.to_string()));
    let ours = change.ours.to_owned();
    match &change.wanted {
        Wanted::Reference(id) => vec![(ours, json!(id.to_string()), shown_id())],
        Wanted::NoReference => vec![(ours, Value::Null, shown_id())],
        Wanted::Text(text) => vec![(ours, json!(text), shown())],
        Wanted::Fields(all, ids) => {
            let value = |fields: &[Value], id: u64| {
                let found = fields.iter().find(|field| field["id"].as_u64() == Some(id));
                found.map_or(Value::Null, |field| field["value"].clone())
            };
            let after = after.get("customFields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let pair = |id: &u64| (format!("{ours}/{id}"), value(all, *id), value(after, *id));
            ids.iter().map(pair).collect()
        }
    }
}

/// A value as it is compared: nothing and an empty text are the same, white space and line ends are theirs (source:
/// facts 3.1 and 7.4), and a number may come back as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(change: impl FnOnce(&mut TicketChanges)) -> TicketChanges {
        let mut changes = TicketChanges::default();
        change(&mut changes);
        changes
    }

    #[test]
    fn references_go_whole_and_the_board_before_its_status() {
        let all = changes(|changes| {
            changes.summary = Some("Printer".into());
            (changes.status, changes.board) = (Some("17".into()), Some("2".into()));
            (changes.contact, changes.company) = (Some("3".into()), Some("2".into()));
            (changes.owner, changes.external_reference) = (Some(String::new()), Some(String::new()));
        });
        assert_eq!(
            patch_body(&changes_of(&all).unwrap()),
            json!([
                {"op": "replace", "path": "summary", "value": "Printer"},
                {"op": "replace", "path": "company", "value": {"id": 2}},
                {"op": "replace", "path": "contact", "value": {"id": 3}},
                {"op": "replace", "path": "board", "value": {"id": 2}},
                {"op": "replace", "path": "status", "value": {"id": 17}},
                {"op": "remove", "path": "owner"},
                {"op": "replace", "path": "externalXRef", "value": ""},
            ])
        );
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused_by_its_field() {
        type Row = (fn(&mut TicketChanges), &'static str);
        let rows: [Row; 9] = [
            (|_| {}, "/changes"),
            (|changes| changes.summary = Some(" ".into()), "/changes/summary"),
            (|changes| changes.summary = Some("x".repeat(101)), "/changes/summary"),
            (|changes| changes.board = Some("2".into()), "/changes/status"),
            (|changes| changes.status = Some("2".into()), "/changes/board"),
            (|changes| changes.company = Some(String::new()), "/changes/company"),
            (|changes| changes.owner = Some("jdoe".into()), "/changes/owner"),
            (|changes| changes.external_reference = Some("a\"b".into()), "/changes/external_reference"),
            (|changes| (changes.board, changes.status) = (Some(String::new()), Some(String::new())), "/changes/board"),
        ];
        for (change, at) in rows {
            assert_eq!(changes_of(&changes(change)).unwrap_err().fields[0].at, at);
        }
    }

    #[test]
    fn fields_nobody_named_are_sent_back_as_they_were() {
        let before = record(json!({"customFields": [
            {"id": 5, "caption": "Region", "type": "Text", "value": "West"},
            {"id": 6, "caption": "Floor", "type": "Number", "value": 3, "rowNum": 1}]}))
        .unwrap();
        let field = |id: &str, value: Value| CustomField { id: id.into(), name: None, value };
        let change = custom_fields_of(&[field("5", json!(""))], &before).unwrap();
        assert_eq!(
            patch_body(&[change])[0]["value"],
            json!([{"id": 5, "caption": "Region", "type": "Text", "value": null},
                   {"id": 6, "caption": "Floor", "type": "Number", "value": 3, "rowNum": 1}])
        );
        for id in ["7", "x"] {
            let error = custom_fields_of(&[field("6", json!(1)), field(id, json!(1))], &before).unwrap_err();
            assert_eq!(
                (error.code, error.fields[0].at.as_str()),
                (Code::InvalidArgument, "/changes/custom_fields/1/id")
            );
            assert!(error.message.contains(id), "{error}");
        }
    }

    #[test]
    fn an_answer_that_shows_something_else_is_no_success() {
        let all = changes(|changes| {
            (changes.summary, changes.owner) = (Some("Printer  on\nfire".into()), Some("7".into()));
            changes.source = Some(String::new());
        });
        let mut asked = changes_of(&all).unwrap();
        asked.push(Change {
            theirs: "customFields",
            ours: "custom_fields",
            wanted: Wanted::Fields(vec![json!({"id": 5, "value": 2})], vec![5]),
        });
        let answer = |owner: Value, field: Value, source: Value| {
            let record =
                json!({"summary": "Printer on fire", "owner": owner, "source": source, "customFields": [field]});
            check_applied(69, &asked, record.as_object().unwrap())
        };
        let (owner, field) = (json!({"id": 7}), json!({"id": 5, "value": "2"}));
        assert!(answer(owner.clone(), field.clone(), Value::Null).is_ok());
        for (answer, name) in [
            (answer(json!({"id": 8}), field.clone(), Value::Null), "owner"),
            (answer(json!({}), field.clone(), Value::Null), "owner"),
            (answer(owner.clone(), json!({"id": 5}), Value::Null), "custom_fields/5"),
            (answer(owner, field, json!({"id": 2})), "source"),
        ] {
            let error = answer.unwrap_err();
            assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("not_applied")));
            assert_eq!((error.speaks_of, error.fields.len()), (Some(SpeaksOf::Operation), 1));
            assert!(error.details.unwrap()["wanted"].get(name).is_some(), "{name}");
        }
    }
}
