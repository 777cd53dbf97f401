//! Notes, conversations and time.

use crate::{BASE, scene};
use psa_connectwise::ConnectWise;
use psa_host_api::model::{ConversationEntry, ConversationKind, Page, PageRequest, Visibility};
use psa_host_api::ops::{
    AddTimeEntryRequest, GetNoteRequest, ListConversationRequest, ListNotesRequest, ListTimeEntriesRequest,
};
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::sdk::{Provider, Response};
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

const MISSING: &str = r#"{"code":"NotFound","message":"Ticket 69 not found"}"#;
const NO_ENDPOINT: &str = r#"{"code":"ConnectWiseApi","message":"The requested endpoint does not exist"}"#;

/// A service ticket, number 69.
fn ticket() -> (TestHost, ConnectWise) {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69}"#);
    (host, provider)
}

/// The same, of a project.
fn project_ticket() -> (TestHost, ConnectWise) {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 404, MISSING);
    host.answer(&format!("GET {BASE}/project/tickets/69"), 200, r#"{"id":69}"#);
    (host, provider)
}

fn forward(link: &str, body: &str) -> Response {
    Response { status: 200, headers: vec![("link".into(), link.into())], body: body.into() }
}

#[test]
fn notes_after_one_are_asked_for_by_a_condition_on_every_page() {
    let (host, provider) = ticket();
    let notes = format!("GET {BASE}/service/tickets/69/notes?conditions=id%3E5&pageSize=2");
    let next = "<https://x.example/y?pageId=7>; rel=\"next\"";
    host.answer_with(&notes, forward(next, r#"[{"id":4,"text":"old"},{"id":6,"text":"x"},{"id":7,"text":"y"}]"#));
    host.answer_with(&format!("{notes}&pageId=7"), forward("", r#"[{"id":9,"text":"z"}]"#));
    let list = |cursor: Option<String>| {
        let page = PageRequest { cursor, limit: Some(2) };
        let request = ListNotesRequest { ticket: "69".into(), after: Some("5".into()), page };
        host.run(async |cx| provider.list_notes(cx, request).await).unwrap()
    };
    let ids =
        |page: &Page<psa_host_api::model::Note>| page.items.iter().map(|note| note.id.clone()).collect::<Vec<_>>();
    let first = list(None);
    // The one before would be told twice if the condition were ignored.
    assert_eq!(ids(&first), ["6", "7"]);
    let second = list(first.next);
    assert_eq!((ids(&second), second.next), (vec!["9".to_owned()], None));
    let request = ListNotesRequest { ticket: "69".into(), after: Some("x".into()), page: PageRequest::default() };
    assert_eq!(host.run(async |cx| provider.list_notes(cx, request).await).unwrap_err().fields[0].at, "/after");
}

#[test]
fn a_note_is_read_under_the_path_of_its_ticket() {
    let (host, provider) = project_ticket();
    let kept = r#"{"id":3,"ticketId":69,"text":"x","internalAnalysisFlag":true,"member":{"id":176,"name":"User"}}"#;
    host.answer(&format!("GET {BASE}/project/tickets/69/notes/3"), 200, kept);
    host.answer(&format!("GET {BASE}/project/tickets/69/notes/4"), 404, r#"{"code":"NotFound","message":"gone"}"#);
    let get = |note: &str| {
        let request = GetNoteRequest { ticket: "69".into(), note: note.into() };
        host.run(async |cx| provider.get_note(cx, request).await)
    };
    let note = get("3").unwrap();
    assert_eq!((note.id.as_str(), note.visibility), ("3", Visibility::Internal));
    assert_eq!(get("4").unwrap_err().code, Code::NotFound);
    assert_eq!(get("../5").unwrap_err().fields[0].at, "/note");
}

fn converse(host: &TestHost, provider: &ConnectWise, cursor: Option<String>) -> Result<Page<ConversationEntry>, Error> {
    let page = PageRequest { cursor, limit: Some(2) };
    let request = ListConversationRequest { ticket: "69".into(), page };
    host.run(async |cx| provider.list_conversation(cx, request).await)
}

fn keys(entries: &[ConversationEntry]) -> Vec<(ConversationKind, &str)> {
    entries.iter().map(|entry| (entry.kind, entry.id.as_str())).collect()
}

#[test]
fn a_conversation_is_read_by_page_numbers_because_its_ids_are_of_several_ranges() {
    let (host, provider) = ticket();
    let all = |page: u32| format!("GET {BASE}/service/tickets/69/allNotes?pageSize=2&orderBy=id%20asc&page={page}");
    host.answer(&all(1), 200, r#"[{"id":3,"noteType":"TicketNote"},{"id":3,"noteType":"TimeEntryNote"}]"#);
    host.answer(&all(2), 200, r#"[{"id":4,"noteType":"TicketNote"}]"#);
    let first = converse(&host, &provider, None).unwrap();
    assert_eq!(keys(&first.items), [(ConversationKind::Note, "3"), (ConversationKind::Time, "3")]);
    assert_eq!(first.next.as_deref(), Some("all/page:2"));
    let second = converse(&host, &provider, first.next).unwrap();
    assert_eq!((keys(&second.items), second.next), (vec![(ConversationKind::Note, "4")], None));
    assert!(host.sent().iter().all(|sent| sent.headers.iter().all(|(name, ..)| name != "pagination-type")));
    assert_eq!(converse(&host, &provider, Some("page:2".into())).unwrap_err().reason.as_deref(), Some("cursor"));
}

#[test]
fn an_older_server_gives_notes_and_then_time() {
    for (status, body) in [(404, NO_ENDPOINT), (405, ""), (404, MISSING)] {
        let (host, provider) = ticket();
        let all = format!("GET {BASE}/service/tickets/69/allNotes?pageSize=2&orderBy=id%20asc&page=1");
        host.answer(&all, status, body);
        let notes = format!("GET {BASE}/service/tickets/69/notes?pageSize=2");
        let next = "<https://x.example/y?pageId=4>; rel=\"next\"";
        let two = r#"[{"id":3,"text":"b","dateCreated":"2026-01-31T12:00:00Z"},
                      {"id":4,"text":"a","dateCreated":"2026-01-31T11:00:00Z","internalAnalysisFlag":true}]"#;
        host.answer_with(&notes, forward(next, two));
        host.answer_with(&format!("{notes}&pageId=4"), forward("", "[]"));
        let time = format!(
            "GET {BASE}/time/entries?conditions=chargeToId%3D69%20and%20chargeToType%3D%22ServiceTicket%22&pageSize=2"
        );
        let kept = include_str!("../kept/time-entries.json");
        host.answer_with(&time, forward("", kept));
        let (mut found, mut cursor, mut cursors) = (Vec::new(), None, Vec::new());
        loop {
            let page = converse(&host, &provider, cursor).unwrap();
            found.extend(page.items);
            let Some(next) = page.next else { break };
            cursors.push(next.clone());
            cursor = Some(next);
        }
        assert_eq!(cursors, ["notes/after:4", "time/"], "{status} {body}");
        use ConversationKind::{Note, Time};
        assert_eq!(keys(&found), [(Note, "4"), (Note, "3"), (Time, "2"), (Time, "5")]);
        use Visibility::{Internal, Public};
        let visible: Vec<_> = found.iter().map(|entry| entry.visibility).collect();
        assert_eq!(visible, [Internal, Public, Internal, Public]);
    }
}

#[test]
fn a_conversation_that_ends_in_the_middle_is_no_complete_one() {
    let (host, provider) = ticket();
    host.answer(
        &format!("GET {BASE}/service/tickets/69/allNotes?pageSize=2&orderBy=id%20asc&page=2"),
        404,
        NO_ENDPOINT,
    );
    let outcome = converse(&host, &provider, Some("all/page:2".into()));
    assert_eq!(outcome.unwrap_err().code, Code::Unsupported);
}

#[test]
fn time_of_a_project_ticket_is_asked_for_and_looked_at_again() {
    let (host, provider) = project_ticket();
    let conditions = "chargeToId%3D69%20and%20chargeToType%3D%22ProjectTicket%22%20and%20id%3E1";
    let line = format!("GET {BASE}/time/entries?conditions={conditions}&pageSize=100");
    let found = r#"[{"id":1,"chargeToId":69},{"id":2,"chargeToId":70},{"id":3,"chargeToId":69}]"#;
    host.answer_with(&line, forward("", found));
    let page = PageRequest::default();
    let request = ListTimeEntriesRequest { ticket: "69".into(), after: Some("1".into()), page };
    let page = host.run(async |cx| provider.list_time_entries(cx, request).await).unwrap();
    assert_eq!(page.items.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["3"]);
}

fn add_time(host: &TestHost, provider: &ConnectWise) -> Result<psa_host_api::model::TimeEntry, Error> {
    let request = AddTimeEntryRequest {
        ticket: "69".into(),
        member: Some("176".into()),
        started_at: "2026-01-31T10:00:00Z".into(),
        ended_at: "2026-01-31T10:30:00Z".into(),
        notes: "x".into(),
        show_as: Some(Visibility::Internal),
        internal_notes: None,
        billable: None,
        work_type: None,
        work_role: None,
    };
    host.run(async |cx| provider.add_time_entry(cx, request).await)
}

#[test]
fn time_is_one_post_that_is_charged_to_the_kind_of_its_ticket() {
    for ((host, provider), kind) in [(ticket(), "ServiceTicket"), (project_ticket(), "ProjectTicket")] {
        host.answer(&format!("POST {BASE}/time/entries"), 201, r#"{"id":5,"chargeToId":69,"actualHours":0.5}"#);
        let entry = add_time(&host, &provider).unwrap();
        assert_eq!((entry.id.as_str(), entry.hours), ("5", Some(0.5)));
        let posts: Vec<_> = host.sent().into_iter().filter(|sent| sent.method == "POST").collect();
        let [post] = posts.as_slice() else { panic!("{posts:?}") };
        let body: Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!((&body["chargeToId"], &body["chargeToType"]), (&json!(69), &json!(kind)));
        assert_eq!(body["member"], json!({"id": 176}));
    }
}

#[test]
fn time_of_a_ticket_that_was_converted_meanwhile_is_for_the_next_try() {
    let (host, provider) = scene();
    let service = format!("GET {BASE}/service/tickets/69");
    host.answer(&service, 200, r#"{"id":69}"#).answer(&service, 404, MISSING);
    host.answer(&format!("GET {BASE}/project/tickets/69"), 200, r#"{"id":69}"#);
    host.answer(&format!("POST {BASE}/time/entries"), 400, r#"{"code":"InvalidObject","message":"no such ticket"}"#);
    let error = add_time(&host, &provider).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("ticket_converted")));
    // Still refused, and of the same kind: then it is their last word.
    let error = add_time(&host, &provider).unwrap_err();
    assert_eq!((error.code, error.reason), (Code::Rejected, None));
}
