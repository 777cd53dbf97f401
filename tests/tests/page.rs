//! The door for people: who may what, from where, and how the answer looks.

use psa_host::{HttpRequest, published_routes};
use psa_tests::browse::{ALL, Visitor};
use psa_tests::scene::Scene;
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A path of a pattern, about this connection.
fn path_of(pattern: &str, connection: &str) -> String {
    let known = [("{connection}", connection), ("{plugin}", "connectwise"), ("{step}", "2"), ("{mapping}", "members")];
    let filled = known.iter().fold(pattern.to_owned(), |path, (name, value)| path.replace(name, value));
    // Whatever else a pattern names: nothing of that name is there.
    let parts = filled.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_wants_each_of_its_permissions() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let routes = published_routes();
    assert!(routes.len() > 20, "{}", routes.len());
    for route in routes {
        let path = path_of(route.pattern, &scene.connection);
        for missing in &route.needs {
            let others: Vec<&str> = ALL.into_iter().filter(|one| one != missing).collect();
            let answer = ann.may(&others).send(route.method, &path, &[], b"");
            assert_eq!(answer.status, 403, "{} {path} without {missing}", route.method);
        }
        // Nobody at all sees nothing but what has no tenant in it.
        let nobody = ann.may(&[]).send(route.method, &path, &[], b"");
        assert_eq!(nobody.status == 403, !route.needs.is_empty(), "{} {path}", route.method);
    }
}

#[test]
fn a_connection_of_another_tenant_is_not_there() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let stranger = ann.with("tenant", json!("other"));
    for route in published_routes().iter().filter(|route| route.pattern.contains("{connection}")) {
        let path = path_of(route.pattern, &scene.connection);
        let answer = match route.method {
            "GET" => stranger.get(&path),
            _ => stranger.post(&path, &[("_action", "test_save")]),
        };
        assert!(matches!(answer.status, 404 | 422), "{} {path}: {} {}", route.method, answer.status, answer.text());
        answer.hides(&scene.connection).hides("acme");
    }
    assert_eq!(ann.get(&format!("/c/{}", scene.connection)).status, 200);
    stranger.get("/").says("Nothing connected yet");
}

#[test]
fn what_has_effects_is_refused_by_get_and_from_elsewhere() {
    let scene = Scene::new();
    let mut ann = Visitor::new(&scene.world.host);
    let pause = format!("/c/{}/pause", scene.connection);
    assert_eq!(ann.get(&pause).status, 405);
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (vec![("Origin", "https://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![], 403),
        (vec![("Origin", "https://desk.example.com")], 303),
    ] {
        ann.headers = headers.clone();
        assert_eq!(ann.post(&pause, &[]).status, status, "{headers:?}");
    }
    // A host name that a caller made up counts for nothing.
    ann.headers = vec![("Host", "desk.example.com"), ("Cookie", "admin=1"), ("X-Tenant", "other")];
    assert_eq!(ann.post(&pause, &[]).status, 403);
}

#[test]
fn a_refused_attempt_is_in_the_activity() {
    let scene = Scene::new();
    let mut ann = Visitor::new(&scene.world.host);
    let pause = format!("/c/{}/pause", scene.connection);
    assert_eq!(ann.may(&["view"]).post(&pause, &[]).status, 403);
    ann.headers = vec![("Sec-Fetch-Site", "cross-site")];
    assert_eq!(ann.post(&pause, &[]).status, 403);
    let entries = scene.world.call("activity.list", json!({"tenant": "t", "page": {"limit": 1000}})).unwrap();
    let refused: Vec<_> =
        entries["items"].as_array().unwrap().iter().filter(|one| one["action"] == "page.refused").collect();
    let reasons: Vec<_> = refused.iter().map(|one| one["detail"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["configure", "csrf"]);
    for entry in refused {
        assert_eq!(entry["actor"], "Ann Lee (u1)");
        assert_eq!(entry["connection"], json!(scene.connection));
        assert_eq!(entry["detail"]["attempt"], "pause");
        assert_eq!(entry["detail"]["request"], json!({"id": "r-1", "remote_addr": "192.0.2.7"}));
    }
}

#[test]
fn with_a_session_every_form_carries_a_token_of_one_person() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host).with("session", json!("a-session-of-ann-000"));
    let page = format!("/c/{}", scene.connection);
    let pause = format!("{page}/pause");
    let token = ann.get(&page).value("_token").expect("the form has a token");
    assert_eq!(ann.post(&pause, &[]).status, 403, "none");
    let (until, mac) = token.split_once('.').unwrap();
    let later = format!("{}.{mac}", until.parse::<i64>().unwrap() + 1);
    for forged in ["1.AAAA", "", later.as_str(), until] {
        assert_eq!(ann.post(&pause, &[("_token", forged)]).status, 403, "{forged}");
    }
    let bo = ann.with("actor", json!({"id": "u2"}));
    assert_eq!(bo.post(&pause, &[("_token", &token)]).status, 403, "another person's");
    let elsewhere = ann.with("session", json!("another-session-0000"));
    assert_eq!(elsewhere.post(&pause, &[("_token", &token)]).status, 403, "another session's");
    // A program without a browser has no such headers, and a token all the same.
    let mut program = ann.clone();
    program.headers = Vec::new();
    assert_eq!(program.post(&pause, &[("_token", &token)]).status, 303);
}

#[test]
fn nobody_sends_in_more_than_a_person_can() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let statuses: Vec<u16> = (0..61).map(|_| ann.post("/c/none/pause", &[]).status).collect();
    assert_eq!((statuses[59], statuses[60]), (404, 429));
    let bo = ann.with("actor", json!({"id": "u2"}));
    assert_eq!(bo.post("/c/none/pause", &[]).status, 404);
}

#[test]
fn what_is_too_large_or_no_form_is_refused() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let settings = format!("/c/{}/settings", scene.connection);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let long = format!("host={}", "x".repeat(70_000));
    let many: String = (0..500).map(|n| format!("f{n}=1&")).collect();
    let huge = "x".repeat(300_000);
    for body in [&long, &many, &huge] {
        assert_eq!(ann.send("POST", &settings, &form, body.as_bytes()).status, 413);
    }
    assert_eq!(ann.send("POST", &settings, &[("Content-Type", "text/xml")], b"<a/>").status, 415);
    assert_eq!(ann.send("POST", &settings, &[("Content-Type", "application/json")], b"{\"a\":").status, 415);
    assert_eq!(ann.get(&format!("/{}", "x".repeat(9_000))).status, 413);
    for path in ["/c/%00", "/c/%ff%fe", "/nowhere", "/c", "/c/x/y/z/w"] {
        assert_eq!(ann.get(path).status, 404, "{path}");
    }
}

#[test]
fn nobody_named_is_403_and_a_wrong_who_is_the_products_mistake() {
    let scene = Scene::new();
    let request = HttpRequest { method: "GET", url: "/", headers: &[("Authorization", "Bearer root")], body: b"" };
    assert_eq!(scene.world.host.page(b"", &request).unwrap().status, 403);
    let error = scene.world.host.page(br#"{"tenant": "t"}"#, &request).unwrap_err();
    assert_eq!(error.code, psa_host::Code::InvalidArgument);
    scene.world.host.close(0).unwrap();
    assert_eq!(scene.world.host.page(b"", &request).unwrap_err().code, psa_host::Code::Closed);
}

#[test]
fn a_document_has_the_strict_policy_and_a_fragment_nothing_that_one_would_forbid() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let page = ann.get("/");
    let policy = page.header("content-security-policy").unwrap();
    for rule in
        ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
    {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    assert_eq!(page.header("set-cookie"), None);
    let framed = ann.with("frame_ancestors", json!(["https://desk.example.com"])).get("/");
    assert!(framed.header("content-security-policy").unwrap().contains("frame-ancestors https://desk.example.com"));
    let fragments = ann.with("render", json!("fragment")).with("nonce", json!("bm9uY2U="));
    for path in ["/".to_owned(), format!("/c/{}", scene.connection), format!("/c/{}/settings", scene.connection)] {
        let fragment = fragments.get(&path);
        assert_eq!(fragment.status, 200);
        assert_eq!(fragment.header("content-security-policy"), None);
        assert!(fragment.header("psa-title").is_some());
        for forbidden in [" style=", "<style", " onclick", " onload", "javascript:", "<html", "<body"] {
            fragment.hides(forbidden);
        }
        let scripts: Vec<&str> = fragment.body.split("<script").skip(1).collect();
        assert!(scripts.len() == 1 && scripts[0].contains(" src=\"/desk/psa/-/psa.") && scripts[0].contains("nonce="));
    }
}

#[test]
fn assets_are_kept_for_ever_under_the_name_of_their_content() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let page = ann.get("/").body;
    for (mark, kind) in [("href=\"", "text/css; charset=utf-8"), ("src=\"", "text/javascript; charset=utf-8")] {
        let found = page.split(mark).find_map(|rest| rest.split('"').next().filter(|url| url.contains("/-/psa.")));
        let url = found.expect("the page names it");
        let asset = ann.may(&[]).get(url);
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)));
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    assert_eq!(ann.get("/-/psa.000000000000.css").status, 404);
}

#[test]
fn style_and_script_are_small() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let page = ann.get("/").body;
    let urls = page.split('"').filter(|url| url.contains("/-/psa.") && !url.ends_with(".svg"));
    let sizes = urls.map(|url| {
        let asset = ann.get(url).body;
        let mut gzip = Command::new("gzip").arg("-9nc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        gzip.stdin.take().unwrap().write_all(asset.as_bytes()).unwrap();
        gzip.wait_with_output().unwrap().stdout.len()
    });
    let sum: usize = sizes.sum();
    assert!((5_000..10_240).contains(&sum), "{sum} bytes gzipped");
}

#[test]
fn a_forms_schema_is_there_for_programs() {
    let scene = Scene::new();
    let schema = Visitor::new(&scene.world.host).get("/-/schema/connectwise");
    assert_eq!((schema.status, schema.header("content-type")), (200, Some("application/schema+json")));
    let schema = schema.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["company_id"].is_object(), "{schema:#}");
    assert_eq!(Visitor::new(&scene.world.host).get("/-/schema/none").status, 404);
}

#[test]
fn the_json_is_what_the_html_is_drawn_from() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host).with("render", json!("json"));
    let index = ann.get("/");
    assert_eq!(index.header("content-type"), Some("application/json"));
    let index = index.json();
    assert_eq!(index["view"], "index");
    assert_eq!(index["connections"][0]["connection"], json!(scene.connection));
    let missing = ann.get("/c/none");
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(missing.json()["code"], "not_found");
    // A POST is answered with the page that a browser would be sent to.
    let paused =
        ann.send("POST", &format!("/c/{}/pause", scene.connection), &[("Content-Type", "application/json")], b"{}");
    assert_eq!(paused.status, 200, "{}", paused.body);
    let paused = paused.json();
    assert_eq!(paused["view"], "overview");
    assert_eq!(paused["frame"]["chip"]["label"], "Paused");
    assert_eq!(paused["notices"][0]["tone"], "ok");
}

#[test]
fn who_has_not_proved_lately_who_they_are_is_asked_first() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host).with("step_up_url", json!("/login/again?x=1"));
    let page = format!("/c/{}/reauth", scene.connection);
    let asked = ann.get(&page);
    assert_eq!(asked.status, 303);
    let to = asked.header("location").unwrap();
    assert!(to.starts_with("/login/again?x=1&next=%2Fdesk%2Fpsa%2F-%2Fresume%3Fto%3D"), "{to}");
    let next = url::form_urlencoded::parse(to.split_once('?').unwrap().1.as_bytes()).find(|(name, _)| name == "next");
    let back = next.unwrap().1.into_owned();
    // The way back is for this person, and cannot be led elsewhere.
    assert_eq!(ann.get(&back).header("location"), Some(format!("/desk/psa{page}").as_str()));
    assert_eq!(ann.with("actor", json!({"id": "u2"})).get(&back).status, 404);
    assert_eq!(ann.get(&format!("{back}x")).status, 404);
    let now = jiff::Timestamp::now();
    let fresh = ann.with("step_up_at", json!(now.to_string()));
    assert_eq!(fresh.get(&page).status, 200);
    let old = ann.with("step_up_at", json!((now - jiff::SignedDuration::from_mins(11)).to_string()));
    assert_eq!(old.get(&page).status, 303);
    // What needs no secret asks nobody.
    assert_eq!(ann.get(&format!("/c/{}", scene.connection)).status, 200);
}

#[test]
fn the_page_speaks_the_readers_language_and_time() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let german = ann.with("locale", json!("de-AT")).with("time_zone", json!("Europe/Vienna"));
    let page = german.get("/");
    page.says("Integrationen").says("Verfügbare Integrationen").says("Verbunden");
    assert!(page.body.contains("<html lang=\"de-AT\" dir=\"ltr\""));
    let other = ann.with("locale", json!("ar")).get("/");
    assert!(other.body.contains("lang=\"ar\" dir=\"rtl\""));
    ann.with("texts", json!({"index.title": "Our systems"})).get("/").says("Our systems");
}
