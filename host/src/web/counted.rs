//! How many statements a page asks, and how large it is, with few rows and with many; and that nothing but its JSON is
//! needed to draw it.

use super::answer::Drawn;
use super::view::View;
use super::words::Words;
use super::{Who, html};
use crate::http::HttpRequest;
use crate::store::STATEMENTS;
use crate::{Hooks, Host};
use serde_json::json;
use std::sync::atomic::Ordering;

/// A store with so many connections, and so many links of the first one.
fn filled(folder: &std::path::Path, connections: usize, links: usize) {
    let mut db = rusqlite::Connection::open(folder.join("data/store.db")).unwrap();
    let tx = db.transaction().unwrap();
    for number in 0..connections {
        let state = if number % 10 == 1 { ("stopped", Some("sign_in")) } else { ("active", None) };
        tx.execute(
            "INSERT INTO connections (tenant, connection, plugin, name, settings, settings_version, credential_version,
                state, reason, created, changed, form_version, plugin_version)
             VALUES ('t', ?1, 'gone', ?2, '{}', 1, 1, ?3, ?4, 1, 1, 1, '1.0.0')",
            (format!("c{number:05}"), format!("Connection {number:05}"), state.0, state.1),
        )
        .unwrap();
    }
    for number in 0..links {
        let seen = json!({"summary": "Printer on fire", "status": {"id": "1", "name": "New"}}).to_string();
        tx.execute(
            "INSERT INTO ticket_links (tenant, link, connection, product_ticket, ticket, state, reference, seen, seen_at,
                created, changed) VALUES ('t', ?1, 'c00000', ?2, ?3, 'linked', 'r', ?4, ?5, 1, 1)",
            (format!("l{number:06}"), format!("HD-{number}"), format!("{number}"), seen, number as i64 + 1),
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

const PAGES: [&str; 14] = [
    "/",
    "/?find=0000",
    "/c/c00000",
    "/c/c00000/settings",
    "/c/c00000/tickets",
    "/c/c00000/tickets?find=HD-1",
    "/c/c00000/tickets/l000000",
    "/c/c00000/tickets?state=held",
    "/c/c00000/map/members",
    "/c/c00000/map/statuses",
    "/c/c00000/map/priorities",
    "/c/c00000/callbacks",
    "/c/c00000/activity",
    "/c/c00000/remove",
];

fn who(render: &str) -> String {
    let who = json!({
        "tenant": "t", "actor": {"id": "7"}, "public_origin": "https://desk.example.com", "render": render,
        "permissions": ["view", "configure", "secrets", "map", "operate", "delete", "audit"],
    });
    who.to_string()
}

/// A host on such a store.
fn opened(connections: usize, links: usize) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "data_dir": folder.path().join("data"), "vault": {"key_file": folder.path().join("keys")},
        "outbox": {"deliver": false}, "callbacks": {"work": false}, "plugins": [],
    });
    let open = || Host::open(config.to_string().as_bytes(), Hooks::default()).unwrap();
    // The first one makes the database.
    open().close(0).unwrap();
    filled(folder.path(), connections, links);
    (open(), folder)
}

fn get(host: &Host, render: &str, url: &str) -> String {
    let request = HttpRequest { method: "GET", url, headers: &[], body: b"" };
    let answer = host.page(who(render).as_bytes(), &request).unwrap();
    let body = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{url}: {body}");
    body
}

/// Statements and bytes of each page. With `PSA_MEASURE` the time of each is printed.
fn measured(connections: usize, links: usize) -> Vec<(String, u64, usize)> {
    let (host, _folder) = opened(connections, links);
    let get = |url: &str| get(&host, "page", url).len();
    let page = |url: &&str| {
        // Once before: what is prepared for the first time counts twice.
        get(url);
        let before = STATEMENTS.load(Ordering::SeqCst);
        let bytes = get(url);
        let asked = STATEMENTS.load(Ordering::SeqCst) - before;
        if std::env::var_os("PSA_MEASURE").is_some() {
            let (rounds, begun) = (50, std::time::Instant::now());
            (0..rounds).for_each(|_| assert_eq!(get(url), bytes));
            eprintln!("{connections} connections, {links} links, {url}: {:?}, {bytes} bytes", begun.elapsed() / rounds);
        }
        ((*url).to_owned(), asked, bytes)
    };
    PAGES.iter().map(page).collect()
}

#[test]
fn no_page_asks_more_or_grows_without_bound_with_more_rows() {
    let few = measured(3, 3);
    let many = measured(1_000, if std::env::var_os("PSA_MEASURE").is_some() { 100_000 } else { 20_000 });
    for ((url, asked_few, _), (_, asked, bytes)) in few.into_iter().zip(many) {
        assert!(asked > 0 && asked <= asked_few, "{url}: {asked_few} statements with few rows, {asked} with many");
        assert!(asked <= 20, "{url}: {asked} statements");
        assert!(bytes < 60_000, "{url}: {bytes} bytes");
    }
}

#[test]
fn of_very_many_links_it_is_said_that_there_are_more() {
    let (host, _folder) = opened(1, 10_001);
    get(&host, "page", "/c/c00000/tickets").split("10,000+").nth(2).expect("the tab and the list say so");
    let (host, _folder) = opened(1, 10_000);
    assert!(!get(&host, "page", "/c/c00000/tickets").contains("10,000+"));
}

#[test]
fn the_html_is_drawn_from_the_json_and_from_nothing_else() {
    let (host, _folder) = opened(12, 3);
    for url in PAGES {
        let json = get(&host, "json", url);
        let view: View = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{url}: {error}: {json}"));
        let who = Who::read(who("page").as_bytes()).unwrap().unwrap();
        let words = Words::of(&who, 0);
        let drawn = Drawn { who: &who, words: &words, token: None };
        assert_eq!(html::document(&drawn, &view), get(&host, "page", url), "{url}");
    }
}
