//! Documents: forms in, bytes out.

use crate::client::{Answer, BASE, Client};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

pub(crate) fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    if let Some((name, bytes)) = file {
        body.extend(format!("--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0undary--\r\n");
    body
}

/// Status, head and body of any exchange.
fn exchange(client: &Client, method: &str, path: &str, more: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(client.simulator.text("url").trim_start_matches("http://")).unwrap();
    let head = format!(
        "{method} {BASE}{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{}{more}\r\n",
        body.len(),
        client.headers
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head, bytes[end + 4..].to_vec())
}

fn post(client: &Client, path: &str, body: &[u8]) -> Answer {
    let typed = "content-type: multipart/form-data; boundary=b0undary\r\n";
    let (status, head, body) = exchange(client, "POST", path, typed, body);
    Answer { status, head: head.to_lowercase(), body: String::from_utf8(body).unwrap() }
}

pub(crate) fn upload(client: &Client, body: &[u8]) -> Answer {
    post(client, "/system/documents", body)
}

const TICKET: [(&str, &str); 3] = [("recordType", "Ticket"), ("recordId", "1001"), ("title", "A picture")];

fn kept(client: &Client) -> Vec<Value> {
    client.simulator.control("GET", "documents", None).unwrap()["items"].as_array().unwrap().clone()
}

#[test]
fn a_document_comes_back_as_it_went_in() {
    let client = Client::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).chain(*b"\r\n--b0undar\r\n\r\n--").collect();
    let made = upload(
        &client,
        &form(&[TICKET.as_slice(), &[("privateFlag", "True")]].concat(), Some(("scr een.PNG", &bytes))),
    );
    let record = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    for (path, value) in [
        ("/title", json!("A picture")),
        ("/fileName", json!("scr een.PNG")),
        ("/size", json!(bytes.len())),
        ("/publicFlag", json!(false)),
        ("/readOnlyFlag", json!(false)),
        ("/imageFlag", json!(true)),
        ("/owner", json!("psabridge")),
    ] {
        assert_eq!(record.pointer(path), Some(&value), "{path}");
    }
    let id = &record["id"];
    let path = format!("/system/documents/{id}/download");
    let (status, head, body) = exchange(&client, "GET", &path, "accept: */*\r\n", b"");
    assert_eq!((status, &body), (200, &bytes));
    assert!(head.contains("attachment; filename=\"scr een.PNG\""), "{head}");
    client.door("POST", "switches", json!({"filename_unquoted": true}));
    let (_, head, _) = exchange(&client, "GET", &path, "", b"");
    assert!(head.contains("attachment; filename=scr een.PNG\r\n"), "{head}");
    assert_eq!(exchange(&client, "GET", &path, "accept: application/json\r\n", b"").0, 406);
    assert_eq!(client.get(&format!("/system/documents/{id}")).json(), record);
    let shown = &kept(&client)[0];
    assert_eq!((&shown["private"], &shown["record"]), (&json!(true), &json!({"type": "Ticket", "id": 1001})));
    // Who does not say it is private has published it.
    assert_eq!(upload(&client, &form(&TICKET, Some(("a.txt", b"")))).json()["publicFlag"], true);
    let log = json!(client.simulator.log().unwrap()).to_string();
    assert!(log.contains("form_bytes") && !log.contains("b0undar\\r"), "the log holds no files");
}

#[test]
fn documents_are_listed_by_their_record() {
    let client = Client::new();
    let hello = form(&TICKET, Some(("a.txt", b"hello")));
    let first = upload(&client, &hello).json()["id"].clone();
    let project = [("recordType", "ticket"), ("recordId", "1010"), ("title", "t")];
    upload(&client, &form(&project, Some(("b.txt", b"x"))));
    let link = [
        ("recordType", "Company"),
        ("recordId", "2"),
        ("title", "t"),
        ("url", "https://example.com"),
        ("readOnlyFlay", "true"),
    ];
    let link = upload(&client, &form(&link, None)).json();
    assert_eq!((&link["urlFlag"], &link["readOnlyFlag"]), (&json!(true), &json!(true)));
    let list = "/system/documents?recordType=Ticket&recordId=1001";
    assert_eq!(json!(client.get(list).ids()), json!([first]));
    assert_eq!(client.get("/system/documents/count?recordType=ticket&recordId=1010").json()["count"], 1);
    assert_eq!(json!(client.list("/service/tickets/1001/documents")), json!([{"id": first, "name": "A picture"}]));
    assert_eq!(client.get("/service/tickets/1001/documents/count").json()["count"], 1);
    for query in ["", "?recordType=Ticket", "?recordId=1001", "?conditions=id%3D1"] {
        assert_eq!(client.get(&format!("/system/documents{query}")).status, 400, "{query}");
    }
    let changed =
        post(&client, &format!("/system/documents/{first}"), &form(&[("title", "New"), ("privateFlag", "true")], None));
    assert_eq!(
        (changed.status, &changed.json()["title"], &changed.json()["publicFlag"]),
        (200, &json!("New"), &json!(false))
    );
    // The one of "hello", which stays when only the title is changed.
    assert_eq!(kept(&client)[0]["sha256"], "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    let path = format!("{BASE}/system/documents/{first}");
    assert_eq!(client.send("DELETE", &path, &client.headers, "").unwrap().status, 204);
    assert_eq!(client.get(&format!("/system/documents/{first}")).error(), (404, "NotFound".to_owned()));
    assert!(client.get(list).ids().is_empty());
}

#[test]
fn what_is_no_form_of_a_document_is_refused() {
    let client = Client::new();
    let json = client.json("POST", "/system/documents", &json!({"title": "x"}));
    assert!(
        json.status == 415 && json.body.contains("media type 'application/json' is not supported"),
        "{}",
        json.body
    );
    let without = |name: &str| TICKET.into_iter().filter(|(field, _)| *field != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| {
        let mut fields = without(name);
        fields.push((name, value));
        fields
    };
    let file: Option<(&str, &[u8])> = Some(("a.txt", b"a"));
    for (fields, file, part) in [
        (without("recordType"), file, "recordType"),
        (without("recordId"), file, "recordId"),
        (without("title"), file, "title"),
        (TICKET.to_vec(), None, "file"),
        (TICKET.to_vec(), Some(("", b"a".as_slice())), "file name"),
        (with("recordType", "Tickets"), file, "Error converting"),
        (with("recordId", "x"), file, "Error converting"),
        (with("recordId", "99"), file, "Ticket 99 not found"),
        (with("privateFlag", "yes"), file, "Error converting"),
        (with("visibility", "private"), file, "Could not find member 'visibility'"),
        ([TICKET.as_slice(), &[("title", "again")]].concat(), file, "twice"),
    ] {
        let refused = upload(&client, &form(&fields, file));
        assert!(refused.status == 400 && refused.body.contains(part), "{part}: {} {}", refused.status, refused.body);
    }
    let whole = form(&TICKET, file);
    let cut = upload(&client, &whole[..whole.len() - 20]);
    assert!(cut.status == 400 && cut.body.contains("last boundary"), "{}", cut.body);
    client.door("POST", "switches", json!({"document_bytes_max": 4}));
    assert_eq!(upload(&client, &form(&TICKET, Some(("a", b"12345")))).status, 413);
    assert_eq!(upload(&client, &form(&TICKET, Some(("a", b"1234")))).status, 201);
    assert_eq!(kept(&client).len(), 1);
}

#[test]
fn a_large_document_is_taken_and_faults_strike_documents() {
    let client = Client::new();
    let mut large = b"\r\n--".repeat(1000);
    large.resize(64 << 20, b'x');
    let made = upload(&client, &form(&TICKET, Some(("large.bin", &large)))).json();
    assert_eq!(made["size"], 64 << 20);
    let (_, _, body) = exchange(&client, "GET", &format!("/system/documents/{}/download", made["id"]), "", b"");
    assert!(body == large, "{} bytes came back", body.len());
    let small = form(&TICKET, Some(("a.txt", b"a")));
    client.fault("add_document", "error_500_after_commit", json!({}));
    assert_eq!(upload(&client, &small).status, 500);
    client.fault("add_document", "late_listing", json!({"ms": 600_000}));
    assert_eq!(upload(&client, &small).status, 201);
    assert_eq!(client.get("/system/documents?recordType=Ticket&recordId=1001").ids().len(), 2);
    for (endpoint, path) in [
        ("list_documents", "/system/documents?recordType=Ticket&recordId=1001".to_owned()),
        ("get_document", format!("/system/documents/{}", made["id"])),
        ("download_document", format!("/system/documents/{}/download", made["id"])),
    ] {
        client.fault(endpoint, "html_503", json!({}));
        assert_eq!(client.get(&path).status, 503, "{endpoint}");
    }
}
