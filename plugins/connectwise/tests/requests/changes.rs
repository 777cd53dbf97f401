//! Windows of changed tickets, and raw reads.

use crate::{BASE, scene};
use psa_connectwise::ConnectWise;
use psa_host_api::model::PageRequest;
use psa_host_api::ops::{ChangedTickets, ChangedTicketsRequest, RawRequest};
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::sdk::{Provider, Response};
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

const SINCE: &str = "2026-01-31T12:00:00Z";
const UNTIL: &str = "2026-01-31T12:05:00Z";
const DATE: &str = "Sat, 31 Jan 2026 12:05:30 GMT";
const INFO: &str = "{\"version\":\"v2025.1.99001\"}";

fn line(kind: &str, after: u64, size: u32) -> String {
    let more = if after > 0 { format!("%20and%20id%3E{after}") } else { String::new() };
    format!(
        "GET {BASE}/{kind}/tickets?conditions=lastUpdated%3E%3D%5B2026-01-31T12%3A00%3A00Z%5D%20and%20\
         lastUpdated%3C%3D%5B2026-01-31T12%3A05%3A00Z%5D{more}&orderBy=id%20asc&pageSize={size}&page=1"
    )
}

fn dated(status: u16, body: impl AsRef<[u8]>) -> Response {
    let headers = vec![("date".to_owned(), DATE.to_owned())];
    Response { status, headers, body: body.as_ref().to_vec() }
}

fn ask(host: &TestHost, provider: &ConnectWise, cursor: Option<String>, limit: u32) -> Result<ChangedTickets, Error> {
    let page = PageRequest { cursor, limit: Some(limit) };
    let request = ChangedTicketsRequest { since: SINCE.into(), until: Some(UNTIL.into()), page };
    host.run(async |cx| provider.changed_tickets(cx, request).await)
}

#[test]
fn two_thousand_tickets_of_one_second_come_completely_and_once() {
    let (host, provider) = scene();
    let page = |ids: std::ops::RangeInclusive<u64>| {
        let ticket = |id: u64| json!({"id": id, "summary": "x", "_info": {"lastUpdated": UNTIL}});
        Value::Array(ids.map(ticket).collect()).to_string()
    };
    for (number, after) in (0..20).map(|number| (number, number * 100)) {
        host.answer_with(&line("service", after, 100), dated(200, page(number * 100 + 1..=number * 100 + 100)));
    }
    host.answer_with(&line("service", 2000, 100), dated(200, "[]"));
    host.answer_with(&line("project", 0, 100), dated(200, page(5000..=5002)));
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = ask(&host, &provider, cursor, 100).unwrap();
        assert_eq!(page.server_time, "2026-01-31T12:05:30Z");
        ids.extend(page.items.into_iter().map(|ticket| (ticket.kind.unwrap(), ticket.id)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected = (1..=2000).map(|id| ("service".to_owned(), id.to_string()));
    assert_eq!(ids, expected.chain((5000..=5002).map(|id| ("project".to_owned(), id.to_string()))).collect::<Vec<_>>());
}

#[test]
fn what_is_outside_the_window_is_left_out_even_if_the_condition_is_ignored() {
    let (host, provider) = scene();
    let ticket = |id: u64, time: &str| json!({"id": id, "_info": {"lastUpdated": time}});
    let found = json!([ticket(1, "2026-01-31T11:59:59Z"), ticket(2, SINCE), ticket(3, UNTIL),
                       ticket(4, "2026-01-31T12:05:01Z"), {"id": 5}]);
    host.answer_with(&line("service", 0, 50), dated(200, found.to_string()));
    let page = ask(&host, &provider, None, 50).unwrap();
    assert_eq!(page.items.iter().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), ["2", "3", "5"]);
    assert_eq!(page.next.as_deref(), Some("project:after:0"));
    // A server that gives the same page for ever would keep us for ever.
    host.answer_with(&line("service", 5, 5), dated(200, found.to_string()));
    assert_eq!(ask(&host, &provider, Some("service:after:5".into()), 5).unwrap_err().reason.as_deref(), Some("shape"));
}

#[test]
fn who_may_not_see_project_tickets_has_none() {
    let (host, provider) = scene();
    let security = r#"{"code":"Security","message":"no"}"#;
    host.answer_with(&line("project", 0, 50), dated(403, security));
    host.answer_with(&line("service", 0, 50), dated(403, security));
    host.answer_with(&format!("GET {BASE}/system/info"), dated(200, INFO));
    let page = ask(&host, &provider, Some("project:after:0".into()), 50).unwrap();
    assert!(page.items.is_empty() && page.next.is_none() && page.server_time == "2026-01-31T12:05:30Z");
    assert_eq!(ask(&host, &provider, None, 50).unwrap_err().code, Code::Forbidden);
}

#[test]
fn without_an_end_only_the_time_is_asked_for() {
    let (host, provider) = scene();
    host.answer_with(&format!("GET {BASE}/system/info"), dated(200, INFO));
    let now = |since: &str| {
        let request = ChangedTicketsRequest { since: since.into(), until: None, page: PageRequest::default() };
        host.run(async |cx| provider.changed_tickets(cx, request).await)
    };
    let answer = now(SINCE).unwrap();
    assert_eq!((answer.server_time.as_str(), answer.items.len(), answer.next), ("2026-01-31T12:05:30Z", 0, None));
    assert_eq!(host.sent().len(), 2);
    assert_eq!(now("2026-01-31T12:00:00.5Z").unwrap_err().fields[0].at, "/since");
}

#[test]
fn a_window_without_their_time_or_with_a_foreign_cursor_is_refused() {
    let (host, provider) = scene();
    host.answer(&line("service", 0, 50), 200, "[]");
    let error = ask(&host, &provider, None, 50).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("no_date")));
    for cursor in ["", "after:5", "sales:after:5", "service:after:", "service:after:x", "service:page:2"] {
        let error = ask(&host, &provider, Some(cursor.into()), 50).unwrap_err();
        assert_eq!(error.reason.as_deref(), Some("cursor"), "{cursor}");
    }
    let page = PageRequest::default();
    let request = ChangedTicketsRequest { since: UNTIL.into(), until: Some(SINCE.into()), page };
    let outcome = host.run(async |cx| provider.changed_tickets(cx, request).await);
    assert_eq!(outcome.unwrap_err().fields[0].at, "/until");
}

#[test]
fn a_raw_read_is_encoded_and_leads_to_its_next_page() {
    let (host, provider) = scene();
    let link = ("link".to_owned(), "<https://evil.example/x?page=2>; rel=\"next\"".to_owned());
    let body = br#"[{"id":1}]"#.to_vec();
    let first = format!("GET {BASE}/service/boards/1/teams?conditions=name%3D%22a%26b%22&page=1");
    host.answer_with(&first, Response { status: 200, headers: vec![link], body: body.clone() });
    let forward = format!("GET {BASE}/service/boards/1/teams?pageId=7");
    host.answer_with(&forward, Response { status: 200, headers: vec![("link".into(), String::new())], body });
    let read = |path: &str, query: &[(&str, &str)]| {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = RawRequest { path: path.into(), query };
        host.run(async |cx| provider.raw(cx, request).await)
    };
    let answer = read("service/boards/1/teams", &[("conditions", "name=\"a&b\""), ("page", "1")]).unwrap();
    assert_eq!(answer.value, json!([{"id": 1}]));
    let next = [("conditions".to_owned(), "name=\"a&b\"".to_owned()), ("page".to_owned(), "2".to_owned())];
    assert_eq!(answer.next, next);
    assert!(read("service/boards/1/teams", &[("pageId", "7")]).unwrap().next.is_empty());
    let sent = host.sent().last().unwrap().clone();
    assert!(sent.method == "GET" && sent.headers.iter().any(|(name, ..)| name == "pagination-type"));
    let before = host.sent().len();
    assert_eq!(read("../login", &[]).unwrap_err().fields[0].at, "/path");
    assert_eq!(host.sent().len(), before);
}
