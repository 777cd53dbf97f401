//! What was damaged or rewritten on its way is refused, and so is what was sent before or to somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use psa_host::clock::VirtualClock;
use psa_tests::forge::{Forge, Row, raw};
use psa_tests::inbound::Inbound;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn what_was_rewritten_on_its_way_is_refused() {
    let forge = Forge::new();
    let genuine = forge.genuine();
    let right = genuine.signature();
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let of = |body: &[u8]| json!({"body_base64": STANDARD.encode(body), "signature": right});
    let swap = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        of(text.replacen(from, to, 1).as_bytes())
    };
    let members: Vec<String> =
        value.as_object().unwrap().iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let reversed = format!("{{{}}}", members.iter().rev().cloned().collect::<Vec<_>>().join(","));
    let around = |before: &[u8], behind: &[u8]| of(&[before, text.as_bytes(), behind].concat());
    let rows: [Row; 20] = [
        ("the same JSON with blanks", of(serde_json::to_string_pretty(&value).unwrap().as_bytes()), "signature"),
        ("the same members in another order", of(reversed.as_bytes()), "signature"),
        ("one blank", swap(":", ": "), "signature"),
        ("one letter in escapes", swap("updated", "\\u0075pdated"), "signature"),
        ("a slash in escapes", swap("//", "\\/\\/"), "signature"),
        ("a newline behind it", around(b"", b"\n"), "signature"),
        ("a carriage return behind it", around(b"", b"\r\n"), "signature"),
        ("a blank before it", around(b" ", b""), "signature"),
        ("a NUL behind it", around(b"", b"\0"), "not_json"),
        ("a mark of byte order", around(b"\xef\xbb\xbf", b""), "not_json"),
        ("cut off", of(&genuine.body[..genuine.body.len() - 1]), "not_json"),
        ("its first half", of(&genuine.body[..genuine.body.len() / 2]), "not_json"),
        ("twice", around(text.as_bytes(), b""), "not_json"),
        ("nothing", of(b""), "not_json"),
        (
            "one byte that is no text",
            of(text.replacen("jdoe", "jd\u{0}e", 1).replace('\0', "\\u0000").as_bytes()),
            "signature",
        ),
        ("the id twice", swap("\"ID\":", "\"ID\":1002,\"ID\":"), "signature"),
        ("the company twice", swap("{", "{\"CompanyId\":\"contoso\","), "signature"),
        ("one member more", swap("{", "{\"x\":1,"), "signature"),
        ("another member's name", swap("jdoe", "jroe"), "signature"),
        (
            "another ticket",
            json!({"body": text.replacen("1001", "1002", 9), "signature": right, "query": "1002&action=updated"}),
            "signature",
        ),
    ];
    forge.all_refused(&rows);
    let mut broken = text.clone().into_bytes();
    let at = text.find("jdoe").unwrap();
    broken[at] = 0xff;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    // These are signed with the right key: it is the body that is none.
    let signed = |body: &[u8]| json!({"body_base64": STANDARD.encode(body)});
    let rows: [Row; 11] = [
        ("one byte that is no UTF-8", signed(&broken), "not_json"),
        ("UTF-16", signed(&utf16), "not_json"),
        ("a mark of byte order", signed(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), "not_json"),
        ("nested without end", signed(deep.as_bytes()), "not_json"),
        ("a list", signed(format!("[{text}]").as_bytes()), "not_json"),
        ("a text", signed(b"\"ticket\""), "not_json"),
        ("null", signed(b"null"), "not_json"),
        ("an empty object", signed(b"{}"), "key_url"),
        ("a form", signed(b"ID=1001&Action=updated"), "not_json"),
        ("XML", signed(b"<x/>"), "not_json"),
        ("a NUL behind it", signed(&[text.as_bytes(), b"\0"].concat()), "not_json"),
    ];
    forge.all_refused(&rows);
}

#[test]
fn what_is_larger_than_any_callback_is_not_kept() {
    let forge = Forge::new();
    let before = forge.scene.settled().len();
    let path = forge.url.split_once("//").unwrap().1.split_once('/').unwrap().1;
    let path = format!("/{path}1001&action=updated");
    let genuine = forge.genuine();
    let send = |path: &str, body: &[u8]| raw(&forge.scene.door.address, "POST", path, &genuine.headers, body).0;
    assert_eq!(send(&path, &vec![b' '; 50 << 20]), 413);
    assert_eq!(send(&path, &vec![b' '; (1 << 20) + 1]), 413);
    assert_eq!(send(&format!("{path}&x={}", "x".repeat(9_000)), &genuine.body), 413);
    assert_eq!(forge.scene.settled().len(), before, "nothing of it is kept");
    // As large as may be, and full of nothing.
    assert_eq!(send(&path, &vec![b' '; 1 << 20]), 204);
    assert_eq!(forge.judged(1)[0]["reason"], "not_json");
    // Headers beyond all measure are not kept, and a signature among them is none.
    let filler = |count: usize, size: usize| (0..count).map(move |n| (format!("x-filler-{n}"), "x".repeat(size)));
    let mut many: Vec<(String, String)> = filler(64, 10).collect();
    many.extend(genuine.headers.clone());
    assert_eq!(raw(&forge.scene.door.address, "POST", &path, &many, &genuine.body).0, 204);
    assert_eq!(forge.judged(1)[0]["reason"], "no_signature");
    let mut twice = genuine.headers.clone();
    twice.push(("X-Content-Signature".into(), genuine.signature()));
    assert_eq!(raw(&forge.scene.door.address, "POST", &path, &twice, &genuine.body).0, 204);
    assert_eq!(forge.judged(1)[0]["reason"], "signature_form");
    forge.nothing_came_of_it();
    // One that is too large goes alone; what is the product's own secret is never kept.
    let mut large: Vec<(String, String)> = filler(1, 20_000).collect();
    large.extend(genuine.headers.clone());
    assert_eq!(raw(&forge.scene.door.address, "POST", &path, &large, &genuine.body).0, 204);
    assert_eq!(forge.judged(1)[0]["state"], "verified");
}

/// What the host was seen to read of a ticket at the PSA.
fn readings(scene: &Inbound, ticket: u64) -> usize {
    let log = scene.simulator.log().unwrap();
    let of = |entry: &&Value| {
        entry["endpoint"] == "get_ticket" && entry["path"].as_str().unwrap().ends_with(&format!("/{ticket}"))
    };
    log.iter().filter(of).count()
}

fn untold(forge: &Forge) {
    let events = forge.scene.events("forge");
    assert!(events.is_empty(), "{events:#?}");
}

/// The host's clock, which goes on by so much at a time.
fn clock() -> (Arc<VirtualClock>, Arc<AtomicU64>) {
    let clock = VirtualClock::at(1_790_000_000_000);
    let step = Arc::new(AtomicU64::new(5));
    let (moved, steps) = (Arc::downgrade(&clock), step.clone());
    std::thread::spawn(move || {
        while let Some(clock) = moved.upgrade() {
            clock.advance(steps.load(Ordering::SeqCst));
            drop(clock);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    (clock, step)
}

#[test]
fn a_true_message_that_is_sent_again_costs_a_reading_at_most_and_is_not_told_again() {
    let (clock, _step) = clock();
    let hour = 3_600_000;
    // Nothing but the message makes anything be read.
    let far = 1_000 * 24 * hour;
    let more = json!({"stall_grace_ms": far, "callbacks": {"poll_ms": far, "ensure_ms": far, "sweep_ms": far, "kept_ms": 24 * hour}});
    let forge = Forge::of(Inbound::with(&["--tls"], &more, Some(clock.clone())));
    forge.scene.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    forge.scene.person(1001, &json!({"status": 102}));
    let genuine = forge.genuine();
    let order = json!({"body": String::from_utf8(genuine.body.clone()).unwrap(), "signature": genuine.signature()});
    assert_eq!(forge.send(&order), Some(204));
    assert_eq!(forge.scene.event("forge", "ticket.changed")["heard"], "callback");
    let read = readings(&forge.scene, 1001);
    for _ in 0..3 {
        assert_eq!(forge.send(&order), Some(204));
        let judged = forge.judged(1);
        assert_eq!((judged[0]["state"].as_str(), judged[0]["reason"].as_str()), (Some("verified"), Some("repeat")));
    }
    forge
        .scene
        .until("nothing is due", || forge.scene.settled().iter().all(|one| one["state"] != "received").then_some(()));
    assert_eq!(readings(&forge.scene, 1001), read, "a repeat is not even read");
    untold(&forge);
    // A week later what came then is not remembered; there is still nothing to tell.
    clock.advance(8 * 24 * hour);
    forge.scene.until("it is forgotten", || forge.scene.settled().is_empty().then_some(()));
    assert_eq!(forge.send(&order), Some(204));
    forge.scene.until("it is read", || (readings(&forge.scene, 1001) == read + 1).then_some(()));
    assert_eq!(forge.judged(1)[0]["state"], "verified");
    untold(&forge);
    // With the next key it is no proof any more.
    forge.scene.simulator.switches(&json!({"old_keys_known": false})).unwrap();
    forge.scene.simulator.control("POST", "key", Some(&json!({"rotate": true}))).unwrap();
    clock.advance(11 * 60_000);
    assert_eq!(forge.send(&order), Some(204));
    let judged = forge.judged(1);
    assert_eq!((judged[0]["state"].as_str(), judged[0]["reason"].as_str()), (Some("unverified"), Some("key_unknown")));
    untold(&forge);
}

#[test]
fn an_old_key_signs_nothing_once_the_site_does_not_know_it() {
    let forge = Forge::new();
    forge.scene.simulator.switches(&json!({"old_keys_known": false})).unwrap();
    forge.scene.simulator.control("POST", "key", Some(&json!({"rotate": true}))).unwrap();
    let now = psa_tests::forge::key_url(&forge.scene, 0);
    forge.all_refused(&[
        ("the old key by its own address", json!({"sign_with": "old"}), "key_unknown"),
        ("the old key by the new address", json!({"sign_with": "old", "key_url": now}), "signature"),
        ("the new key by the old address", json!({"key_url": forge.key_url}), "key_unknown"),
    ]);
    assert_eq!(forge.send(&json!({})), Some(204));
    assert_eq!(forge.judged(1)[0]["state"], "verified");
}

#[test]
fn a_message_for_one_connection_is_none_for_another() {
    let forge = Forge::new();
    let scene = &forge.scene;
    let neighbour = &scene.simulator.ready["neighbours"][0];
    let mut settings = scene.simulator.settings();
    settings["company_id"] = neighbour["company"].clone();
    settings["public_key"] = neighbour["public_key"].clone();
    let create = json!({"tenant": "u", "plugin": "connectwise", "settings": settings,
                        "secrets": {"private_key": neighbour["private_key"]}});
    let other = scene.call("connections.create", create).unwrap()["connection"].clone();
    let of = json!({"tenant": "u", "connection": other});
    assert_eq!(scene.call("connections.test", of.clone()).unwrap()["passed"], true);
    let link = json!({"tenant": "u", "connection": other, "product_ticket": "X-1", "ticket": "1001"});
    scene.call("links.create", link).unwrap();
    // The PSA shows each company its own entries only; here the address is found by letting the other one deliver.
    scene.until("the other one is registered", || {
        let listed = scene.call("callbacks.list", of.clone()).unwrap();
        listed["items"]
            .as_array()
            .filter(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active"))
            .map(drop)
    });
    let urls = scene.simulator.log().unwrap();
    let theirs =
        urls.iter().rev().find(|entry| entry["endpoint"] == "create_callback" && entry["body"]["type"] == "ticket");
    let theirs = theirs.unwrap()["body"]["url"].as_str().unwrap().to_owned();
    assert_ne!(theirs, forge.url);
    scene.events("forge");
    let deliveries = |of: &Value| scene.call("callbacks.deliveries", of.clone()).unwrap()["items"].clone();
    let read = readings(scene, 1001);
    assert_eq!(forge.send(&json!({"url": theirs})), Some(204));
    let judged = scene.until("it is judged", || deliveries(&of)[0]["reason"].as_str().map(str::to_owned));
    assert_eq!(judged, "other_company");
    let to_ours = json!({"company": "contoso"});
    assert_eq!(forge.send(&to_ours), Some(204));
    assert_eq!(forge.judged(1)[0]["reason"], "other_company");
    untold(&forge);
    assert_eq!(readings(scene, 1001), read);
    // To its own address it is a true one, and says nothing to the other.
    assert_eq!(forge.send(&json!({"company": "contoso", "url": theirs})), Some(204));
    scene.until("it is believed", || (deliveries(&of)[0]["state"] == "verified").then_some(()));
    assert!(forge.scene.settled().iter().all(|one| one["state"] != "verified"));
}
