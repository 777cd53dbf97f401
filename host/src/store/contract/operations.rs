//! The contract's part on operations.

use super::*;

pub(super) fn operation(place: &Place, id: &str, link: &str, kind: Kind) -> NewOperation {
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

pub(super) fn accept(store: &dyn Store, place: &Place, id: &str) -> StoredOperation {
    match store.accept(operation(place, id, "l", Kind::Note)).wait().unwrap() {
        Accepted::New(row) | Accepted::Known(row) => *row,
    }
}

pub(super) fn open(store: &dyn Store, lane: &LaneId, id: &str, owner: &str, living: &[&str], now: i64) -> Option<i64> {
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

pub(super) fn step(place: &Place, id: &str, from: State, attempt: Option<i64>, to: State) -> Step {
    let read = fresh(operation(place, id, "l", Kind::Note), from, attempt);
    Step {
        reason: matches!(to, State::Held | State::Refused).then(|| "because".to_owned()),
        outcome: (to == State::Delivered).then_some(Outcome::Applied),
        record: told("step"),
        ..Step::of(&read, to, NOW)
    }
}

/// A row as somebody may have read it.
fn fresh(new: NewOperation, state: State, attempt: Option<i64>) -> StoredOperation {
    StoredOperation { state, attempt, ..StoredOperation::accepted(new, 1) }
}

fn state(store: &dyn Store, id: &str) -> State {
    store.operation("t", id).unwrap().unwrap().state
}

pub(super) fn keys(store: &dyn Store) {
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

pub(super) fn lanes(store: &dyn Store) {
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
    let depends = store.dependents(&place).unwrap();
    assert_eq!((depends.links, depends.operations, depends.waiting), (1, 3, 3));
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

pub(super) fn attempts(store: &dyn Store) {
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

pub(super) fn steps(store: &dyn Store) {
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
    let mapping =
        StatusMapping { scope: "1".into(), value: "open".into(), status: "7".into(), decided_by: None, label: None };
    store.map_statuses(&place, vec![mapping], NOW, Record::default()).wait().unwrap();
    assert!(!store.step(unless(missing)).wait().unwrap());
    let changes = store.transitions("t", "o").unwrap();
    assert_eq!((changes.len(), changes[0].from, changes[0].to), (1, State::Queued, State::Delivered));
}

pub(super) fn bindings(store: &dyn Store) {
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

pub(super) fn statuses(store: &dyn Store) {
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
