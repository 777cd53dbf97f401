//! Lists that the provider fills: shown at once and read anew behind the page, and looked through where they are long.

use psa_tests::browse::{Shown, Visitor};
use psa_tests::filled::{gallery, send, settings};
use serde_json::{Value, json};

/// A field of a page.
fn field(ann: &Visitor<'_>, page: impl Fn(&Visitor<'_>) -> Shown, key: &str) -> Value {
    let view = page(&ann.with("render", json!("json"))).json();
    let groups = view["form"]["groups"].as_array().unwrap_or_else(|| panic!("{view:#}")).clone();
    let mut fields = groups.iter().flat_map(|group| group["fields"].as_array().unwrap().clone());
    fields.find(|field| field["key"] == key).unwrap_or_else(|| panic!("no {key}"))
}

fn items(field: &Value) -> Vec<(String, String)> {
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let all = field["choices"]["items"].as_array().unwrap();
    all.iter().map(|item| (word(item, "value"), word(item, "label"))).collect()
}

#[test]
fn a_list_is_shown_at_once_and_read_anew_behind_the_page() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let look = |key: &str| field(&ann, |ann| ann.get(&url), key);
    let read_at = || items(&look("moment"))[0].1.clone();
    // It is good for a second; one list of the page takes longer than the page waits, so each look lasts for three.
    let first = read_at();
    assert_eq!(read_at(), first, "what was read is shown, and read anew behind it");
    assert!((0..20).any(|_| read_at() != first));
    // What takes longer than any page waits goes on behind it: begun anew by each look it would never be there.
    let slow = (0..20).find_map(|_| items(&look("slow")).pop());
    assert_eq!(slow.unwrap().1, "At last (at-last)");
    // Whoever wants it anew gets it anew.
    let before = read_at();
    let reloaded = field(&ann, |ann| send(ann, &url, &[("_action", "reload:choices")]), "moment");
    assert_ne!(items(&reloaded)[0].1, before);
}

#[test]
fn a_long_list_is_looked_through_by_the_provider() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let page = ann.get(&url);
    page.says("The list is long: the first 50 are shown.");
    assert!(page.body.len() < 60_000, "{}", page.body.len());
    let person = field(&ann, |ann| ann.get(&url), "person");
    assert_eq!((items(&person).len(), person["choices"]["search"]["name"].as_str()), (50, Some("person.find")));
    let find = |words: &str| {
        field(&ann, |ann| send(ann, &url, &[("_action", "find:person"), ("person.find", words)]), "person")
    };
    let many = find("ada");
    assert_eq!(items(&many).len(), 50);
    assert!(items(&many).iter().all(|(_, label)| label.starts_with("Ada")), "{many:#}");
    assert_eq!(
        many["choices"]["search"]["said"]["text"],
        "More than 50 were found for “ada”; the first ones are in the list. Type more of the name."
    );
    // One that is far behind what was read of the list.
    let one = find("Ada Number 995");
    assert_eq!(items(&one), [("995".to_owned(), "Ada Number 995 (995)".to_owned())]);
    let none = find("Zoe");
    assert_eq!((items(&none).len(), none["choices"]["search"]["words"].as_str()), (0, Some("Zoe")));
    // Looking saves nothing, and loses nothing of what stands in the form.
    let looked = send(&ann, &url, &[("title", "Half done"), ("_action", "find:person"), ("person.find", "Bo")]);
    assert_eq!((looked.status, looked.value("title").as_deref()), (200, Some("Half done")));
    assert_eq!(looked.value("person.find").as_deref(), Some("Bo"));
    assert_ne!(settings(&world, &connection)["settings"]["title"], "Half done");
    let german = ann.with("locale", json!("de"));
    send(&german, &url, &[("_action", "find:person"), ("person.find", "Zoe")]).says("Zu „Zoe“ wurde nichts gefunden.");
}

#[test]
fn what_was_found_is_saved_and_keeps_its_name() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let more = [("person", "995"), ("crew", "998"), ("colleague", "4711"), ("number", "299")];
    let saved = send(&ann, &url, &more);
    assert_eq!(saved.status, 303, "{}", saved.text());
    let of = |key: &str| field(&ann, |ann| ann.get(&url), key);
    assert_eq!(
        (of("person")["values"].clone(), items(&of("person"))[0].1.as_str()),
        (json!(["995"]), "Ada Number 995 (995)")
    );
    assert_eq!(items(&of("crew"))[0].1, "Dee Number 998 (998)");
    // One that is not there any more stays chosen, and says so.
    assert_eq!(items(&of("colleague"))[0], ("4711".to_owned(), "4711, saved, not in the list".to_owned()));
    assert_eq!(items(&of("number"))[0].1, "Number 299 (299)");
    let page = ann.get(&url);
    page.says("Ada Number 995 (995)");
    assert!(page.body.len() < 60_000, "{}", page.body.len());
    // What is chosen stays chosen while something else is looked for.
    let found = field(&ann, |ann| send(ann, &url, &[("_action", "find:crew"), ("crew.find", "Bo")]), "crew");
    assert_eq!((found["values"].clone(), items(&found)[0].0.as_str()), (json!(["998"]), "998"));
    assert!(items(&found).len() > 1);
}

#[test]
fn an_id_can_be_typed_where_the_form_says_so_and_a_list_that_is_here_is_looked_through_here() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let find = |key: &str, words: &str| {
        let (action, name) = (format!("find:{key}"), format!("{key}.find"));
        field(&ann, |ann| send(ann, &url, &[("_action", &action), (&name, words)]), key)
    };
    assert_eq!(items(&find("colleague", "x-17")), [("x-17".to_owned(), "x-17, as it was typed".to_owned())]);
    assert_eq!(items(&find("person", "x-17")), []);
    let numbers = find("number", "number 29");
    let values: Vec<String> = items(&numbers).into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["29", "129", "229", "290", "291", "292", "293", "294", "295", "296", "297", "298", "299"]);
    // Without the permission to change there is nothing to look with.
    ann.may(&["view"]).get(&url).hides("person.find");
}
