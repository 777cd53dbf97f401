//! What every engine must do: the traits' promises as tests. A second engine only has to pass them.
//!
//! Holds: [`all`], which an engine's own tests call with a way to make an empty store.
//! Promises: nothing here knows an engine.

use super::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Makes an empty store; the guard keeps whatever it needs alive.
pub(super) type Make<'a> = &'a dyn Fn() -> (Arc<dyn Store>, Box<dyn std::any::Any>);

/// Runs the whole contract.
pub(super) fn all(make: Make<'_>) {
    let tests: [(&str, fn(&dyn Store)); 13] = [
        ("a unit of work is kept whole or not at all", whole),
        ("tenants do not see each other", tenants),
        ("one account is connected once", accounts),
        ("a ticket is linked once", links),
        ("a key stands for one payload", keys),
        ("a lane has one head, the oldest", lanes),
        ("an attempt opens only while everything is so", attempts),
        ("a step happens only from the state it expects", steps),
        ("an entity belongs to one operation", bindings),
        ("newer statuses make older ones pointless", statuses),
        ("events come until they are acknowledged", events),
        ("plugins' values expire and are listed by prefix", values),
        ("sealed values are replaced only if they are still there", seals),
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
        place: place.clone(),
        plugin: "acme".into(),
        name: "Acme".into(),
        settings: Map::new(),
        settings_version: 1,
        credential_version: 1,
        account: None,
        identity: None,
        state: ConnectionState::Active,
        reason: None,
        detail: None,
        created: NOW,
        changed: NOW,
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

fn operation(place: &Place, id: &str, link: &str, kind: Kind) -> NewOperation {
    NewOperation {
        place: place.clone(),
        operation: id.into(),
        link: link.into(),
        new_link: None,
        kind,
        client_key: None,
        payload: vec![1],
        likeness: None,
        sealed: Sealed { key: "k".into(), token: format!("sealed {id}") },
        visibility: None,
        wanted: None,
        base: None,
        not_after: NOW + 1000,
        now: NOW,
        record: Record::default(),
    }
}

fn accept(store: &dyn Store, place: &Place, id: &str) -> StoredOperation {
    match store.accept(operation(place, id, "l", Kind::Note)).wait().unwrap() {
        Accepted::New(row) | Accepted::Known(row) => *row,
    }
}

fn open(store: &dyn Store, lane: &LaneId, id: &str, owner: &str, living: &[&str], now: i64) -> Option<i64> {
    let row = store.operation("t", id).unwrap().unwrap();
    let open = OpenAttempt {
        lane: lane.clone(),
        row: (&row).into(),
        lease: Lease { owner: owner.into(), token: format!("token of {owner}"), until: now + 100 },
        fence: Some("17".into()),
        wanted: None,
        now,
        living: living.iter().map(|owner| (*owner).to_owned()).collect(),
    };
    store.open_attempt(open).wait().unwrap()
}

fn step(place: &Place, id: &str, from: State, attempt: Option<i64>, to: State) -> Step {
    Step {
        place: place.clone(),
        operation: id.into(),
        from,
        attempt,
        token: None,
        to,
        reason: matches!(to, State::Held | State::Refused).then(|| "because".to_owned()),
        error: None,
        evidence: None,
        next_at: 0,
        never_resend: false,
        attempt_end: None,
        binding: None,
        outcome: (to == State::Delivered).then_some(Outcome::Applied),
        link: None,
        watch_at: None,
        not_after: None,
        unless: None,
        decided_by: None,
        now: NOW,
        record: told("step"),
    }
}

fn state(store: &dyn Store, id: &str) -> State {
    store.operation("t", id).unwrap().unwrap().state
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
    accept(store, &place("t"), "o");
    assert_eq!(store.operation("u", "o").unwrap(), None);
    // A link of one tenant takes no operation of another.
    let foreign = store.accept(operation(&other, "o2", "l", Kind::Note)).wait();
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

fn keys(store: &dyn Store) {
    let (place, _) = ready(store);
    let with = |id: &str, payload: u8| NewOperation {
        client_key: Some(vec![7]),
        payload: vec![payload],
        ..operation(&place, id, "l", Kind::Note)
    };
    assert!(matches!(store.accept(with("o1", 1)).wait().unwrap(), Accepted::New(_)));
    match store.accept(with("o2", 1)).wait().unwrap() {
        Accepted::Known(row) => assert_eq!(row.operation, "o1"),
        Accepted::New(_) => panic!("it is known"),
    }
    assert_eq!(store.accept(with("o3", 2)).wait(), Err(StoreError::Conflict(Conflict::ClientKey)));
    assert_eq!(store.by_client_key(&place, &[7]).unwrap().unwrap().operation, "o1");
    assert_eq!(
        store.list_operations(&OperationFilter { tenant: "t".into(), ..Default::default() }, 0, 10).unwrap().len(),
        1
    );
}

fn lanes(store: &dyn Store) {
    let (place, lane) = ready(store);
    for id in ["o1", "o2", "o3"] {
        accept(store, &place, id);
    }
    let head = || store.head(&lane).unwrap().map(|row| row.operation);
    let ask = |without: &[Place]| {
        let me = ["me".to_owned()];
        store.due(&Due { now: NOW, latest: NOW + 100, me: "me", living: &me, without, limit: 10 }).unwrap().len()
    };
    let due = || ask(&[]);
    assert_eq!((head().as_deref(), due()), (Some("o1"), 1));
    assert!(store.step(step(&place, "o1", State::Queued, None, State::Held)).wait().unwrap());
    assert_eq!(head().as_deref(), Some("o2"));
    // What was held comes back behind the present head, though it is older; then before the younger ones.
    assert!(store.step(step(&place, "o1", State::Held, None, State::Queued)).wait().unwrap());
    assert_eq!(head().as_deref(), Some("o2"));
    assert!(store.step(step(&place, "o2", State::Queued, None, State::Discarded)).wait().unwrap());
    assert_eq!(head().as_deref(), Some("o1"));
    assert_eq!(ask(std::slice::from_ref(&place)), 0);
    let pause = Box::new(|row: &mut StoredConnection| {
        (row.state, row.reason) = (ConnectionState::Stopped, Some(StopReason::Paused));
        true
    });
    store.change(&place, pause, SecretChanges::default(), Record::default()).wait().unwrap();
    assert_eq!(due(), 0);
    assert_eq!(open(store, &lane, "o1", "me", &["me"], NOW), None);
}

fn attempts(store: &dyn Store) {
    let (place, lane) = ready(store);
    accept(store, &place, "o1");
    accept(store, &place, "o2");
    assert_eq!(open(store, &lane, "o2", "me", &["me"], NOW), None, "not the head");
    assert_eq!(open(store, &lane, "o1", "me", &["me"], NOW + 1000), None, "too late");
    assert_eq!(open(store, &lane, "o1", "me", &["me"], NOW), Some(1));
    assert_eq!(open(store, &lane, "o1", "me", &["me"], NOW), None, "open already");
    let claim = |owner: &str, living: &[&str], now: i64| {
        let lease = Lease { owner: owner.into(), token: "of a thief".into(), until: now + 100 };
        let living = living.iter().map(|owner| (*owner).to_owned()).collect();
        let row = (&store.operation("t", "o1").unwrap().unwrap()).into();
        store.claim(Claim { lane: lane.clone(), row, lease, living, now }).wait().unwrap()
    };
    assert!(!claim("other", &["me", "other"], NOW), "its owner lives");
    let living = ["me".to_owned(), "other".to_owned()];
    let theirs = Due { now: NOW, latest: NOW + 100, me: "other", living: &living, without: &[], limit: 10 };
    assert_eq!(store.due(&theirs).unwrap(), []);
    assert!(claim("other", &["other"], NOW), "its owner is dead");
    // The old owner's answer comes too late.
    let late =
        Step { token: Some("token of me".into()), ..step(&place, "o1", State::Queued, Some(1), State::Delivered) };
    assert!(!store.step(late).wait().unwrap());
    let end = Step {
        token: Some("of a thief".into()),
        attempt_end: Some(AttemptEnd::InDoubt),
        ..step(&place, "o1", State::Queued, Some(1), State::InDoubt)
    };
    assert!(store.step(end).wait().unwrap());
    let tries = store.attempts("t", "o1").unwrap();
    assert_eq!((tries.len(), tries[0].outcome), (1, Some(AttemptEnd::InDoubt)));
    assert_eq!(store.operation("t", "o1").unwrap().unwrap().doubts, 1);
    assert_eq!(open(store, &lane, "o1", "me", &["me"], NOW), None, "in doubt is not sent");
    // A wait that no clock of today can have meant does not block the lane.
    let row = store.operation("t", "o1").unwrap().unwrap();
    let lease = Lease { owner: "me".into(), token: "now".into(), until: NOW };
    let claim = Claim { lane: lane.clone(), row: (&row).into(), lease, living: vec!["me".into()], now: NOW };
    assert!(store.claim(claim.clone()).wait().unwrap());
    let looked = |next_at: i64| Looked {
        place: place.clone(),
        operation: "o1".into(),
        token: "now".into(),
        quiet: 5,
        empty_at: None,
        next_at,
        evidence: None,
    };
    let me = ["me".to_owned()];
    let due = Due { now: NOW, latest: NOW + 100, me: "me", living: &me, without: &[], limit: 10 };
    for (next_at, count) in [(NOW, 1), (NOW + 50, 0), (NOW + 101, 1)] {
        assert!(store.looked(looked(next_at)).wait().unwrap());
        assert_eq!(store.due(&due).unwrap().len(), count, "{next_at}");
    }
    // Another life of it cannot be claimed by what was read of this one.
    let stale = Claim { row: AsRead { doubts: 0, ..(&row).into() }, ..claim };
    assert!(!store.claim(stale).wait().unwrap());
}

fn steps(store: &dyn Store) {
    let (place, _) = ready(store);
    accept(store, &place, "o");
    let before = newest(store);
    assert!(!store.step(step(&place, "o", State::InDoubt, None, State::Delivered)).wait().unwrap());
    assert!(!store.step(step(&place, "o", State::Queued, Some(1), State::Delivered)).wait().unwrap());
    assert_eq!((newest(store), state(store, "o")), (before, State::Queued));
    assert!(store.step(step(&place, "o", State::Queued, None, State::Delivered)).wait().unwrap());
    assert_eq!(newest(store), before + 1);
    // Whatever is tried, an end is an end.
    for to in [State::Queued, State::InDoubt, State::Held, State::Refused, State::Discarded] {
        assert!(store.step(step(&place, "o", State::Delivered, None, to)).wait().is_err(), "{to:?}");
        assert_eq!(state(store, "o"), State::Delivered);
    }
    accept(store, &place, "p");
    // Nothing that is only queued comes into doubt.
    assert!(store.step(step(&place, "p", State::Queued, None, State::InDoubt)).wait().is_err());
    // What it would wait for is there: it does not wait.
    let unless = |unless| Step { unless: Some(unless), ..step(&place, "p", State::Queued, None, State::Held) };
    assert!(!store.step(unless(Unless::TicketIsThere)).wait().unwrap());
    let missing = Unless::Mapped { scope: "1".into(), value: "open".into() };
    assert!(store.step(unless(missing.clone())).wait().unwrap());
    assert!(store.step(step(&place, "p", State::Held, None, State::Queued)).wait().unwrap());
    let mapping = StatusMapping { scope: "1".into(), value: "open".into(), status: "7".into(), decided_by: None };
    store.map_statuses(&place, vec![mapping], NOW, Record::default()).wait().unwrap();
    assert!(!store.step(unless(missing)).wait().unwrap());
    let changes = store.transitions("t", "o").unwrap();
    assert_eq!((changes.len(), changes[0].from, changes[0].to), (1, State::Queued, State::Delivered));
}

fn bindings(store: &dyn Store) {
    let (place, _) = ready(store);
    accept(store, &place, "o1");
    accept(store, &place, "o2");
    let bind = |id: &str| Step {
        binding: Some(Binding { kind: "note", remote: "55".into(), ticket: Some("1001".into()) }),
        ..step(&place, id, State::Queued, None, State::Delivered)
    };
    assert!(store.step(bind("o1")).wait().unwrap());
    let before = newest(store);
    assert_eq!(store.step(bind("o2")).wait(), Err(StoreError::Conflict(Conflict::RemoteTaken)));
    assert_eq!((state(store, "o2"), newest(store)), (State::Queued, before));
    let of = |kind| store.bound_among(&place, kind, &["54".into(), "55".into()]).unwrap();
    assert_eq!((of("note"), of("ticket").len()), (vec!["55".to_owned()], 0));
}

fn statuses(store: &dyn Store) {
    let (place, lane) = ready(store);
    let set = |id: &str| store.accept(operation(&place, id, "l", Kind::Status)).wait().unwrap();
    set("s1");
    set("s2");
    let older = store.operation("t", "s1").unwrap().unwrap();
    assert_eq!((older.state, older.reason.as_deref()), (State::Refused, Some("superseded")));
    // What is being sent is left alone.
    assert_eq!(open(store, &lane, "s2", "me", &["me"], NOW), Some(1));
    set("s3");
    assert_eq!(state(store, "s2"), State::Queued);
    accept(store, &place, "n");
    set("s4");
    assert_eq!((state(store, "s3"), state(store, "n")), (State::Refused, State::Queued));
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
    accept(store, &place, "o");
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
}
