//! A small provider, driven through the C table that `export_plugin!` made for it.

use psa_host_api::abi::psa_plugin;
use psa_host_api::model::{Note, Ticket, Visibility};
use psa_host_api::ops::{AddNoteRequest, GetTicketRequest};
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::sdk::{Cx, Provider, Request, Response, Settings};
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

struct Acme {
    site: String,
}

impl Provider for Acme {
    const MANIFEST: &'static str = r#"{"id":"acme","name":"Acme","version":"1.0.0","form":{}}"#;

    fn open(settings: &Settings, _: &Cx) -> Result<Acme, Error> {
        match settings.get("site").and_then(Value::as_str) {
            Some("explode") => panic!("no such site"),
            Some(site) => Ok(Acme { site: site.into() }),
            None => Err(Error::invalid("site is missing").field("/site", "required", "Say where Acme is.")),
        }
    }

    async fn get_ticket(&self, cx: &Cx, request: GetTicketRequest) -> Result<Ticket, Error> {
        if request.ticket == "explode" {
            panic!("ticket of glass");
        }
        let key = format!("ticket/{}", request.ticket);
        if let Some(ticket) = cx.cache().get(&key)? {
            return Ok(ticket);
        }
        let address = format!("https://{}/tickets/{}", self.site, request.ticket);
        let answer = cx.http().send(Request::get(address).basic("me", "private_key")).await?;
        if request.ticket == "explode-later" {
            panic!("glass in the answer");
        }
        let ticket: Ticket = answer.json()?;
        cx.cache().put(&key, &ticket, 0)?;
        Ok(ticket)
    }

    async fn add_note(&self, cx: &Cx, request: AddNoteRequest) -> Result<Note, Error> {
        let address = format!("https://{}/tickets/{}/notes", self.site, request.ticket);
        let body = json!({"text": request.text});
        cx.http()
            .send(Request::post(address).secret_header("authorization", "Bearer ", "token").json(&body))
            .await?
            .json()
    }
}

psa_host_api::export_plugin!(Acme { get_ticket, add_note });

unsafe extern "C" {
    fn psa_plugin_entry(host_abi: u32) -> *const psa_plugin;
}

fn call(host: &TestHost, operation: &str, request: &Value) -> Result<Value, Error> {
    open_and_call(host, &json!({"site": "acme.example"}), operation, request)
}

fn open_and_call(host: &TestHost, settings: &Value, operation: &str, request: &Value) -> Result<Value, Error> {
    // SAFETY: the entry of the plugin in this file, made by export_plugin!.
    unsafe { host.call_table(psa_plugin_entry, settings, operation, request) }
}

const TICKET: &str = "GET https://acme.example/tickets/7";

#[test]
fn a_ticket_comes_back_through_the_table_and_the_request_names_its_secret() {
    let host = TestHost::new();
    host.answer(TICKET, 200, r#"{"id":"7","summary":"Printer on fire"}"#);
    let ticket = call(&host, "get_ticket", &json!({"ticket": "7"})).unwrap();
    assert_eq!((&ticket["id"], &ticket["summary"]), (&json!("7"), &json!("Printer on fire")));
    let sent = host.sent();
    assert_eq!(sent[0].headers, [("authorization".into(), "me".into(), "private_key".into())]);
}

#[test]
fn a_cached_ticket_is_not_fetched_again() {
    let host = TestHost::new();
    host.answer(TICKET, 200, r#"{"id":"7"}"#);
    for _ in 0..2 {
        call(&host, "get_ticket", &json!({"ticket": "7"})).unwrap();
    }
    assert_eq!(host.sent().iter().map(|sent| sent.line()).collect::<Vec<_>>(), [TICKET]);
}

#[test]
fn a_panic_ends_its_own_call_wherever_it_happens() {
    let host = TestHost::new();
    host.answer("GET https://acme.example/tickets/explode-later", 200, "{}");
    let by_open = open_and_call(&host, &json!({"site": "explode"}), "get_ticket", &json!({"ticket": "7"}));
    let at_start = call(&host, "get_ticket", &json!({"ticket": "explode"}));
    let later = call(&host, "get_ticket", &json!({"ticket": "explode-later"}));
    for (outcome, words) in [(by_open, "no such site"), (at_start, "ticket of glass"), (later, "glass in the answer")] {
        let error = outcome.unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Internal, Some("plugin_panicked")), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    host.answer(TICKET, 200, r#"{"id":"7"}"#);
    assert!(call(&host, "get_ticket", &json!({"ticket": "7"})).is_ok(), "the plugin works on");
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_what_and_where() {
    let host = TestHost::new();
    host.answer(TICKET, 200, "<html><title>Maintenance</title>");
    for (settings, operation, request, code, words) in [
        (json!({"site": "acme.example"}), "get_ticket", json!({"ticket": "7"}), Code::Unavailable, "Maintenance"),
        (json!({"site": "acme.example"}), "get_ticket", json!({"ticket": 7}), Code::InvalidArgument, "does not fit"),
        (json!({"site": "acme.example"}), "get_ticket", json!({}), Code::InvalidArgument, "ticket"),
        (json!({"site": "acme.example"}), "get_ticket", json!({"ticket": "8"}), Code::Unavailable, "HTTP request"),
        (
            json!({"site": "acme.example"}),
            "add_note",
            json!({"ticket": "7", "text": "x"}),
            Code::InvalidArgument,
            "visibility",
        ),
        (json!({"site": "acme.example"}), "list_members", json!({}), Code::Unsupported, "list_members"),
        (json!({}), "get_ticket", json!({"ticket": "7"}), Code::InvalidArgument, "site is missing"),
    ] {
        let error = open_and_call(&host, &settings, operation, &request).unwrap_err();
        assert_eq!(error.code, code, "{operation} {request}: {error}");
        assert!(error.message.contains(words), "{operation} {request}: {error}");
    }
}

#[test]
fn an_operation_runs_without_the_table_too() {
    let host = TestHost::new();
    let line = "POST https://acme.example/tickets/7/notes";
    let body = br#"{"id":"1","ticket":"7","text":"Checked the fuser.","visibility":"internal"}"#.to_vec();
    host.answer_with(line, Response { status: 201, headers: Vec::new(), body });
    let acme: Acme = host.open(json!({"site": "acme.example"})).unwrap();
    let text = "Checked the fuser.".to_string();
    let request = AddNoteRequest { ticket: "7".into(), visibility: Visibility::Internal, text, member: None };
    let note = host.run(async |cx| acme.add_note(cx, request).await).unwrap();
    assert_eq!(note.visibility, Visibility::Internal);
    assert_eq!(host.sent()[0].line(), line);
    assert_eq!(host.sent()[0].body, br#"{"text":"Checked the fuser."}"#);
}

#[test]
fn the_entry_gives_the_same_table_each_time_and_fits_the_layout() {
    // SAFETY: the entry of the plugin in this file.
    let tables: Vec<_> = (0..3).map(|_| unsafe { psa_plugin_entry(0x0001_FFFF) }).collect();
    assert!(tables.iter().all(|table| *table == tables[0] && !table.is_null()));
    assert_eq!(psa_host_api::abi::layout::compare(psa_host_api::abi::layout::layout()), Ok(()));
}
