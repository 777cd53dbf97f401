//! True callbacks are believed and told, in whatever shape a server of the PSA sends them.

use psa_tests::forge::Forge;
use serde_json::{Value, json};

/// Two statuses of the board "Help Desk".
const STATUSES: [u64; 2] = [102, 101];

#[test]
fn a_true_callback_is_believed_in_every_shape_it_comes_in() {
    let forge = Forge::new();
    let path = forge.url.split('?').next().unwrap().to_owned();
    let genuine = forge.genuine();
    let text = String::from_utf8(genuine.body).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let with = |name: &str, value: Value| json!({"fields": {name: value}});
    let query = |query: &str| json!({"query": query});
    // The company's own server knows them by the address without its double slash, by any code base, in any case.
    let (before, id) = forge.key_url.split_once("&id=").unwrap();
    let odd: Vec<String> =
        value.as_object().unwrap().iter().map(|(name, value)| format!("\"{name}\" :  {value}")).collect();
    let body =
        |text: String| json!({"body": text.replace(value["MessageId"].as_str().unwrap(), &format!("m{}", text.len()))});
    let rows: Vec<(&str, Value)> = vec![
        ("plain", json!({})),
        (
            "texts beyond ASCII",
            json!({"entity": "{\"summary\":\"Drucker brennt \u{1f525} – ärgerlich\"}", "member": "jürgen"}),
        ),
        ("with blanks", body(serde_json::to_string_pretty(&value).unwrap())),
        ("with odd blanks", body(format!("\t{{ {} \r\n}}", odd.join(" \n,\t")))),
        ("a newline behind it", body(format!("{text}\r\n"))),
        ("letters in escapes", body(text.replace("acme", "\\u0061cme"))),
        ("a type in capitals", json!({"type": "Ticket"})),
        ("a type all in capitals", json!({"type": "TICKET"})),
        ("no instance", json!({"without": ["ProductInstanceId", "PartnerId"]})),
        ("an empty instance", with("ProductInstanceId", Value::Null)),
        ("unknown members", json!({"fields": {"Version": 7, "Extra": {"a": [1, null]}}})),
        ("no site", json!({"without": ["FromUrl"]})),
        ("a site without its port", with("FromUrl", json!("127.0.0.1"))),
        ("nobody's", json!({"without": ["MemberId"]})),
        ("without a number of its own", json!({"without": ["MessageId"]})),
        ("without its entry", json!({"without": ["CallbackObjectRecId"]})),
        ("the company in capitals", with("CompanyId", json!("ACME"))),
        ("the action in capitals", json!({"fields": {"Action": "Updated"}})),
        ("an action that nobody knows", json!({"action": "touched"})),
        ("a key's id in capitals", json!({"key_url": format!("{before}&id={}", id.to_uppercase())})),
        ("a key's address with double slashes", json!({"key_url": forge.key_url.replacen("/system", "//system", 1)})),
        ("a lying record", json!({"entity": "{\"id\":7,\"status\":{\"id\":999},\"recordType\":\"ProjectTicket\"}"})),
        ("a record that is none", json!({"entity": "<x/>"})),
        ("no record", json!({"entity": null})),
        ("unknown parameters", query("1001&action=updated&utm=x&flag&=&%zz")),
        (
            "the parameters of the older kind",
            query(
                "1001&action=updated&memberId=5&srDetailRecId=0&timeRecId=0&isProblemDescription=False&isInternalAnalysis=True&isResolution=False",
            ),
        ),
        ("an id in escapes", query("%31001&action=updated")),
        ("no query", json!({"url": path, "query": ""})),
        ("an id glued to the address", json!({"url": path})),
        ("a slash behind the address", json!({"url": format!("{path}/?recordId=")})),
        ("another content type", json!({"headers": {"content-type": "text/plain"}})),
    ];
    forge.scene.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    for (number, (name, order)) in rows.iter().enumerate() {
        let status = STATUSES[number % 2];
        forge.scene.person(1001, &json!({"status": status}));
        assert_eq!(forge.send(order), Some(204), "{name}");
        let judged = forge.judged(1);
        assert_eq!(
            (judged[0]["state"].as_str(), judged[0]["reason"].as_str()),
            (Some("verified"), None),
            "{name}: {judged:?}"
        );
        assert_eq!(judged[0]["remote"], "1001", "{name}");
        let told = forge.scene.event("forge", "ticket.changed");
        assert_eq!(told["heard"], "callback", "{name}");
        assert_eq!(told["changes"]["status"]["to"]["id"], json!(status.to_string()), "{name}: what was read is told");
        assert_eq!(told["changes"].as_object().unwrap().len(), 1, "{name}: {told}");
    }
}

#[test]
fn a_message_that_names_no_number_is_no_repeat_of_another() {
    let forge = Forge::new();
    let order = json!({"without": ["MessageId"]});
    for _ in 0..2 {
        assert_eq!(forge.send(&order), Some(204));
    }
    let judged = forge.judged(2);
    assert!(judged.iter().all(|one| one["state"] == "verified" && one["reason"].is_null()), "{judged:#?}");
}

#[test]
fn a_forged_message_does_not_make_the_true_one_a_repeat() {
    let forge = Forge::new();
    let number = "00000000-0000-4000-8000-00000000000a";
    assert_eq!(forge.send(&json!({"message_id": number, "sign_with": "contoso"})), Some(204));
    assert_eq!(forge.judged(1)[0]["reason"], "signature");
    assert_eq!(forge.send(&json!({"message_id": number})), Some(204));
    let judged = forge.judged(1);
    assert_eq!((judged[0]["state"].as_str(), judged[0]["reason"].as_str()), (Some("verified"), None));
}

#[test]
fn a_key_that_cannot_be_had_now_is_waited_for_and_nothing_is_lost() {
    let forge = Forge::new();
    forge.scene.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    for (number, fault) in ["error_500_before_commit", "rate_limited_seconds", "html_503"].iter().enumerate() {
        forge.scene.simulator.control("POST", "key", Some(&json!({"rotate": true}))).unwrap();
        let order = json!({"endpoint": "callback_key", "fault": fault, "times": 2, "retry_after": 0});
        forge.scene.simulator.fault(&order).unwrap();
        forge.scene.person(1001, &json!({"status": STATUSES[number % 2]}));
        assert_eq!(forge.send(&json!({})), Some(204), "{fault}");
        assert_eq!(forge.scene.event("forge", "ticket.changed")["ticket"], "1001", "{fault}");
        let judged = forge.judged(1);
        assert_eq!(judged[0]["state"], "verified", "{fault}: {judged:?}");
        assert!(judged[0]["tries"].as_i64() >= Some(1), "{fault}: {judged:?}");
    }
}
