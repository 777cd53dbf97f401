//! What a stranger sends to the door is listed with its reason, and makes nothing happen: forged signatures, forged
//! addresses of keys, and what contradicts itself or the connection. Damaged bodies are in `damaged`.

use psa_tests::forge::{Forge, Row, key_url};
use serde_json::{Value, json};

const UUID: &str = "00000000-0000-4000-8000-000000000002";

#[test]
fn a_signature_that_is_not_the_companys_is_refused() {
    let forge = Forge::new();
    let genuine = forge.genuine();
    let right = genuine.signature();
    let body = String::from_utf8(genuine.body).unwrap();
    let of = |signature: &str| json!({"body": body, "signature": signature});
    let theirs = key_url(&forge.scene, 1);
    let rows: [Row; 20] = [
        ("none", json!({"signature": "none"}), "no_signature"),
        ("empty", json!({"signature": "empty"}), "signature_form"),
        ("wrong", json!({"signature": "wrong"}), "signature"),
        ("a text", json!({"signature": "let me in"}), "signature_form"),
        ("zeros", of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "signature"),
        ("without its padding", of(right.trim_end_matches('=')), "signature_form"),
        ("twice", of(&format!("{right},{right}")), "signature_form"),
        ("named", of(&format!("sha256={right}")), "signature_form"),
        ("in hex", of(&"0a".repeat(32)), "signature_form"),
        ("too short", of("AAAA"), "signature_form"),
        ("too long", of(&"A".repeat(88)), "signature_form"),
        ("endless", of(&"A".repeat(15_000)), "signature_form"),
        ("of another message", json!({"signature": right}), "signature"),
        ("by a neighbour's key", json!({"sign_with": "contoso"}), "signature"),
        ("by a foreign key", json!({"sign_with": {"key": "guess"}}), "signature"),
        ("by an empty key", json!({"sign_with": {"key": ""}}), "signature"),
        ("a neighbour's message", json!({"company": "contoso"}), "other_company"),
        (
            "a neighbour's message that names our key",
            json!({"company": "contoso", "key_url": forge.key_url}),
            "other_company",
        ),
        (
            "a neighbour's message as if it were ours",
            json!({"company": "contoso", "key_url": forge.key_url, "fields": {"CompanyId": "acme"}}),
            "signature",
        ),
        ("ours with a neighbour's key", json!({"sign_with": "contoso", "key_url": theirs}), "other_company"),
    ];
    forge.all_refused(&rows);
    assert_eq!(forge.send(&json!({})), Some(204));
    assert_eq!(forge.judged(1)[0]["state"], "verified", "and a true one still is");
}

/// Addresses of keys that are not that of the company, each in a message that is signed with the right key.
fn addresses(forge: &Forge) -> Vec<(&'static str, String, &'static str)> {
    let own = &forge.key_url;
    let (before, id) = own.split_once("&id=").unwrap();
    let (site, behind) = own.split_at(own.match_indices('/').nth(2).unwrap().0);
    let codebase = behind.split('/').nth(1).unwrap();
    let (authority, port) = (site.trim_start_matches("https://"), forge.trap.port);
    let at = |site: &str| format!("{site}{behind}");
    let swap = |from: &str, to: &str| own.replacen(from, to, 1);
    let named = |company: &str| own.replacen("companyName=acme", company, 1);
    vec![
        ("another port", at(&format!("https://127.0.0.1:{port}")), "key_url"),
        ("another port in plain", at(&format!("http://127.0.0.1:{port}")), "key_url"),
        ("no port", at("https://127.0.0.1"), "key_url"),
        ("our site as the user", at(&format!("https://{authority}@127.0.0.1:{port}")), "key_url"),
        ("a user at our site", at(&format!("https://user:word@{authority}")), "key_url"),
        ("plain", at(&format!("http://{authority}")), "key_url"),
        ("another scheme", at(&format!("ftp://{authority}")), "key_url"),
        ("a scheme in capitals", at(&format!("HTTPS://{authority}")), "key_url"),
        ("no scheme", at(&format!("//{authority}")), "key_url"),
        ("a file", "file:///etc/passwd".into(), "key_url"),
        ("a fragment", format!("{own}#"), "key_url"),
        ("a fragment behind what is needed", format!("{own}&x=1#y"), "key_url"),
        ("a fragment before another host", at(&format!("https://{authority}#@127.0.0.1:{port}")), "key_url"),
        ("a question mark before another host", at(&format!("https://{authority}?@127.0.0.1:{port}")), "key_url"),
        ("a backslash before another host", at(&format!("https://{authority}\\@127.0.0.1:{port}")), "key_url"),
        ("another host", at("https://evil.example"), "key_url"),
        ("our site as a part of another", at(&format!("https://{authority}.evil.example")), "key_url"),
        ("a private address", at("https://10.0.0.1"), "key_url"),
        ("the cloud's own address", at("http://169.254.169.254"), "key_url"),
        ("a name of this machine", at(&format!("https://localhost:{port}")), "key_url"),
        ("IPv6", at(&format!("https://[::1]:{port}")), "key_url"),
        ("our address as IPv6", at(&format!("https://[::ffff:{}", authority.replacen(':', "]:", 1))), "key_url"),
        ("our address as a number", at(&format!("https://2130706433:{port}")), "key_url"),
        ("other full stops", at(&format!("https://{}", authority.replace('.', "\u{3002}"))), "key_url"),
        ("a name in punycode", at("https://xn--80ak6aa92e.example"), "key_url"),
        ("a dot behind the host", at(&format!("https://{}", authority.replacen(':', ".:", 1))), "key_url"),
        ("a blank", format!(" {own}"), "key_url"),
        ("a second line", own.replacen("&id=", "\r\nhost: evil.example\r\n&id=", 1), "key_url"),
        ("a redirect of the site", format!("{site}/redirect?to=https://127.0.0.1:{port}"), "key_url"),
        ("up from the site", swap(codebase, &format!("{codebase}/..")), "key_url"),
        ("up from the path", swap(codebase, ".."), "key_url"),
        ("up in escapes", swap(codebase, "%2e%2e"), "key_url"),
        ("another path", swap("/system/callbackkey", "/system/callbacks"), "key_url"),
        ("a path in capitals", swap("/system/", "/SYSTEM/"), "key_url"),
        ("more of a path", swap("index.rails", "index.rails/x"), "key_url"),
        ("endless", format!("{own}&x={}", "x".repeat(2_000)), "key_url"),
        ("no id", before.into(), "key_url"),
        ("an empty id", format!("{before}&id="), "key_url"),
        ("an id that is no UUID", format!("{before}&id=1"), "key_url"),
        ("an id that goes on", format!("{own}/../x"), "key_url"),
        ("two ids", format!("{own}&id={UUID}"), "key_url"),
        ("the same id twice", format!("{own}&id={id}"), "key_url"),
        ("an id with its name in escapes", format!("{own}&%69d={UUID}"), "key_url"),
        ("an unknown id", format!("{before}&id={UUID}"), "key_unknown"),
        ("a neighbour's name", named("companyName=contoso"), "other_company"),
        ("no name", named("x=acme"), "key_url"),
        ("two names", named("companyName=acme&companyName=contoso"), "key_url"),
        ("nothing", String::new(), "key_url"),
    ]
}

#[test]
fn an_address_of_a_key_that_is_not_the_companys_own_is_never_called() {
    let forge = Forge::new();
    let orders = addresses(&forge);
    let rows = orders.iter().map(|(name, url, reason)| (*name, json!({"key_url": url}), *reason));
    let mut rows: Vec<Row> = rows.collect();
    for (name, metadata) in [
        ("no metadata", Value::Null),
        ("metadata that is a text", json!(forge.key_url)),
        ("an address that is a list", json!({"key_url": [forge.key_url]})),
        ("an address that is a number", json!({"key_url": 1})),
    ] {
        rows.push((name, json!({"fields": {"Metadata": metadata}}), "key_url"));
    }
    forge.all_refused(&rows);
}

#[test]
fn unknown_keys_are_asked_for_a_few_times_a_minute_and_no_more() {
    let forge = Forge::new();
    let (before, _) = forge.key_url.split_once("&id=").unwrap();
    let rows: Vec<Row> = (0..30)
        .map(|number| {
            let order = json!({"key_url": format!("{before}&id=00000000-0000-4000-8000-{number:012x}")});
            ("unknown", order, if number < 10 { "key_unknown" } else { "too_many_keys" })
        })
        .collect();
    forge.all_refused(&rows);
    let log = forge.scene.simulator.log().unwrap();
    assert_eq!(log.iter().filter(|entry| entry["endpoint"] == "callback_key").count(), 10);
}

#[test]
fn what_contradicts_itself_or_the_connection_is_refused() {
    let forge = Forge::new();
    let with = |name: &str, value: Value| json!({"fields": {name: value}});
    let without = |name: &str| json!({"without": [name]});
    let query = |query: &str| json!({"query": query});
    let rows: [Row; 34] = [
        ("another type", json!({"type": "company"}), "other_kind"),
        ("a type that is none", json!({"type": "note"}), "other_kind"),
        ("a type that begins like ours", json!({"type": "tickets"}), "other_kind"),
        ("no type", without("Type"), "other_kind"),
        ("an empty type", with("Type", json!("")), "other_kind"),
        ("a type that is a number", with("Type", json!(1)), "other_kind"),
        ("a type that is a list", with("Type", json!(["ticket"])), "other_kind"),
        ("the message of a member", json!({"type": "member", "id": 176}), "other_kind"),
        ("another company", with("CompanyId", json!("contoso")), "other_company"),
        ("another company that begins like ours", with("CompanyId", json!("acme ")), "other_company"),
        ("no company", without("CompanyId"), "other_company"),
        ("a company that is a list", with("CompanyId", json!(["acme"])), "other_company"),
        ("another site", with("FromUrl", json!("psa.example")), "other_site"),
        ("a site that begins like ours", with("FromUrl", json!("127.0.0.1.example")), "other_site"),
        ("an empty site", with("FromUrl", json!("")), "other_site"),
        ("a site that is a number", with("FromUrl", json!(127)), "other_site"),
        ("an id that is a text", with("ID", json!("1001")), "no_id"),
        ("a negative id", with("ID", json!(-1001)), "no_id"),
        ("an id with a fraction", with("ID", json!(1001.5)), "no_id"),
        ("an id as a float", with("ID", json!(1001.0)), "no_id"),
        ("an id beyond all numbers", with("ID", json!(1e300)), "no_id"),
        ("id 0", with("ID", json!(0)), "no_id"),
        ("no id", without("ID"), "no_id"),
        ("an id that is an object", with("ID", json!({"id": 1001})), "no_id"),
        ("another id in the body", with("ID", json!(1002)), "query_mismatch"),
        ("another action in the body", with("Action", json!("deleted")), "query_mismatch"),
        ("no action", without("Action"), "no_action"),
        ("an empty action", with("Action", json!("")), "no_action"),
        ("an action that is a number", with("Action", json!(1)), "no_action"),
        ("another id in the address", query("1002&action=updated"), "query_mismatch"),
        ("another action in the address", query("1001&action=deleted"), "query_mismatch"),
        ("two ids in the address", query("1001&recordId=1002&action=updated"), "query_mismatch"),
        ("an id with more behind it", query("1001%20or%201=1&action=updated"), "query_mismatch"),
        ("no id in the address", query("&action=updated"), "query_mismatch"),
    ];
    forge.all_refused(&rows);
}
