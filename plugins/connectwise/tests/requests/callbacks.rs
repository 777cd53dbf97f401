//! Registrations, and what comes in.

use crate::forgeries::forgeries;
use crate::{BASE, scene, settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use psa_connectwise::ConnectWise;
use psa_host_api::model::{CallbackReceipt, ChangeAction, Verdict, WantedSubscription};
use psa_host_api::ops::{
    CreateSubscriptionRequest, DeleteSubscriptionRequest, DesiredSubscriptionsRequest, ListSubscriptionsRequest,
    Nothing, ReceiveCallbackRequest, UpdateSubscriptionRequest,
};
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const KEY: &str = "N0rthw1nd-Sample-Signing-Key";
pub const KEY_ID: &str = "00000000-0000-4000-8000-000000000002";

/// The only address a callback may lead to.
fn key_line(id: &str) -> String {
    format!("GET https://eu.myconnectwise.net/v4_6_release/system/callbackkey/index.rails?companyName=acme%2Fx&id={id}")
}

pub fn key_url(id: &str) -> String {
    format!("https://eu.myconnectwise.net/v2025_1//system/callbackkey/index.rails?companyName=Acme%2FX&id={id}")
}

pub fn signature(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&Sha256::digest(key.as_bytes())).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn body() -> Value {
    json!({"Action": "updated", "CompanyId": "Acme/X", "FromUrl": "eu.myconnectwise.net", "ID": 7601, "Type": "Ticket",
           "MemberId": "jdoe", "MessageId": "00000000-0000-4000-8000-000000000001", "CallbackObjectRecId": 1,
           "Entity": "{\"id\":1}", "ProductInstanceId": null, "Unheard": [1], "Metadata": {"key_url": key_url(KEY_ID)}})
}

/// A good one, signed after `change`.
pub fn signed(change: impl FnOnce(&mut Value)) -> ReceiveCallbackRequest {
    let mut value = body();
    change(&mut value);
    let bytes = serde_json::to_vec(&value).unwrap();
    ReceiveCallbackRequest {
        kind: "ticket".into(),
        level: "owner".into(),
        object: "1".into(),
        query: "recordId=7601&action=updated".into(),
        headers: vec![("x-content-signature".into(), signature(KEY, &bytes))],
        body: STANDARD.encode(bytes),
    }
}

fn site() -> (TestHost, ConnectWise) {
    let host = TestHost::new();
    host.answer(&key_line(KEY_ID), 200, json!({"signing_key": KEY}).to_string());
    let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
    (host, provider)
}

fn receive(host: &TestHost, provider: &ConnectWise, request: ReceiveCallbackRequest) -> Result<CallbackReceipt, Error> {
    host.run(async |cx| provider.receive_callback(cx, request).await)
}

#[test]
fn a_good_one_is_verified_with_one_fetch_of_its_key_and_without_the_api_keys() {
    let (host, provider) = site();
    for request in [
        signed(|_| {}),
        signed(|body| body["FromUrl"] = json!("sandbox-eu.myconnectwise.net")),
        signed(|body| drop(body.as_object_mut().unwrap().remove("FromUrl"))),
        signed(|body| body["Type"] = json!("ticket")),
        ReceiveCallbackRequest { query: String::new(), ..signed(|_| {}) },
        ReceiveCallbackRequest { query: "7601&action=updated".into(), ..signed(|_| {}) },
        ReceiveCallbackRequest { query: "t=1&recordId=7601&action=updated&memberId=5".into(), ..signed(|_| {}) },
        signed(|body| body["Metadata"]["key_url"] = json!(key_url(KEY_ID).replace("eu.my", "api-eu.my"))),
        signed(|body| body["Metadata"]["key_url"] = json!(key_url(KEY_ID).replace("eu.my", "sandbox-eu.my"))),
        signed(|body| body["Metadata"]["key_url"] = json!(key_url(KEY_ID).replace(".net/", ".net:443/"))),
    ] {
        let receipt = receive(&host, &provider, request).unwrap();
        assert_eq!((receipt.verdict, &receipt.reason), (Verdict::Verified, &None));
        assert_eq!(receipt.message_id.as_deref(), Some("00000000-0000-4000-8000-000000000001"));
        let [change] = receipt.changes.as_slice() else { panic!("{receipt:?}") };
        // What Entity says is not believed.
        assert_eq!((change.entity.as_str(), change.id.as_str()), ("ticket", "7601"));
        assert_eq!((change.action, change.by.as_deref()), (ChangeAction::Updated, Some("jdoe")));
    }
    let [sent] = host.sent().try_into().unwrap();
    assert_eq!(sent.line(), key_line(KEY_ID));
    assert!(sent.headers.iter().all(|(name, _, secret)| name != "authorization" && secret.is_empty()));
    assert!(sent.headers.iter().any(|(name, value, _)| name == "clientid" && value == "client"));
    for (action, expected) in
        [("Added", ChangeAction::Added), ("deleted", ChangeAction::Deleted), ("merged", ChangeAction::Unknown)]
    {
        let request = ReceiveCallbackRequest { query: String::new(), ..signed(|body| body["Action"] = json!(action)) };
        assert_eq!(receive(&host, &provider, request).unwrap().changes[0].action, expected);
    }
}

#[test]
fn no_forgery_is_verified_or_leads_to_another_address() {
    let forgeries = forgeries();
    assert!(forgeries.len() >= 60);
    for (position, (reason, make)) in forgeries.iter().enumerate() {
        let (host, provider) = site();
        let receipt = receive(&host, &provider, make()).unwrap();
        assert_eq!((receipt.verdict, receipt.reason.as_deref()), (Verdict::Refused, Some(*reason)), "{position}");
        assert!(receipt.changes.is_empty() && receipt.message_id.is_none(), "{position}: {receipt:?}");
        let words = receipt.message.unwrap();
        assert!(words.starts_with("This callback is not believed: ") && words.ends_with('.'), "{words}");
        let asked = if *reason == "signature" { 1 } else { 0 };
        let sent: Vec<_> = host.sent().iter().map(|sent| sent.line()).collect();
        assert_eq!(sent, vec![key_line(KEY_ID); asked], "{position} {reason}");
    }
}

#[test]
fn an_address_of_a_key_that_is_refused_says_what_is_wrong_with_it() {
    let (host, provider) = site();
    let good = key_url(KEY_ID);
    for (url, words) in [
        (good.replace("://", "://user@"), "names a user"),
        (format!("{good}#x"), "has a fragment"),
        (good.replace("https", "http"), "does not begin with https://"),
        (good.replace("eu.", "na."), "is not on this connection's site"),
        (good.replace("index.rails", "x"), "has another path"),
        (good.replace("companyName", "company"), "does not name one company"),
        (good.replace(KEY_ID, "1"), "has no id of a key"),
        (good.replace("https://", ""), "is no address"),
    ] {
        let request = signed(|body| body["Metadata"]["key_url"] = json!(url));
        let message = receive(&host, &provider, request).unwrap().message.unwrap();
        assert!(message.contains(words), "{url}: {message}");
    }
    assert!(host.sent().is_empty());
}

#[test]
fn a_key_is_kept_ten_minutes_and_fetched_once_more_when_it_does_not_fit() {
    let (host, provider) = site();
    host.answer(&key_line(KEY_ID), 200, json!({"signing_key": "the next one"}).to_string());
    let with = |key: &str| {
        let mut request = signed(|_| {});
        request.headers[0].1 = signature(key, &STANDARD.decode(&request.body).unwrap());
        request
    };
    let verdict = |key: &str| receive(&host, &provider, with(key)).unwrap().verdict;
    assert_eq!((verdict(KEY), host.sent().len()), (Verdict::Verified, 1));
    // Fetched just now: not again, however often it does not fit.
    assert_eq!(
        (verdict("the next one"), verdict("the next one"), host.sent().len()),
        (Verdict::Refused, Verdict::Refused, 1)
    );
    host.pass_ms(60_000);
    assert_eq!((verdict(KEY), host.sent().len()), (Verdict::Verified, 1));
    assert_eq!((verdict("the next one"), host.sent().len()), (Verdict::Verified, 2));
    host.pass_ms(599_999);
    assert_eq!((verdict("the next one"), host.sent().len()), (Verdict::Verified, 2));
    host.pass_ms(1);
    assert_eq!((verdict("the next one"), host.sent().len()), (Verdict::Verified, 3));
}

#[test]
fn a_site_that_does_not_know_the_key_makes_it_unverified_for_a_minute() {
    for (status, answer) in [
        (404, String::new()),
        (400, "Cannot route".into()),
        (401, "{}".into()),
        (403, "{}".into()),
        (302, String::new()),
        (200, "<html>".into()),
        (200, String::new()),
        (200, r#"{"signing_key":""}"#.into()),
        (200, r#"{"signing_key":null}"#.into()),
        (200, r#"["signing_key"]"#.into()),
        (200, json!({"signing_key": "x".repeat(64 * 1024)}).to_string()),
    ] {
        let host = TestHost::new();
        host.answer(&key_line(KEY_ID), status, &answer);
        host.answer(&key_line(KEY_ID), 200, json!({"signing_key": KEY}).to_string());
        let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
        for _ in 0..2 {
            let receipt = receive(&host, &provider, signed(|_| {})).unwrap();
            let found = (receipt.verdict, receipt.reason.as_deref(), host.sent().len());
            assert_eq!(found, (Verdict::Unverified, Some("key_unknown"), 1), "{status} {answer:.40}");
            assert!(receipt.changes.is_empty());
        }
        host.pass_ms(60_000);
        assert_eq!(receive(&host, &provider, signed(|_| {})).unwrap().verdict, Verdict::Verified, "{status}");
    }
}

#[test]
fn a_site_that_cannot_be_asked_now_is_asked_again_later() {
    let host = TestHost::new();
    let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
    // No answer at all.
    assert_eq!(receive(&host, &provider, signed(|_| {})).unwrap_err().code, Code::Unavailable);
    for status in [500, 503, 429, 408] {
        host.answer(&key_line(KEY_ID), status, "");
    }
    host.answer(&key_line(KEY_ID), 200, json!({"signing_key": KEY}).to_string());
    for code in [Code::Unavailable, Code::Unavailable, Code::RateLimited, Code::Unavailable] {
        assert_eq!(receive(&host, &provider, signed(|_| {})).unwrap_err().code, code);
    }
    assert_eq!(receive(&host, &provider, signed(|_| {})).unwrap().verdict, Verdict::Verified);
}

#[test]
fn strangers_cannot_make_us_ask_for_keys_at_will() {
    let (host, provider) = site();
    let with = |number: u32| {
        let id = format!("00000000-0000-4000-9000-0000000{number:05}");
        host.answer(&key_line(&id), 404, "");
        signed(|body| body["Metadata"]["key_url"] = json!(key_url(&id)))
    };
    for number in 0..30 {
        let receipt = receive(&host, &provider, with(number)).unwrap();
        let reason = if number < 10 { "key_unknown" } else { "too_many_keys" };
        assert_eq!((receipt.verdict, receipt.reason.as_deref()), (Verdict::Unverified, Some(reason)), "{number}");
    }
    assert_eq!(host.sent().len(), 10);
    host.pass_ms(60_000);
    assert_eq!(receive(&host, &provider, with(31)).unwrap().reason.as_deref(), Some("key_unknown"));
    assert_eq!(receive(&host, &provider, signed(|_| {})).unwrap().verdict, Verdict::Verified);
}

#[test]
fn a_server_of_ones_own_is_asked_under_its_own_address_and_port() {
    let receive_at = |own: &str, url: &str, from: &str| {
        let host = TestHost::new();
        let line = format!("GET {own}/v4_6_release/system/callbackkey/index.rails?companyName=acme%2Fx&id={KEY_ID}");
        host.answer(&line, 200, json!({"signing_key": KEY}).to_string());
        let provider = host.open::<ConnectWise>(settings(json!({"site": "custom", "host": own}))).unwrap();
        let url = key_url(KEY_ID).replace("https://eu.myconnectwise.net", url);
        let request = signed(|body| {
            body["Metadata"]["key_url"] = json!(url);
            body["FromUrl"] = json!(from);
        });
        let receipt = receive(&host, &provider, request).unwrap();
        assert_eq!(receipt.verdict == Verdict::Verified, receipt.reason.is_none());
        receipt.reason
    };
    let (own, local) = ("https://psa.example:8443", "http://127.0.0.1:4000");
    for (own, url, from, reason) in [
        (own, own, "psa.example", None),
        (own, "https://PSA.example:8443", "psa.example:8443", None),
        // On this machine its own scheme is enough.
        (local, local, "127.0.0.1", None),
        (own, "http://psa.example:8443", "psa.example", Some("key_url")),
        (own, "https://psa.example", "psa.example", Some("key_url")),
        (own, "https://sandbox-psa.example:8443", "psa.example", Some("key_url")),
        (own, own, "other.example", Some("other_site")),
        (own, own, "psa.example:9000", Some("other_site")),
        (local, "http://127.0.0.1:4001", "127.0.0.1", Some("key_url")),
    ] {
        assert_eq!(receive_at(own, url, from).as_deref(), reason, "{own} {url} {from}");
    }
}

#[test]
fn tickets_and_members_are_wanted_and_everything_is_offered() {
    let (host, provider) = scene();
    let ask = |address: &str| {
        let request = DesiredSubscriptionsRequest { address: Some(address.into()) };
        host.run(async |cx| provider.desired_subscriptions(cx, request).await)
    };
    let desired = ask("https://desk.example/psa/{token}?a=1").unwrap();
    let items: Vec<_> =
        desired.items.iter().map(|it| (it.kind.as_str(), it.level.as_str(), it.object.as_str())).collect();
    assert_eq!(items, [("ticket", "owner", "1"), ("member", "owner", "1")]);
    assert!(desired.items.iter().all(|it| it.address == "https://desk.example/psa/{token}?a=1&recordId="));
    assert_eq!((desired.catalogue.len(), desired.catalogue.iter().map(|it| it.levels.len()).sum::<usize>()), (16, 72));
    assert_eq!(ask("http://desk.example/{token}").unwrap_err().fields[0].at, "/address");
    assert!(host.sent().is_empty());
}

#[test]
fn an_entry_is_made_put_to_rest_and_taken_away() {
    let (host, provider) = scene();
    let kept = include_str!("../kept/callback-entry.json");
    let entry: Value = serde_json::from_str(kept).unwrap();
    let entries = format!("{BASE}/system/callbacks");
    host.answer(&format!("POST {entries}"), 201, kept);
    let create = |address: &str| {
        let (kind, level, object) = ("Ticket".into(), "Owner".into(), "1".into());
        let subscription = WantedSubscription { kind, level, object, address: address.into() };
        let request = CreateSubscriptionRequest { subscription, description: "psa-bridge".into() };
        host.run(async |cx| provider.create_subscription(cx, request).await)
    };
    let made = create("https://h.example/psa/abc").unwrap();
    assert_eq!((made.id.as_str(), made.kind.as_str(), made.level.as_str()), ("26552", "ticket", "owner"));
    assert_eq!((made.object.as_str(), made.inactive), ("1", false));
    let sent: Value = serde_json::from_slice(&host.sent().last().unwrap().body).unwrap();
    assert_eq!((&sent["url"], &sent["type"]), (&json!("https://h.example/psa/abc?recordId="), &json!("ticket")));
    assert_eq!(create("https://h.example/other").unwrap_err().reason.as_deref(), Some("not_applied"));

    host.answer(&format!("GET {entries}?pageSize=100&orderBy=id%20asc&page=1"), 200, format!("[{kept}]"));
    let request = ListSubscriptionsRequest::default();
    let listed = host.run(async |cx| provider.list_subscriptions(cx, request).await).unwrap();
    assert_eq!((&listed.items, listed.next), (&vec![made.clone()], None));

    let mut resting = entry.clone();
    resting["inactiveFlag"] = json!(true);
    let line = format!("PATCH {entries}/26552");
    host.answer(&line, 200, resting.to_string()).answer(&line, 200, resting.to_string());
    host.answer(&format!("GET {entries}/26552"), 200, kept);
    let update = |inactive: Option<bool>| {
        let request = UpdateSubscriptionRequest { subscription: "26552".into(), inactive };
        host.run(async |cx| provider.update_subscription(cx, request).await)
    };
    assert!(update(Some(true)).unwrap().inactive);
    let sent: Value = serde_json::from_slice(&host.sent().last().unwrap().body).unwrap();
    assert_eq!(sent, json!([{"op": "replace", "path": "inactiveFlag", "value": true}]));
    assert_eq!(update(Some(false)).unwrap_err().reason.as_deref(), Some("not_applied"));
    assert_eq!(update(None).unwrap(), made);
    assert_eq!(host.sent().last().unwrap().method, "GET");

    let line = format!("DELETE {entries}/26552");
    host.answer(&line, 204, "").answer(&line, 404, r#"{"code":"NotFound","message":"gone"}"#);
    host.answer(&line, 404, "<html>").answer(&line, 403, r#"{"code":"Security","message":"no"}"#);
    let delete = || {
        let request = DeleteSubscriptionRequest { subscription: "26552".into() };
        host.run(async |cx| provider.delete_subscription(cx, request).await)
    };
    assert_eq!((delete().unwrap(), delete().unwrap()), (Nothing {}, Nothing {}));
    // A page of another server is no proof that the entry is gone.
    assert_eq!(delete().unwrap_err().code, Code::NotFound);
    assert_eq!(delete().unwrap_err().code, Code::Forbidden);
}

#[test]
fn what_is_wanted_follows_the_settings() {
    let wanted = |more: serde_json::Value, address: Option<&str>| {
        let host = psa_host_api::sdk::testing::TestHost::new();
        let provider = host.open::<ConnectWise>(settings(more)).unwrap();
        let request = DesiredSubscriptionsRequest { address: address.map(str::to_owned) };
        let desired = host.run(async |cx| provider.desired_subscriptions(cx, request).await).unwrap();
        let items: Vec<_> = desired.items.iter().map(|it| format!("{} {} {}", it.kind, it.level, it.object)).collect();
        (items, desired.poll_every_ms)
    };
    let door = Some("https://desk.example/{token}");
    let all = vec!["ticket owner 1".to_owned(), "member owner 1".to_owned()];
    assert_eq!(wanted(json!({}), door), (all.clone(), None));
    assert_eq!(wanted(json!({"callback_scope": "owner", "default_board": "12"}), door), (all, None));
    let board = vec!["ticket board 12".to_owned(), "member owner 1".to_owned()];
    assert_eq!(wanted(json!({"callback_scope": "board", "default_board": "12"}), door), (board, None));
    assert_eq!(wanted(json!({"callbacks_on": false, "poll_every": "PT5M"}), door), (vec![], Some(300_000)));
    // Without a door nothing can be registered, and how often to look still counts.
    assert_eq!(wanted(json!({"poll_every": "PT1M"}), None), (vec![], Some(60_000)));
}
