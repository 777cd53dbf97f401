//! Callbacks that are forged or damaged, each with the reason it is refused for.

use crate::callbacks::{KEY, KEY_ID, key_url, signature, signed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use psa_host_api::ops::ReceiveCallbackRequest;
use serde_json::{Value, json};
use sha2::Sha256;

const OTHER_ID: &str = "00000000-0000-4000-8000-000000000003";

/// What the plugin is to say, and how it is made.
pub type Forgery = (&'static str, Box<dyn Fn() -> ReceiveCallbackRequest>);

fn of_body(reason: &'static str, change: impl Fn(&mut Value) + 'static) -> Forgery {
    (reason, Box::new(move || signed(&change)))
}

fn of_member(reason: &'static str, name: &'static str, value: Value) -> Forgery {
    of_body(reason, move |body| body[name] = value.clone())
}

fn of_key_url(reason: &'static str, url: &str) -> Forgery {
    let url = url.to_owned();
    of_body(reason, move |body| body["Metadata"]["key_url"] = json!(url))
}

fn of_request(reason: &'static str, change: impl Fn(&mut ReceiveCallbackRequest) + 'static) -> Forgery {
    (
        reason,
        Box::new(move || {
            let mut request = signed(|_| {});
            change(&mut request);
            request
        }),
    )
}

fn of_bytes(reason: &'static str, change: impl Fn(Vec<u8>) -> Vec<u8> + 'static) -> Forgery {
    of_request(reason, move |request| request.body = STANDARD.encode(change(STANDARD.decode(&request.body).unwrap())))
}

/// Bytes that are no message, with their own good signature.
fn of_other_bytes(reason: &'static str, bytes: &'static [u8]) -> Forgery {
    of_request(reason, move |request| {
        request.headers[0].1 = signature(KEY, bytes);
        request.body = STANDARD.encode(bytes);
    })
}

fn of_signature(reason: &'static str, change: impl Fn(String) -> String + 'static) -> Forgery {
    of_request(reason, move |request| request.headers[0].1 = change(request.headers[0].1.clone()))
}

fn of_query(query: &'static str) -> Forgery {
    of_request("query_mismatch", move |request| request.query = query.to_owned())
}

/// Those of the signature, of the body, of the place of the key, of whom and what it speaks for.
pub fn forgeries() -> Vec<Forgery> {
    let good = key_url(KEY_ID);
    let url = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let host = "eu.myconnectwise.net";
    vec![
        // The signature.
        of_request("no_signature", |request| request.headers.clear()),
        of_request("no_signature", |request| request.headers[0].0 = "x-signature".into()),
        of_request("signature_form", |request| request.headers.push(request.headers[0].clone())),
        of_signature("signature_form", |_| String::new()),
        of_signature("signature_form", |good| good.trim_end_matches('=').into()),
        of_signature("signature_form", |good| format!(" {good}")),
        of_signature("signature_form", |good| format!("sha256={good}")),
        of_signature("signature_form", |good| STANDARD.encode(&STANDARD.decode(good).unwrap()[..31])),
        of_signature("signature_form", |good| STANDARD.encode([STANDARD.decode(good).unwrap(), vec![0]].concat())),
        of_signature("signature_form", |_| "00".repeat(32)),
        of_signature("signature", |_| STANDARD.encode([0; 32])),
        of_request("signature", |request| {
            let body = STANDARD.decode(&request.body).unwrap();
            request.headers[0].1 = signature("another key", &body);
        }),
        of_request("signature", |request| {
            // The key used as it is, without its hash.
            let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
            mac.update(&STANDARD.decode(&request.body).unwrap());
            request.headers[0].1 = STANDARD.encode(mac.finalize().into_bytes());
        }),
        // The body, changed after it was signed.
        of_bytes("signature", |body| [body, b" ".to_vec()].concat()),
        of_bytes("signature", |body| [b"\n".to_vec(), body].concat()),
        of_bytes("signature", |body| String::from_utf8(body).unwrap().replace("jdoe", "jdoa").into_bytes()),
        of_bytes("signature", |body| {
            serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&body).unwrap()).unwrap()
        }),
        of_bytes("not_json", |body| body[..body.len() - 1].to_vec()),
        of_bytes("not_json", |body| [b"\xef\xbb\xbf".to_vec(), body].concat()),
        of_bytes("too_large", |body| [body, vec![b' '; 1024 * 1024]].concat()),
        // Signed well, and no message.
        of_other_bytes("not_json", b""),
        of_other_bytes("not_json", b"[]"),
        of_other_bytes("not_json", b"\"text\""),
        of_other_bytes("not_json", b"{\"Type\":\"\xff\"}"),
        of_other_bytes("key_url", b"{}"),
        of_other_bytes("key_url", b"{\"Metadata\":\"x\"}"),
        of_other_bytes("key_url", b"{\"Metadata\":{\"key_url\":7}}"),
        // Where the key is said to be.
        of_key_url("key_url", ""),
        of_key_url("key_url", &url("https", "http")),
        of_key_url("key_url", &url("https", "HTTPS")),
        of_key_url("key_url", &url("https", "ftp")),
        of_key_url("key_url", &url("https://", "//")),
        of_key_url("key_url", &url(host, "evil.example")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net.evil.example")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net.")),
        of_key_url("key_url", &url(host, "na.myconnectwise.net")),
        of_key_url("key_url", &url(host, "sandbox-na.myconnectwise.net")),
        of_key_url("key_url", &url(host, "xeu.myconnectwise.net")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net:8443")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net:80")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net@evil.example")),
        of_key_url("key_url", &url(host, "user@eu.myconnectwise.net")),
        of_key_url("key_url", &url(host, "evil.example\\@eu.myconnectwise.net")),
        of_key_url("key_url", &url(host, "eu.myconnectwise.net\t")),
        of_key_url("key_url", &url(host, "127.0.0.1")),
        of_key_url("key_url", &url(host, "[::1]")),
        of_key_url("key_url", &format!("{good}#x")),
        of_key_url("key_url", &url("/system/", "/../system/")),
        of_key_url("key_url", &url("/system/", "/a/system/")),
        of_key_url("key_url", &url("v2025_1", "v2025%2f1")),
        of_key_url("key_url", &url("index.rails", "index.rails/x")),
        of_key_url("key_url", &url("callbackkey", "otherkey")),
        of_key_url("key_url", &url(KEY_ID, "1")),
        of_key_url("key_url", &url(KEY_ID, &format!("{KEY_ID}/../x"))),
        of_key_url("key_url", &format!("{good}&id={OTHER_ID}")),
        of_key_url("key_url", &format!("{good}&companyName=acme%2Fx")),
        of_key_url("key_url", &format!("{good}&x={}", "a".repeat(2000))),
        of_key_url("key_url", &url("companyName", "company")),
        of_key_url("other_company", &url("Acme%2FX", "northwind")),
        // Whom it speaks for, and of what.
        of_member("other_company", "CompanyId", json!("northwind")),
        of_member("other_company", "CompanyId", Value::Null),
        of_member("other_company", "CompanyId", json!(["acme/x"])),
        of_member("other_site", "FromUrl", json!("evil.example")),
        of_member("other_site", "FromUrl", json!("eu.myconnectwise.net@evil.example")),
        of_member("other_site", "FromUrl", json!("")),
        of_member("other_site", "FromUrl", json!(7)),
        of_member("other_kind", "Type", json!("member")),
        of_member("other_kind", "Type", Value::Null),
        of_member("no_id", "ID", json!("7601")),
        of_member("no_id", "ID", json!(0)),
        of_member("no_id", "ID", json!(-7601)),
        of_member("no_id", "ID", json!(7601.5)),
        of_member("no_action", "Action", Value::Null),
        of_query("recordId=7602&action=updated"),
        of_query("recordId=7601&action=deleted"),
        of_query("7602&action=updated"),
        of_query("recordId=7601&recordId=7602"),
        of_query("recordId="),
    ]
}
