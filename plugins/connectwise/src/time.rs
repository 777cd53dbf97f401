//! Time that was worked on a ticket.
//!
//! Promises: no mail is sent by an entry, whatever its text is shown as; what ConnectWise counts is what is answered.

use crate::client::{Client, number};
use crate::map::Record;
use crate::notes::TEXT_CHARS_MAX;
use crate::paging;
use crate::tickets::{Kind, kind_of, was_converted};
use crate::times;
use psa_host_api::model::{Billable, Page, PageRequest, TimeEntry, Visibility};
use psa_host_api::ops::{AddTimeEntryRequest, ListTimeEntriesRequest};
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::{Map, Value, json};

pub(crate) async fn list(client: &Client, cx: &Cx, request: ListTimeEntriesRequest) -> Result<Page<TimeEntry>, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let after = request.after.as_deref().map(|after| number(after, "after")).transpose()?;
    let kind = kind_of(client, cx, ticket).await?;
    page_of(client, cx, kind, ticket, after, &request.page).await
}

/// A page of a ticket's time. Source: facts 10.1.
pub(crate) async fn page_of(
    client: &Client,
    cx: &Cx,
    kind: Kind,
    ticket: u64,
    after: Option<u64>,
    page: &PageRequest,
) -> Result<Page<TimeEntry>, Error> {
    let mut conditions = format!("chargeToId={ticket} and chargeToType=\"{}\"", charge_to(kind));
    if let Some(after) = after {
        conditions.push_str(&format!(" and id>{after}"));
    }
    let read = |record: Record<'_>| entry_of(ticket, after, record);
    let page = paging::list(client, cx, "time/entries", vec![("conditions", conditions)], page, read).await?;
    Ok(Page { items: page.items.into_iter().flatten().collect(), next: page.next })
}

/// An entry, if it is of this ticket and behind that id. Looked at in case the condition was ignored, and before it is
/// read: time of another ticket is told to another customer, and what is wrong with it is nobody's trouble here.
fn entry_of(ticket: u64, after: Option<u64>, record: Record<'_>) -> Result<Option<TimeEntry>, Error> {
    let number = |name: &str| record.peek_id(name)?.parse::<u64>().ok();
    if number("chargeToId").is_some_and(|id| id != ticket) || number("id").is_some_and(|id| Some(id) <= after) {
        return Ok(None);
    }
    entry_from(record).map(Some)
}

/// Issues of projects are charged as their tickets. Source: facts 10.1.
fn charge_to(kind: Kind) -> &'static str {
    match kind {
        Kind::Service => "ServiceTicket",
        Kind::Project => "ProjectTicket",
    }
}

pub(crate) async fn add(client: &Client, cx: &Cx, request: AddTimeEntryRequest) -> Result<TimeEntry, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let mut body = entry_body(&request)?;
    let kind = kind_of(client, cx, ticket).await?;
    body.insert("chargeToId".to_owned(), json!(ticket));
    body.insert("chargeToType".to_owned(), json!(charge_to(kind)));
    match client.write(cx, "POST", "time/entries", &Value::Object(body)).await {
        Ok(answer) => entry_from(Record::of(answer)?),
        // The kind is in the body here, so a ticket that was converted is a reference that is not found.
        Err(error)
            if matches!(error.code, Code::NotFound | Code::Rejected)
                && was_converted(client, cx, ticket, kind).await =>
        {
            let message = format!("ticket {ticket} has been converted to another kind meanwhile; try again");
            Err(Error { message, code: Code::Unavailable, ..error }.because("ticket_converted"))
        }
        Err(error) => Err(error),
    }
}

/// The body of a new entry but for its ticket. Source: facts 10.1; each flag is sent, whatever its value, because those of
/// the mails are actions.
fn entry_body(request: &AddTimeEntryRequest) -> Result<Map<String, Value>, Error> {
    let (from, to) = (moment(&request.started_at, "started_at")?, moment(&request.ended_at, "ended_at")?);
    if to <= from {
        let message = "ended_at must be after started_at";
        return Err(Error::invalid(message).field("/ended_at", "order", message));
    }
    for (at, text) in [("notes", Some(&request.notes)), ("internal_notes", request.internal_notes.as_ref())] {
        let length = text.map_or(0, |text| text.chars().count());
        if length > TEXT_CHARS_MAX {
            let message = format!("{at} has {length} characters; {TEXT_CHARS_MAX} can be sent");
            return Err(Error::invalid(message.clone()).field(format!("/{at}"), "length", message));
        }
    }
    if request.show_as.is_some() && request.notes.trim().is_empty() {
        let message = "notes is empty, so there is nothing to be shown as a note";
        return Err(Error::invalid(message).field("/notes", "required", message));
    }
    let shown = |visibility: Visibility| request.show_as == Some(visibility);
    let Value::Object(mut body) = json!({
        "timeStart": request.started_at,
        "timeEnd": request.ended_at,
        "notes": request.notes,
        "addToDetailDescriptionFlag": shown(Visibility::Public),
        "addToInternalAnalysisFlag": shown(Visibility::Internal),
        "addToResolutionFlag": shown(Visibility::Resolution),
        "emailContactFlag": false,
        "emailResourceFlag": false,
        "emailCcFlag": false,
    }) else {
        return Err(Error::internal("a body is an object"));
    };
    if let Some(text) = request.internal_notes.as_ref().filter(|text| !text.trim().is_empty()) {
        body.insert("internalNotes".to_owned(), json!(text));
    }
    if let Some(billable) = request.billable {
        let word = BILLABLE.iter().find(|(_, ours)| *ours == billable).map(|(theirs, _)| *theirs);
        body.insert("billableOption".to_owned(), json!(word));
    }
    let references = [
        ("member", "member", &request.member),
        ("workType", "work_type", &request.work_type),
        ("workRole", "work_role", &request.work_role),
    ];
    for (theirs, ours, id) in references {
        if let Some(id) = id {
            body.insert(theirs.to_owned(), json!({"id": number(id, ours)?}));
        }
    }
    Ok(body)
}

/// Their words. `NoDefault` says nothing. Source: facts 10.1.
const BILLABLE: [(&str, Billable); 3] =
    [("Billable", Billable::Billable), ("DoNotBill", Billable::DoNotBill), ("NoCharge", Billable::NoCharge)];

fn moment(text: &str, at: &str) -> Result<i64, Error> {
    // Fractions are refused there. Source: facts 3.1.
    times::seconds(text).ok_or_else(|| {
        let message = format!("{at} must be a time in UTC and whole seconds such as 2026-01-31T12:00:00Z");
        Error::invalid(message.clone()).field(format!("/{at}"), "time", message)
    })
}

/// An entry of theirs in our words. The flags that say where its text is shown stay in `raw`.
fn entry_from(mut record: Record<'_>) -> Result<TimeEntry, Error> {
    let Some(id) = record.id("id") else {
        let message = "ConnectWise answered with a time entry that has no id";
        return Err(Error::new(Code::Unavailable, message).because("shape"));
    };
    let billable = record.text("billableOption");
    Ok(TimeEntry {
        id,
        ticket: record.id("chargeToId"),
        member: record.reference("member"),
        started_at: record.text("timeStart"),
        ended_at: record.text("timeEnd"),
        hours: record.float("actualHours"),
        notes: record.text("notes").unwrap_or_default(),
        internal_notes: record.text("internalNotes").filter(|text| !text.is_empty()),
        billable: BILLABLE.iter().find(|(theirs, _)| billable.as_deref() == Some(*theirs)).map(|(_, ours)| *ours),
        work_type: record.reference("workType"),
        work_role: record.reference("workRole"),
        created_by: record.text("enteredBy"),
        created_at: record.text("dateEntered"),
        updated_at: record.info("lastUpdated"),
        raw: record.rest(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut AddTimeEntryRequest)) -> AddTimeEntryRequest {
        let mut request = AddTimeEntryRequest {
            ticket: "69".into(),
            member: None,
            started_at: "2026-01-31T10:00:00Z".into(),
            ended_at: "2026-01-31T10:30:00Z".into(),
            notes: "Checked the fuser.".into(),
            show_as: None,
            internal_notes: None,
            billable: None,
            work_type: None,
            work_role: None,
        };
        change(&mut request);
        request
    }

    #[test]
    fn an_entry_mails_nobody_and_says_every_flag() {
        for (show_as, flags) in [
            (None, (false, false, false)),
            (Some(Visibility::Public), (true, false, false)),
            (Some(Visibility::Internal), (false, true, false)),
            (Some(Visibility::Resolution), (false, false, true)),
        ] {
            let body = entry_body(&request(|request| request.show_as = show_as)).unwrap();
            let (detail, internal, resolution) = flags;
            assert_eq!(
                Value::Object(body),
                json!({"timeStart": "2026-01-31T10:00:00Z", "timeEnd": "2026-01-31T10:30:00Z",
                       "notes": "Checked the fuser.", "addToDetailDescriptionFlag": detail,
                       "addToInternalAnalysisFlag": internal, "addToResolutionFlag": resolution,
                       "emailContactFlag": false, "emailResourceFlag": false, "emailCcFlag": false})
            );
        }
        let body = entry_body(&request(|request| {
            (request.member, request.work_type) = (Some("176".into()), Some("3".into()));
            (request.work_role, request.billable) = (Some("11".into()), Some(Billable::DoNotBill));
            request.internal_notes = Some("A spare one is in the car.".into());
        }))
        .unwrap();
        assert_eq!(
            (&body["member"], &body["workType"], &body["workRole"]),
            (&json!({"id": 176}), &json!({"id": 3}), &json!({"id": 11}))
        );
        assert_eq!(
            (&body["billableOption"], &body["internalNotes"]),
            (&json!("DoNotBill"), &json!("A spare one is in the car."))
        );
    }

    #[test]
    fn what_cannot_be_counted_or_kept_is_refused_by_its_field() {
        type Row = (fn(&mut AddTimeEntryRequest), &'static str);
        let rows: [Row; 10] = [
            (|request| request.started_at = "2026-01-31T10:00:00.000Z".into(), "/started_at"),
            (|request| request.started_at = "2026-02-30T10:00:00Z".into(), "/started_at"),
            (|request| request.ended_at = "2026-01-31T10:30:00+01:00".into(), "/ended_at"),
            (|request| request.ended_at = request.started_at.clone(), "/ended_at"),
            (|request| request.ended_at = "2026-01-31T09:59:59Z".into(), "/ended_at"),
            (|request| request.notes = "x".repeat(TEXT_CHARS_MAX + 1), "/notes"),
            (|request| request.internal_notes = Some("x".repeat(TEXT_CHARS_MAX + 1)), "/internal_notes"),
            (|request| (request.notes, request.show_as) = (" ".into(), Some(Visibility::Public)), "/notes"),
            (|request| request.member = Some("jdoe".into()), "/member"),
            (|request| request.work_role = Some("0".into()), "/work_role"),
        ];
        for (change, at) in rows {
            assert_eq!(entry_body(&request(change)).unwrap_err().fields[0].at, at);
        }
    }

    #[test]
    fn an_entry_is_read_with_their_hours() {
        let kept: Vec<Value> = serde_json::from_str(include_str!("../tests/kept/time-entries.json")).unwrap();
        let entry = |position: usize| entry_from(Record::of(kept[position].clone()).unwrap()).unwrap();
        let first = entry(0);
        assert_eq!((first.id.as_str(), first.ticket.as_deref(), first.hours), ("2", Some("69"), Some(1.75)));
        assert_eq!((first.billable, first.work_type.unwrap().id.as_str()), (Some(Billable::Billable), "3"));
        assert_eq!((first.member.unwrap().id.as_str(), first.created_by.as_deref()), ("176", Some("user10")));
        assert_eq!(first.raw.get("addToInternalAnalysisFlag"), Some(json!(true)));
        let bare = entry(1);
        assert_eq!((bare.billable, bare.hours, bare.notes.as_str()), (None, None, ""));
    }

    /// One entry of another ticket that could not be read took the whole page with it.
    #[test]
    fn only_what_is_of_the_ticket_is_read() {
        let entry = |record: Value| entry_of(69, Some(4), Record::of(record).unwrap());
        assert_eq!(entry(json!({"id": 5, "chargeToId": 69})).unwrap().unwrap().id, "5");
        assert_eq!(entry(json!({"id": 5})).unwrap().unwrap().ticket, None);
        for other in [json!({"id": 5, "chargeToId": 70}), json!({"chargeToId": 70}), json!({"id": 4, "chargeToId": 69})]
        {
            assert_eq!(entry(other.clone()).unwrap(), None, "{other}");
        }
        for ours in [json!({"chargeToId": 69}), json!({})] {
            assert_eq!(entry(ours.clone()).unwrap_err().reason.as_deref(), Some("shape"), "{ours}");
        }
    }
}
