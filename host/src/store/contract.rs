//! What every engine must do: the traits' promises as tests. A second engine only has to pass them.
//!
//! Holds: [`all`], which an engine's own tests call with a way to make an empty store.
//! Promises: nothing here knows an engine.

mod inbound;
mod operations;
mod traced;

use super::*;
use serde_json::{Value, json};
use std::sync::Arc;

/// Makes an empty store; the guard keeps whatever it needs alive.
pub(super) type Make<'a> = &'a dyn Fn() -> (Arc<dyn Store>, Box<dyn std::any::Any>);

/// Runs the whole contract.
pub(super) fn all(make: Make<'_>) {
    type Test = (&'static str, fn(&dyn Store));
    let tests: &[Test] = &[
        ("a unit of work is kept whole or not at all", whole),
        ("tenants do not see each other", tenants),
        ("one account is connected once", accounts),
        ("a ticket is linked once", links),
        ("what belongs to a connection is counted as it comes and goes", counts),
        ("a key stands for one payload", operations::keys),
        ("a lane has one head, the oldest", operations::lanes),
        ("an attempt opens only while everything is so", operations::attempts),
        ("a step happens only from the state it expects", operations::steps),
        ("an entity belongs to one operation", operations::bindings),
        ("newer statuses make older ones pointless", operations::statuses),
        ("events come until they are acknowledged", events),
        ("plugins' values expire and are listed by prefix", values),
        ("sealed values are replaced only if they are still there", seals),
        ("a delivery is judged once, and a repeat says nothing", inbound::deliveries),
        ("large deliveries are taken up a few at a time", inbound::large_deliveries),
        ("what was read is told once", inbound::readings),
        ("a callback says nothing new of what was read since it came", inbound::overtaken),
        (
            "nothing is told while something of ours is on its way; what it caused names it, whatever the clock says",
            inbound::causes,
        ),
        ("what was told is remembered until it is behind the fence", inbound::fences),
        ("what was kept goes with no registration", inbound::goes_with_its_registration),
        ("one process at a time reads for a connection", inbound::turns),
        ("each link is on one page of a list, with how it stands", traced::lists),
        ("a link takes another one's place whole", traced::replaced),
    ];
    for (name, test) in tests {
        let (store, _guard) = make();
        println!("{name}");
        test(&*store);
        store.close();
    }
}

const NOW: i64 = 1_000_000;

fn place(tenant: &str) -> Place {
    Place { tenant: tenant.into(), connection: "c".into() }
}

fn connection(place: &Place) -> StoredConnection {
    StoredConnection {
        name: "Acme".into(),
        state: ConnectionState::Active,
        created: NOW,
        changed: NOW,
        ..StoredConnection::fresh(place.clone())
    }
}

fn told(kind: &'static str) -> Record {
    let event = NewEvent { tenant: "t".into(), kind, at: NOW, body: json!({"x": 1}) };
    Record { entries: Vec::new(), events: vec![event] }
}

fn link(place: &Place, link: &str, ticket: &str) -> StoredLink {
    StoredLink {
        place: place.clone(),
        link: link.into(),
        product_ticket: format!("HD-{link}"),
        ticket: Some(ticket.into()),
        state: LinkState::Linked,
        reference: format!("ref {link}"),
        created: NOW,
        changed: NOW,
    }
}

/// A store with a connection and a link "l".
fn ready(store: &dyn Store) -> (Place, LaneId) {
    let place = place("t");
    store.insert(connection(&place), Vec::new(), Record::default()).wait().unwrap();
    store.link(link(&place, "l", "1001"), Record::default()).wait().unwrap();
    let lane = LaneId { place: place.clone(), link: "l".into() };
    (place, lane)
}

fn newest(store: &dyn Store) -> i64 {
    store.newest_event().unwrap()
}

fn whole(store: &dyn Store) {
    let (place, _) = ready(store);
    let before = newest(store);
    let again = store.link(link(&place, "l2", "1001"), told("link")).wait();
    assert_eq!(again, Err(StoreError::Conflict(Conflict::SameLink)));
    assert_eq!((newest(store), store.get_link("t", "l2").unwrap()), (before, None));
    // What fails takes nothing else of its group with it.
    let good = store.link(link(&place, "l3", "1003"), told("link"));
    let bad = store.link(link(&place, "l4", "1003"), told("link"));
    let better = store.link(link(&place, "l5", "1005"), told("link"));
    assert!(good.wait().is_ok() && bad.wait().is_err() && better.wait().is_ok());
    assert_eq!(newest(store), before + 2);
}

fn tenants(store: &dyn Store) {
    let (_, _) = ready(store);
    let other = Place { tenant: "u".into(), connection: "c".into() };
    assert_eq!(store.get(&other).unwrap(), None);
    assert_eq!(store.get_link("u", "l").unwrap(), None);
    store.insert(connection(&other), Vec::new(), Record::default()).wait().unwrap();
    assert_eq!(store.list("u", "", 10).unwrap().len(), 1);
    operations::accept(store, &place("t"), "o");
    assert_eq!(store.operation("u", "o").unwrap(), None);
    // A link of one tenant takes no operation of another.
    let foreign = store.accept(operations::operation(&other, "o2", "l", Kind::Note)).wait();
    assert_eq!(foreign.unwrap_err(), StoreError::Conflict(Conflict::ConnectionGone));
    store.erase("t", Record::default()).wait().unwrap();
    assert_eq!(store.get(&place("t")).unwrap(), None);
    assert!(store.get(&other).unwrap().is_some());
}

fn accounts(store: &dyn Store) {
    let first = place("t");
    let second = Place { tenant: "t".into(), connection: "d".into() };
    let of = |place: &Place| StoredConnection { account: Some("acme/one".into()), ..connection(place) };
    store.insert(of(&first), Vec::new(), Record::default()).wait().unwrap();
    let again = store.insert(of(&second), Vec::new(), Record::default()).wait();
    assert_eq!(again, Err(StoreError::Conflict(Conflict::SameAccount)));
    let elsewhere = Place { tenant: "u".into(), connection: "d".into() };
    store.insert(of(&elsewhere), Vec::new(), Record::default()).wait().unwrap();
    let changed = store
        .change(
            &first,
            Box::new(|row| {
                row.name = "New".into();
                true
            }),
            SecretChanges::default(),
            Record::default(),
        )
        .wait()
        .unwrap();
    assert_eq!(changed.unwrap().name, "New");
    let unwilling = store.change(&first, Box::new(|_| false), SecretChanges::default(), told("no")).wait().unwrap();
    assert_eq!((unwilling, newest(store)), (None, 0));
}

fn links(store: &dyn Store) {
    let (place, _) = ready(store);
    let find = |product_ticket: Option<&str>, ticket: Option<&str>| {
        let filter = LinkFilter {
            tenant: "t".into(),
            connection: None,
            product_ticket: product_ticket.map(str::to_owned),
            ticket: ticket.map(str::to_owned),
        };
        store.list_links(&filter, "", 10).unwrap().len()
    };
    assert_eq!(
        (find(Some("HD-l"), None), find(None, Some("1001")), find(None, Some("7")), find(None, None)),
        (1, 1, 0, 1)
    );
    assert!(store.unlink("t", "l", NOW, Record::default()).wait().unwrap());
    assert!(!store.unlink("t", "l", NOW, told("twice")).wait().unwrap());
    // Both tickets are free again.
    store.link(StoredLink { link: "m".into(), ..link(&place, "l", "1001") }, Record::default()).wait().unwrap();
}

fn counts(store: &dyn Store) {
    let place = place("t");
    let counted = |links: u64, operations: u64, when: &str| {
        let there = store.dependents(&place).unwrap();
        assert_eq!((there.links, there.operations), (links, operations), "{when}");
        assert_eq!(store.check().unwrap(), [""; 0], "{when}");
    };
    let fill = || {
        ready(store);
        store.link(link(&place, "m", "1002"), Record::default()).wait().unwrap();
        operations::accept(store, &place, "o");
    };
    fill();
    counted(2, 1, "two links, one operation");
    assert_eq!(store.recount().wait(), Ok(0));
    counted(2, 1, "counted anew");
    let refused = store.link(link(&place, "n", "1002"), Record::default()).wait();
    assert!(refused.is_err());
    counted(2, 1, "what was not kept is not counted");
    assert!(store.unlink("t", "m", NOW, Record::default()).wait().unwrap());
    counted(2, 1, "a link that was taken apart is still there to be listed");
    assert!(store.delete(&place, 1, Record::default()).wait().unwrap());
    counted(0, 0, "nothing is left");
    // Under the same name, with the same links.
    fill();
    counted(2, 1, "made anew");
    assert!(!store.unlink("t", "gone", NOW, Record::default()).wait().unwrap());
    let other = link(&place, "p", "1003");
    assert!(store.replace_link("m", other, Record::default()).wait().unwrap());
    counted(3, 1, "one in the place of another, which is still listed");
    store.erase("t", Record::default()).wait().unwrap();
    fill();
    counted(2, 1, "made anew after the tenant was erased");
}

fn events(store: &dyn Store) {
    let take =
        |consumer: &str, owner: &str, now: i64| store.take_event(consumer, None, owner, now, now + 100).wait().unwrap();
    assert_eq!(take("a", "me", NOW), Taken::Nothing);
    for _ in 0..5 {
        store.note(told("it")).wait().unwrap();
    }
    let Taken::Event { id, body, .. } = take("a", "me", NOW) else { panic!("there is one") };
    assert_eq!((id, &body), (1, &json!({"x": 1})));
    assert!(matches!(take("a", "me", NOW), Taken::Event { id: 1, .. }), "again, until it is acknowledged");
    assert_eq!(take("a", "other", NOW), Taken::Elsewhere);
    assert!(matches!(take("a", "other", NOW + 101), Taken::Event { id: 1, .. }), "the other one took too long");
    store.let_go_of_events("me").wait().unwrap();
    assert_eq!(take("a", "me", NOW), Taken::Elsewhere, "it is not mine");
    store.let_go_of_events("other").wait().unwrap();
    assert!(matches!(take("a", "me", NOW), Taken::Event { id: 1, .. }), "whoever had it has ended");
    assert!(store.ack_event("a", 2).wait().unwrap());
    assert!(!store.ack_event("a", 1).wait().unwrap(), "backwards");
    assert!(!store.ack_event("a", 99).wait().unwrap(), "beyond what was ever there");
    assert!(matches!(take("a", "me", NOW), Taken::Event { id: 3, .. }));
    assert!(matches!(take("b", "me", NOW), Taken::Event { id: 1, .. }), "each consumer has its own place");
    store.trim_events(1).wait().unwrap();
    assert_eq!(take("b", "me", NOW), Taken::Gap { from: 1, to: 4 });
    store.ack_event("b", 4).wait().unwrap();
    assert!(matches!(take("b", "me", NOW), Taken::Event { id: 5, .. }));
    store.trim_events(0).wait().unwrap();
    assert_eq!(take("c", "me", NOW), Taken::Gap { from: 1, to: 5 });
    store.note(told("later")).wait().unwrap();
    assert_eq!(newest(store), 6, "numbers are never used again");
}

fn values(store: &dyn Store) {
    let (place, _) = ready(store);
    let sealed = |token: &str| Sealed { key: "k".into(), token: token.into() };
    store.put_value(&place, "a/1", sealed("x"), Some(NOW + 10)).wait().unwrap();
    store.put_value(&place, "a/2", sealed("y"), None).wait().unwrap();
    store.put_value(&place, "b", sealed("z"), None).wait().unwrap();
    assert_eq!(store.value_names(&place, "a/", NOW).unwrap(), ["a/1", "a/2"]);
    assert_eq!(store.value_names(&place, "a/", NOW + 10).unwrap(), ["a/2"]);
    assert_eq!(store.value(&place, "a/1", NOW + 10).unwrap(), None);
    store.put_value(&place, "a/2", sealed("new"), None).wait().unwrap();
    assert_eq!(store.value(&place, "a/2", NOW).unwrap().unwrap().token, "new");
    store.remove_value(&place, "a/2").wait().unwrap();
    assert_eq!(store.value(&place, "a/2", NOW).unwrap(), None);
    let gone = Place { tenant: "t".into(), connection: "gone".into() };
    let lost = store.put_value(&gone, "x", sealed("x"), None).wait();
    assert_eq!(lost, Err(StoreError::Conflict(Conflict::ConnectionGone)));
    let agents = vec![ProductValue { id: "1".into(), name: "Ann".into(), email: None }];
    store.set_values("t", ValueKind::Agent, 2, agents).wait().unwrap();
    let older = store.set_values("t", ValueKind::Agent, 1, Vec::new()).wait();
    assert_eq!(older, Err(StoreError::Conflict(Conflict::OldRevision)));
    assert_eq!(store.values("t", ValueKind::Agent).unwrap().len(), 1);
    assert_eq!(store.found_meta("x", "first").wait().unwrap(), "first");
    assert_eq!(store.found_meta("x", "second").wait().unwrap(), "first");
}

fn seals(store: &dyn Store) {
    let (place, _) = ready(store);
    operations::accept(store, &place, "o");
    let rows = store.sealed_otherwise("new", 10).unwrap();
    assert_eq!((rows.len(), rows[0].table), (1, "operations"));
    assert_eq!(store.key_counts().unwrap(), [("k".to_owned(), 1)]);
    let anew = Sealed { key: "new".into(), token: "anew".into() };
    assert_eq!(store.reseal(vec![(rows[0].clone(), anew.clone())]).wait().unwrap(), 1);
    // The same once more: what was read is not there any more.
    assert_eq!(store.reseal(vec![(rows[0].clone(), anew)]).wait().unwrap(), 0);
    assert!(store.sealed_otherwise("new", 10).unwrap().is_empty());
    let found: Vec<(String, Value)> = store.export("t").unwrap();
    assert!(found.iter().all(|(_, row)| !row.to_string().contains("anew")), "{found:?}");
    // Another key seals from now on: who has sealed with the one before must do it again, or its end would lose that.
    store.set_meta("sealing_key", "new").wait().unwrap();
    let changed = StoreError::Conflict(Conflict::KeyChanged);
    let old = || Sealed { key: "k".into(), token: "old".into() };
    let operation = operations::operation(&place, "late", "l", Kind::Note);
    assert_eq!(store.accept(operation).wait().unwrap_err(), changed);
    assert_eq!(store.put_value(&place, "x", old(), None).wait().unwrap_err(), changed);
    store.put_subscription(inbound::subscription(&place), Record::default()).wait().unwrap();
    assert_eq!(inbound::kept(store, &place, 10, old()).unwrap_err(), changed);
    let entered = Entered { at: NOW, by: "a".into(), fingerprint: String::new() };
    let secret = SealedSecret { name: "s".into(), version: 1, bound: String::new(), sealed: old(), entered };
    let other = Place { connection: "c2".into(), ..place };
    let inserted = store.insert(connection(&other), vec![secret], Record::default()).wait();
    assert_eq!(inserted.unwrap_err(), changed);
}
