//! Making a ticket.
//!
//! Promises: one POST; what ConnectWise would refuse and we can tell is refused before; a status of another board is
//! never sent.
//! Leaves to others: what the answer says (`tickets`), whether a lost answer meant a ticket (the host, by our mark).

use crate::client::{Client, number};
use crate::conditions::mark;
use crate::map::Record;
use crate::notes::TEXT_CHARS_MAX;
use crate::settings::NewTickets;
use crate::statuses::check_is_of_board;
use crate::tickets::{Kind, ticket_from};
use psa_host_api::Error;
use psa_host_api::model::{CustomField, Ticket};
use psa_host_api::ops::CreateTicketRequest;
use psa_host_api::sdk::Cx;
use serde_json::{Map, Value, json};

/// Counted in UTF-16 units; longer is refused, not cut. Source: facts 6.
const SUMMARY_MAX: usize = 100;

/// Their names of what has a field of ours: `fields` cannot say it a second time, in another way.
const OURS: [&str; 16] = [
    "summary",
    "company",
    "board",
    "contact",
    "status",
    "priority",
    "type",
    "subType",
    "item",
    "source",
    "owner",
    "initialDescription",
    "initialInternalAnalysis",
    "externalXRef",
    "customFields",
    "recordType",
];

pub(crate) async fn ticket(client: &Client, cx: &Cx, request: CreateTicketRequest) -> Result<Ticket, Error> {
    let kind = kind_of(&request)?;
    let request = with_defaults(kind, request, &client.settings.new_tickets);
    let body = ticket_body(kind, &request)?;
    if let (Some(status), Some(board)) = (&request.status, &request.board) {
        check_is_of_board(client, cx, number(status, "status")?, number(board, "board")?).await?;
    }
    let made = Record::of(client.write(cx, "POST", &format!("{}/tickets", kind.name()), &body).await?)?;
    ticket_from(client, kind, made)
}

fn kind_of(request: &CreateTicketRequest) -> Result<Kind, Error> {
    let Some(name) = &request.kind else { return Ok(Kind::Service) };
    let kind = Kind::from_name(name).ok_or_else(|| {
        let message = "kind must be service or project";
        Error::invalid(message).field("/kind", "option", message)
    })?;
    // Source: facts 6; without a phase ConnectWise does not know the project either.
    if kind == Kind::Project && !request.fields.get("phase").is_some_and(Value::is_object) {
        let message = r#"a project ticket needs fields to name its phase: {"phase": {"id": 1}}"#;
        return Err(Error::invalid(message).field("/fields/phase", "required", message));
    }
    Ok(kind)
}

/// What the request does not say, as the settings say it. A status is of its board: on another one it is none.
fn with_defaults(kind: Kind, mut request: CreateTicketRequest, settings: &NewTickets) -> CreateTicketRequest {
    // Of a project ticket company and board are those of its project. Source: facts 6.
    if kind == Kind::Service {
        if request.company.is_empty() {
            request.company = settings.company.clone().unwrap_or_default();
        }
        request.board = request.board.or_else(|| settings.board.clone());
        let there = request.board.is_some() && request.board == settings.board;
        request.status = request.status.or_else(|| settings.status.clone().filter(|_| there));
    }
    request.priority = request.priority.or_else(|| settings.priority.clone());
    request
}

/// One line, not empty, as long as can be kept.
pub(crate) fn check_summary(summary: &str, at: &str) -> Result<(), Error> {
    let length = summary.encode_utf16().count();
    if summary.trim().is_empty() || length > SUMMARY_MAX {
        let message = format!("summary has {length} characters; 1 to {SUMMARY_MAX} can be sent");
        return Err(Error::invalid(message.clone()).field(at, "length", message));
    }
    Ok(())
}

/// The body of a new ticket. Source: facts 6; the description becomes the first note, one the customer can read.
fn ticket_body(kind: Kind, request: &CreateTicketRequest) -> Result<Value, Error> {
    check_summary(&request.summary, "/summary")?;
    if request.status.is_some() && request.board.is_none() {
        let message = "status needs the board it is of: names and ids of statuses belong to one";
        return Err(Error::invalid(message).field("/status", "board_required", message));
    }
    let mut body = Map::new();
    body.insert("summary".to_owned(), json!(request.summary));
    // The company of a project ticket is that of its project, unless said. Source: facts 6.
    let company = Some(&request.company).filter(|company| kind == Kind::Service || !company.is_empty());
    let references = [
        ("company", "company", company),
        ("board", "board", request.board.as_ref()),
        ("contact", "contact", request.contact.as_ref()),
        ("status", "status", request.status.as_ref()),
        ("priority", "priority", request.priority.as_ref()),
        ("type", "ticket_type", request.ticket_type.as_ref()),
        ("subType", "subtype", request.subtype.as_ref()),
        ("item", "item", request.item.as_ref()),
        ("source", "source", request.source.as_ref()),
        ("owner", "owner", request.owner.as_ref()),
    ];
    for (theirs, ours, id) in references {
        if let Some(id) = id {
            body.insert(theirs.to_owned(), json!({"id": number(id, ours)?}));
        }
    }
    let texts = [
        ("initialDescription", "description", &request.description),
        ("initialInternalAnalysis", "internal_description", &request.internal_description),
    ];
    for (theirs, ours, text) in texts {
        // An empty member would be a note without words.
        let Some(text) = text.as_ref().filter(|text| !text.trim().is_empty()) else { continue };
        let length = text.chars().count();
        if length > TEXT_CHARS_MAX {
            let message = format!("{ours} has {length} characters; {TEXT_CHARS_MAX} can be sent");
            return Err(Error::invalid(message.clone()).field(format!("/{ours}"), "length", message));
        }
        body.insert(theirs.to_owned(), json!(text));
    }
    if !request.custom_fields.is_empty() {
        body.insert("customFields".to_owned(), custom_fields(&request.custom_fields)?);
    }
    // Kept where there is a place for it, and project tickets have none. Source: facts 6.
    if let (Some(reference), Kind::Service) = (&request.external_reference, kind) {
        body.insert("externalXRef".to_owned(), json!(mark(reference, "/external_reference")?));
    }
    for (name, value) in &request.fields {
        // In any case: their reader does not tell them apart.
        if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            let message = format!("fields names {name}, which has a field of its own in the request");
            return Err(Error::invalid(message.clone()).field(format!("/fields/{name}"), "ours", message));
        }
        body.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(body))
}

fn custom_fields(fields: &[CustomField]) -> Result<Value, Error> {
    let field = |(position, field): (usize, &CustomField)| {
        let id = number(&field.id, "id").map_err(|_| {
            let message = format!("\"{}\" is no id of a field; ids are whole numbers", field.id);
            Error::invalid(message.clone()).field(format!("/custom_fields/{position}/id"), "id", message)
        })?;
        Ok(json!({"id": id, "value": field.value}))
    };
    fields.iter().enumerate().map(field).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut CreateTicketRequest)) -> CreateTicketRequest {
        let mut request =
            CreateTicketRequest { summary: "Printer on fire".into(), company: "2".into(), ..Default::default() };
        change(&mut request);
        request
    }

    fn body_of(request: &CreateTicketRequest) -> Result<Value, Error> {
        ticket_body(kind_of(request)?, request)
    }

    #[test]
    fn every_field_has_its_place_and_nothing_else_is_sent() {
        assert_eq!(body_of(&request(|_| {})).unwrap(), json!({"summary": "Printer on fire", "company": {"id": 2}}));
        let full = request(|request| {
            request.board = Some("1".into());
            request.description = Some("It burns.".into());
            request.contact = Some("3".into());
            request.status = Some("101".into());
            request.priority = Some("4".into());
            request.ticket_type = Some("10".into());
            (request.subtype, request.item) = (Some("11".into()), Some("12".into()));
            (request.source, request.owner) = (Some("5".into()), Some("7".into()));
            request.internal_description = Some("Told by phone.".into());
            request.custom_fields = vec![CustomField { id: "9".into(), name: None, value: json!("West") }];
            request.external_reference = Some("psa-1".into());
            request.fields.insert("severity".into(), json!("High"));
        });
        assert_eq!(
            body_of(&full).unwrap(),
            json!({"summary": "Printer on fire", "company": {"id": 2}, "board": {"id": 1}, "contact": {"id": 3},
                   "status": {"id": 101}, "priority": {"id": 4}, "type": {"id": 10},
                   "subType": {"id": 11}, "item": {"id": 12}, "source": {"id": 5}, "owner": {"id": 7},
                   "initialDescription": "It burns.", "initialInternalAnalysis": "Told by phone.",
                   "customFields": [{"id": 9, "value": "West"}], "externalXRef": "psa-1", "severity": "High"})
        );
        let blank = body_of(&request(|request| request.description = Some(" \n".into()))).unwrap();
        assert!(blank.get("initialDescription").is_none());
        assert!(body_of(&request(|request| request.summary = "é".repeat(100))).is_ok());
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_its_field() {
        type Change = fn(&mut CreateTicketRequest);
        let rows: [(Change, &str); 19] = [
            (|request| request.summary = " ".into(), "/summary"),
            (|request| request.summary = "x".repeat(101), "/summary"),
            // Two UTF-16 units each.
            (|request| request.summary = "🔥".repeat(51), "/summary"),
            (|request| request.company = String::new(), "/company"),
            (|request| request.company = "Northwind".into(), "/company"),
            (|request| request.contact = Some("0".into()), "/contact"),
            (|request| request.ticket_type = Some("x".into()), "/ticket_type"),
            (|request| request.status = Some("101".into()), "/status"),
            (|request| request.description = Some("x".repeat(TEXT_CHARS_MAX + 1)), "/description"),
            (|request| request.external_reference = Some("x".repeat(101)), "/external_reference"),
            // It could not be found again.
            (|request| request.external_reference = Some("a\"b".into()), "/external_reference"),
            (|request| drop(request.fields.insert("externalXRef".into(), json!("x"))), "/fields/externalXRef"),
            (|request| drop(request.fields.insert("Summary".into(), json!("x"))), "/fields/Summary"),
            (|request| drop(request.fields.insert("subtype".into(), json!("x"))), "/fields/subtype"),
            (|request| request.internal_description = Some("x".repeat(TEXT_CHARS_MAX + 1)), "/internal_description"),
            (|request| request.custom_fields = vec![CustomField::default()], "/custom_fields/0/id"),
            (|request| request.owner = Some("jdoe".into()), "/owner"),
            (|request| request.kind = Some("sales".into()), "/kind"),
            (|request| request.kind = Some("project".into()), "/fields/phase"),
        ];
        for (change, at) in rows {
            assert_eq!(body_of(&request(change)).unwrap_err().fields[0].at, at);
        }
    }

    #[test]
    fn what_is_not_said_is_as_the_settings_say_and_a_status_only_on_its_own_board() {
        let of = |id: &str| Some(id.to_owned());
        let settings = NewTickets { board: of("12"), status: of("310"), priority: of("8"), company: of("2") };
        let bare = CreateTicketRequest { summary: "x".into(), ..Default::default() };
        let made = with_defaults(Kind::Service, bare.clone(), &settings);
        assert_eq!((made.board, made.status, made.priority, made.company), (of("12"), of("310"), of("8"), "2".into()));
        let elsewhere = CreateTicketRequest { board: of("1"), company: "3".into(), ..bare.clone() };
        let made = with_defaults(Kind::Service, elsewhere, &settings);
        assert_eq!((made.board, made.status, made.company), (of("1"), None, "3".into()));
        let same = CreateTicketRequest { board: of("12"), status: of("311"), ..bare.clone() };
        assert_eq!(with_defaults(Kind::Service, same, &settings).status, of("311"));
        let project = with_defaults(Kind::Project, bare.clone(), &settings);
        assert_eq!((project.board, project.status, project.company), (None, None, String::new()));
        assert_eq!(with_defaults(Kind::Service, bare.clone(), &NewTickets::default()), bare);
    }

    #[test]
    fn a_project_ticket_has_a_phase_and_no_mark() {
        let project = |change: fn(&mut CreateTicketRequest)| {
            request(|request| {
                (request.kind, request.company) = (Some("project".into()), String::new());
                request.fields.insert("phase".into(), json!({"id": 3}));
                change(request);
            })
        };
        assert_eq!(body_of(&project(|_| {})).unwrap(), json!({"summary": "Printer on fire", "phase": {"id": 3}}));
        let with_company = body_of(&project(|request| request.company = "2".into())).unwrap();
        assert_eq!(with_company["company"], json!({"id": 2}));
        let marked = body_of(&project(|request| request.external_reference = Some("psa-1".into()))).unwrap();
        assert!(marked.get("externalXRef").is_none());
        let other = project(|request| drop(request.fields.insert("phase".into(), json!(3))));
        assert_eq!(body_of(&other).unwrap_err().fields[0].at, "/fields/phase");
    }
}
