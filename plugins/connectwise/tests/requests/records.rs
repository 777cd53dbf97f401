//! Sites, configurations, the audit trail, and catalogues.

use crate::{BASE, scene};
use psa_connectwise::ConnectWise;
use psa_host_api::model::{CatalogEntry, CatalogKind, Company, Configuration, Page, PageRequest};
use psa_host_api::ops::{
    ListAuditTrailRequest, ListCatalogRequest, ListConfigurationsRequest, ListSitesRequest, SearchCompaniesRequest,
};
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::{Code, Error};

const NUMBERED: &str = "pageSize=100&orderBy=id%20asc&page=1";

#[test]
fn sites_are_those_of_a_company() {
    let (host, provider) = scene();
    let line = format!("GET {BASE}/company/companies/2/sites?{NUMBERED}");
    host.answer(&line, 200, r#"[{"id":9,"name":"Main","city":"Atlanta","primaryAddressFlag":true}]"#);
    let request = ListSitesRequest { company: "2".into(), page: PageRequest::default() };
    let page = host.run(async |cx| provider.list_sites(cx, request).await).unwrap();
    assert_eq!((page.items[0].name.as_str(), page.items[0].address.as_deref()), ("Main", Some("Atlanta")));
}

fn configurations(
    host: &TestHost,
    provider: &ConnectWise,
    change: impl FnOnce(&mut ListConfigurationsRequest),
) -> Result<Page<Configuration>, Error> {
    let mut request = ListConfigurationsRequest::default();
    change(&mut request);
    host.run(async |cx| provider.list_configurations(cx, request).await)
}

#[test]
fn configurations_are_those_of_a_company_or_a_ticket() {
    let (host, provider) = scene();
    let conditions = "conditions=name%20contains%20%22PRN%22%20and%20company%2Fid%3D2";
    let line = format!("GET {BASE}/company/configurations?{conditions}&{NUMBERED}");
    host.answer(&line, 200, r#"[{"id":7,"name":"PRN-3","activeFlag":true}]"#);
    let page = configurations(&host, &provider, |request| {
        (request.text, request.company) = (Some("\"PRN".into()), Some("2".into()));
    });
    assert_eq!(page.unwrap().items[0].name, "PRN-3");
    host.answer(&format!("GET {BASE}/company/configurations?{NUMBERED}"), 200, "[]");
    assert!(configurations(&host, &provider, |_| {}).unwrap().items.is_empty());

    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69}"#);
    let line = format!("GET {BASE}/service/tickets/69/configurations?{NUMBERED}");
    host.answer(&line, 200, r#"[{"id":7,"deviceIdentifier":"ABC"}]"#);
    let page = configurations(&host, &provider, |request| request.ticket = Some("69".into()));
    assert_eq!(page.unwrap().items[0].name, "ABC");
    let both = configurations(&host, &provider, |request| {
        (request.ticket, request.company) = (Some("69".into()), Some("2".into()));
    });
    assert_eq!(both.unwrap_err().fields[0].at, "/company");

    host.answer(&format!("GET {BASE}/service/tickets/70"), 404, r#"{"code":"NotFound","message":"gone"}"#);
    host.answer(&format!("GET {BASE}/project/tickets/70"), 200, r#"{"id":70}"#);
    let project = configurations(&host, &provider, |request| request.ticket = Some("70".into()));
    assert_eq!(project.unwrap_err().fields[0].at, "/ticket");
}

#[test]
fn the_audit_trail_is_read_by_page_numbers() {
    let (host, provider) = scene();
    let line = |page: u32| {
        format!("GET {BASE}/system/audittrail?type=Ticket&id=69&pageSize=1&orderBy=enteredDate%20asc&page={page}")
    };
    let entry = r#"[{"text":"Status changed","enteredDate":"2026-01-31T12:00:00Z","enteredBy":"jdoe",
                     "auditType":"Ticket","auditSubType":"Status","auditSource":"API"}]"#;
    host.answer(&line(1), 200, entry).answer(&line(2), 200, "[]");
    let list = |cursor: Option<String>| {
        let page = PageRequest { cursor, limit: Some(1) };
        let request = ListAuditTrailRequest { ticket: "69".into(), page };
        host.run(async |cx| provider.list_audit_trail(cx, request).await)
    };
    let first = list(None).unwrap();
    let entry = &first.items[0];
    assert_eq!(
        (entry.text.as_str(), entry.by.as_deref(), entry.kind.as_deref()),
        ("Status changed", Some("jdoe"), Some("Ticket"))
    );
    assert_eq!(
        (entry.at.as_deref(), entry.raw.get("auditSubType")),
        (Some("2026-01-31T12:00:00Z"), Some("Status".into()))
    );
    let last = list(first.next).unwrap();
    assert!(last.items.is_empty() && last.next.is_none());
    assert!(list(Some("after:5".into())).is_err());
    assert!(host.sent().iter().all(|sent| sent.headers.iter().all(|(name, ..)| name != "pagination-type")));
}

#[test]
fn catalogues_are_read_from_their_own_lists() {
    let rows: [(CatalogKind, Option<&str>, &str, &str); 7] = [
        (
            CatalogKind::Subtypes,
            Some("1"),
            "service/boards/1/subtypes",
            r#"{"id":1,"name":"Repair","inactiveFlag":true,"typeAssociationIds":[30,31],"board":{"id":1,"name":"A"}}"#,
        ),
        (CatalogKind::Items, Some("1"), "service/boards/1/items", r#"{"id":1,"name":"Repair","board":{"id":1}}"#),
        // Teams name their board by its id alone.
        (CatalogKind::Teams, Some("1"), "service/boards/1/teams", r#"{"id":1,"name":"Repair","boardId":1}"#),
        (CatalogKind::Sources, None, "service/sources", r#"{"id":1,"name":"Repair","defaultFlag":true}"#),
        (CatalogKind::WorkTypes, None, "time/workTypes", r#"{"id":1,"name":"Repair","billTime":"Billable"}"#),
        (CatalogKind::WorkRoles, None, "time/workRoles", r#"{"id":1,"name":"Repair","locationIds":[2]}"#),
        (
            CatalogKind::TicketFields,
            None,
            "system/userDefinedFields",
            r#"{"id":1,"caption":"Repair","fieldTypeIdentifier":"Text","requiredFlag":true,
                "options":[{"id":5,"optionValue":"yes"},{"id":6,"optionValue":"no"}]}"#,
        ),
    ];
    for (kind, scope, path, record) in rows {
        let (host, provider) = scene();
        host.answer(&format!("GET {BASE}/{path}?pageSize=100"), 200, format!("[{record}]"));
        let list = |scope: Option<&str>| {
            let request = ListCatalogRequest { kind, scope: scope.map(str::to_owned), page: PageRequest::default() };
            host.run(async |cx| provider.list_catalog(cx, request).await)
        };
        let page = list(scope).unwrap();
        match &page.items[0] {
            CatalogEntry::Item(item) => {
                assert_eq!((item.id.as_str(), item.name.as_str()), ("1", "Repair"), "{kind:?}");
                assert_eq!(item.board.as_ref().map(|board| board.id.as_str()), scope, "{kind:?}");
                let subtype = kind == CatalogKind::Subtypes;
                assert_eq!((item.below == ["30", "31"], item.inactive), (subtype, subtype), "{kind:?}");
                assert_eq!(item.is_default, kind == CatalogKind::Sources, "{kind:?}");
            }
            CatalogEntry::Field(field) => {
                assert_eq!((field.id.as_str(), field.name.as_str(), field.required), ("1", "Repair", true));
                assert_eq!(
                    (field.holds.as_str(), field.options.as_slice()),
                    ("Text", &["yes".into(), "no".into()][..])
                );
            }
            other => panic!("{kind:?}: {other:?}"),
        }
        if scope.is_some() {
            assert_eq!(list(None).unwrap_err().fields[0].at, "/scope", "{kind:?}");
        }
    }
}

fn companies(body: &str) -> Result<Page<Company>, Error> {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/company/companies?{NUMBERED}"), 200, body);
    host.run(async |cx| provider.search_companies(cx, SearchCompaniesRequest::default()).await)
}

#[test]
fn what_has_no_word_of_ours_stays_as_it_was_written() {
    for (body, raw) in [
        (r#"[ {"id":2,"rate" : 1.50,"no":null,"\u0079":{ "z":1,"a":[]}} ]"#, r#"{"rate":1.50,"y":{ "z":1,"a":[]}}"#),
        // Answers stand on one line.
        ("[{\"id\":2,\"x\":[1,\n2],\"a\":1.50}]", r#"{"a":1.5,"x":[1,2]}"#),
        // Said twice, the last counts; the whole list is read the other way then.
        (r#"[{"id":1,"id":2,"a":{"b":1,"b":2}}]"#, r#"{"a":{"b":2}}"#),
    ] {
        let page = companies(body).unwrap();
        assert_eq!(page.items[0].id, "2");
        assert_eq!(serde_json::to_string(&page.items[0].raw).unwrap(), raw);
    }
}

#[test]
fn a_list_is_refused_by_what_is_wrong_with_it() {
    for (body, reason, part) in [
        (r#"{"id":2}"#, "shape", "no list"),
        ("[2]", "shape", "no record"),
        (r#"[{"id":2}"#, "not_json", "EOF"),
        (r#"[{"id":2,"a":"\ud800"}]"#, "not_json", "hex escape"),
        (r#"[{"id":2,"a":1e999}]"#, "not_json", "out of range"),
    ] {
        let error = companies(body).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some(reason)), "{body}");
        assert!(error.message.contains(part), "{body}: {}", error.message);
    }
}
