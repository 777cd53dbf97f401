//! The contract's part on what comes in.

use super::*;
use psa_host_api::model::{ChangeAction, Verdict};

const HASH: [u8; 32] = [7; 32];

pub(super) fn subscription(place: &Place) -> StoredSubscription {
    StoredSubscription {
        place: place.clone(),
        subscription: "s".into(),
        remote: Some("5".into()),
        kind: "ticket".into(),
        level: "owner".into(),
        object: "1".into(),
        token_hash: HASH.to_vec(),
        state: SubscriptionState::Active,
        revived: vec![1, 2],
        disabled_by: None,
        heard: None,
        created: NOW,
        changed: NOW,
    }
}

fn subscribed(store: &dyn Store) -> Place {
    let (place, _) = ready(store);
    store.put_subscription(subscription(&place), Record::default()).wait().unwrap();
    place
}

fn keep(store: &dyn Store, place: &Place, waiting_max: u64) -> Kept {
    keep_text(store, place, waiting_max, "sealed callback".into())
}

fn keep_text(store: &dyn Store, place: &Place, waiting_max: u64, token: String) -> Kept {
    kept(store, place, waiting_max, Sealed { key: "k".into(), token }).unwrap()
}

pub(super) fn kept(store: &dyn Store, place: &Place, waiting_max: u64, sealed: Sealed) -> Result<Kept, StoreError> {
    let new = NewCallback {
        token_hash: HASH,
        received: NOW,
        waiting_max,
        place: place.clone(),
        subscription: "s".into(),
        sealed,
    };
    store.keep_callback(new).wait()
}

fn ticket(id: &str) -> NewDirty {
    NewDirty {
        kind: "ticket".into(),
        entity: id.into(),
        action: ChangeAction::Updated,
        by: Some("jdoe".into()),
        source: DirtySource::Callback,
    }
}

fn judge(store: &dyn Store, place: &Place, id: i64, verdict: Verdict, message: &str) {
    let judged = Judged {
        place: place.clone(),
        id,
        subscription: "s".into(),
        verdict,
        reason: None,
        detail: None,
        message: Some(message.into()),
        dirty: if verdict == Verdict::Verified { vec![ticket("1001")] } else { Vec::new() },
        read_at: NOW,
        now: NOW,
    };
    store.judged(vec![judged]).wait().unwrap();
}

pub(super) fn deliveries(store: &dyn Store) {
    let place = subscribed(store);
    assert_eq!(store.subscription_of(&HASH).unwrap(), Some(subscription(&place)));
    assert_eq!(store.subscription_of(&[8; 32]).unwrap(), None);
    assert_eq!((keep(store, &place, 2), keep(store, &place, 2)), (Kept::Row, Kept::Row));
    assert_eq!((keep(store, &place, 2), store.cursor(&place).unwrap().overflow), (Kept::Counted, 1));
    let waiting = store.waiting_callbacks(&place, NOW, 10).unwrap();
    assert_eq!((waiting.len(), store.count_waiting(&place).unwrap()), (2, 2));
    store.judge_later(&place, vec![waiting[0].id], "no answer".into(), NOW + 10).wait().unwrap();
    assert_eq!(store.waiting_callbacks(&place, NOW, 10).unwrap()[0].id, waiting[1].id);
    judge(store, &place, waiting[0].id, Verdict::Refused, "m1");
    assert_eq!((store.dirty_due(&place, NOW, 10).unwrap(), store.cursor(&place).unwrap().heard), (vec![], None));
    judge(store, &place, waiting[0].id, Verdict::Verified, "m1");
    assert_eq!(store.dirty_due(&place, NOW, 10).unwrap(), vec![], "it was judged already");
    judge(store, &place, waiting[1].id, Verdict::Verified, "m1");
    assert_eq!((store.dirty_due(&place, NOW, 10).unwrap().len(), store.count_dirty(&place).unwrap()), (1, 1));
    assert_eq!(store.cursor(&place).unwrap().heard, Some(NOW));
    assert_eq!(store.count_waiting(&place).unwrap(), 0, "each was counted once, and none is left");
    let listed = store.list_callbacks(&place, 0, 10).unwrap();
    let states: Vec<_> = listed.iter().map(|row| (row.state, row.remote.as_deref())).collect();
    assert_eq!(states, [(CallbackState::Verified, Some("1001")), (CallbackState::Refused, None)]);
    // A repeat of a message that was proved makes nothing be read.
    let dirty = store.dirty_due(&place, NOW, 10).unwrap().remove(0);
    let nothing = Applied { dirty, view: None, new_ticket: None, now: NOW, record: Record::default() };
    store.applied(nothing).wait().unwrap();
    keep(store, &place, 2);
    let again = store.waiting_callbacks(&place, NOW, 10).unwrap().remove(0);
    judge(store, &place, again.id, Verdict::Verified, "m1");
    assert_eq!(store.dirty_due(&place, NOW, 10).unwrap(), vec![]);
    assert_eq!(store.list_callbacks(&place, 0, 1).unwrap()[0].reason.as_deref(), Some("repeat"));
    // What nobody could prove makes the next look come sooner, and nothing else.
    let later = Box::new(|cursor: &mut Cursor| {
        cursor.poll_at = NOW + 100;
        true
    });
    store.change_cursor(&place, later).wait().unwrap();
    keep(store, &place, 2);
    let odd = store.waiting_callbacks(&place, NOW, 10).unwrap().remove(0);
    judge(store, &place, odd.id, Verdict::Unverified, "m2");
    assert_eq!((store.cursor(&place).unwrap().poll_at, store.dirty_due(&place, NOW, 10).unwrap()), (NOW, vec![]));
    // The newest stay.
    assert_eq!(store.trim_callbacks(0, 1).wait().unwrap(), 3);
    assert_eq!(store.list_callbacks(&place, 0, 10).unwrap().len(), 1);
    store.delete(&place, 0, Record::default()).wait().unwrap();
    assert_eq!(store.subscription_of(&HASH).unwrap(), None);
    assert_eq!(keep(store, &place, 2), Kept::Unknown);
}

/// Those of one connection are not all in memory at once, however large they are.
pub(super) fn large_deliveries(store: &dyn Store) {
    let place = subscribed(store);
    for _ in 0..8 {
        keep_text(store, &place, 10, "x".repeat(2 << 20));
    }
    let mut seen = 0;
    loop {
        let waiting = store.waiting_callbacks(&place, NOW, 100).unwrap();
        let bytes: usize = waiting.iter().map(|callback| callback.sealed.token.len()).sum();
        assert!(bytes <= 8 << 20, "{bytes}");
        if waiting.is_empty() {
            break;
        }
        for callback in waiting {
            seen += 1;
            judge(store, &place, callback.id, Verdict::Refused, "m");
        }
    }
    assert_eq!((seen, store.count_waiting(&place).unwrap()), (8, 0));
}

fn event(kind: &'static str) -> NewEvent {
    NewEvent { tenant: "t".into(), kind, at: NOW, body: json!({}) }
}

fn known(store: &dyn Store, place: &Place) -> StoredView {
    store.views_of(place, &["1001".into()]).unwrap().remove(0)
}

/// A reading that began when this was known. Its time says nothing: it is always the same.
fn view(known: &StoredView, wanted: Option<&str>, notes: &[&str]) -> NewView {
    NewView {
        seen: Some("{}".into()),
        notes: NoteFence { fence: Some("9".into()), fence_at: 0, last: Some("9".into()), last_at: NOW },
        changed: wanted.map(|_| {
            let body = json!({"changes": {"status": {}, "closed": {}}, "caused_by": {"provider": "psabridge"}});
            NewEvent { body, ..event("ticket.changed") }
        }),
        shown: json!({"status": {"id": wanted}}),
        by_us: true,
        added: notes.iter().map(|note| ((*note).to_owned(), event("note.added"))).collect(),
        ..known.read_again(NOW, 0)
    }
}

fn dirty(store: &dyn Store, place: &Place) -> Dirty {
    store.make_dirty(place, vec![ticket("1001")], NOW, NOW).wait().unwrap();
    store.dirty_due(place, NOW, 10).unwrap().remove(0)
}

fn apply(store: &dyn Store, dirty: Dirty, view: NewView) -> Outcomes {
    store
        .applied(Applied { dirty, view: Some(view), new_ticket: None, now: NOW, record: Record::default() })
        .wait()
        .unwrap()
}

fn kinds(store: &dyn Store) -> Vec<(String, Value)> {
    let mut kinds = Vec::new();
    while let Taken::Event { id, kind, body, .. } = store.take_event("c", None, "me", NOW, NOW).wait().unwrap() {
        kinds.push((kind, body));
        store.ack_event("c", id).wait().unwrap();
    }
    kinds
}

pub(super) fn readings(store: &dyn Store) {
    let place = subscribed(store);
    let first = dirty(store, &place);
    let never = known(store, &place);
    // Announced again while it is read: it is read again.
    store.make_dirty(&place, vec![ticket("1001")], NOW, NOW).wait().unwrap();
    assert_eq!(apply(store, first, view(&never, None, &["7", "8"])), Outcomes::Done);
    assert_eq!(kinds(store).len(), 2);
    let second = store.dirty_due(&place, NOW, 10).unwrap().remove(0);
    let once = known(store, &place);
    assert_eq!((once.seen.as_deref(), once.notes.fence.as_deref()), (Some("{}"), Some("9")));
    // Who has read an older state is told nothing, and tells nothing, also within the same millisecond.
    assert_eq!(apply(store, second.clone(), view(&never, None, &["10"])), Outcomes::Again);
    assert_eq!(apply(store, second, view(&once, None, &["8", "10"])), Outcomes::Done);
    assert_eq!(kinds(store).len(), 1, "8 was told before");
    assert_eq!(store.dirty_due(&place, NOW, 10).unwrap(), vec![]);
}

/// An operation that wants this status, and is delivered.
fn delivered(store: &dyn Store, lane: &LaneId, operation: &str, wanted: &str, now: i64) {
    let number = sent(store, lane, operation, wanted);
    let end = Step {
        binding: Some(Binding { kind: "note", remote: format!("of {operation}"), ticket: Some("1001".into()) }),
        ..operations::step(&lane.place, operation, State::Queued, Some(number), State::Delivered)
    };
    assert!(store.step(Step { now, ..end }).wait().unwrap());
    kinds(store);
}

/// The same, on its way.
fn sent(store: &dyn Store, lane: &LaneId, operation: &str, wanted: &str) -> i64 {
    let new = operations::operation(&lane.place, operation, "l", Kind::Status);
    store.accept(NewOperation { wanted: Some(wanted.into()), now: NOW, ..new }).wait().unwrap();
    operations::open(store, lane, operation, "me", &["me"], NOW).unwrap()
}

pub(super) fn causes(store: &dyn Store) {
    let place = subscribed(store);
    let lane = LaneId { place: place.clone(), link: "l".into() };
    // While something of ours is on its way nothing is told.
    let number = sent(store, &lane, "o", "102");
    let early = known(store, &place);
    let first = dirty(store, &place);
    assert_eq!(apply(store, first.clone(), view(&early, Some("102"), &[])), Outcomes::Again);
    let end = operations::step(&place, "o", State::Queued, Some(number), State::Delivered);
    assert!(store.step(end).wait().unwrap());
    kinds(store);
    // Nor of a reading that began before it arrived: nobody knows whether it is in it.
    assert_eq!(apply(store, first.clone(), view(&early, Some("102"), &[])), Outcomes::Again);
    assert_eq!(apply(store, first, view(&known(store, &place), Some("102"), &[])), Outcomes::Done);
    assert_eq!(kinds(store)[0].1["caused_by"], json!({"operations": ["o"]}));
    let read = |wanted: &str, by_us: bool, notes: &[&str]| {
        let view = NewView { by_us, ..view(&known(store, &place), Some(wanted), notes) };
        assert_eq!(apply(store, dirty(store, &place), view), Outcomes::Done);
        kinds(store)
    };
    // A change that we have made names its operation. Somebody else was the last to change it: that may be the same field
    // once more.
    delivered(store, &lane, "o1", "102", NOW);
    let told = read("102", false, &["of o1", "12"]);
    assert_eq!(told[0].1["caused_by"], json!({"provider": "psabridge", "operations": ["o1"]}));
    assert_eq!(told.len(), 2, "the first note is ours: {told:?}");
    // Whatever the clock says: it was put back before this one ended.
    delivered(store, &lane, "o2", "103", NOW - 3_600_000);
    assert_eq!(read("103", true, &[])[0].1["caused_by"], json!({"operations": ["o2"]}));
    assert_eq!(read("104", true, &[])[0].1["caused_by"], json!({"provider": "psabridge"}), "that was somebody else");
    // Two of ours, and the first one's value is there: a person has set it once more.
    delivered(store, &lane, "o3", "105", NOW);
    delivered(store, &lane, "o4", "106", NOW);
    let told = read("105", true, &[]);
    assert_eq!(told[0].1["caused_by"], json!({"provider": "psabridge"}), "the last of ours wanted another");
}

/// What had come when a reading began is in it, however late it is proved.
pub(super) fn overtaken(store: &dyn Store) {
    let place = subscribed(store);
    let keep = || {
        keep(store, &place, 10);
        store.heard_until(&place, NOW).unwrap()
    };
    let due = || store.dirty_due(&place, NOW, 10).unwrap();
    let (first, second) = (keep(), keep());
    assert_eq!(store.heard_until(&place, NOW - 1).unwrap(), 0, "it has not settled");
    judge(store, &place, first, Verdict::Verified, "m1");
    let reading = NewView { heard: second, ..view(&known(store, &place), None, &[]) };
    let announced = due().remove(0);
    judge(store, &place, second, Verdict::Verified, "m2");
    assert_eq!((apply(store, announced, reading), due()), (Outcomes::Done, vec![]));
    // One that is proved after that reading has ended says nothing new either.
    let (third, fourth) = (keep(), keep());
    judge(store, &place, third, Verdict::Verified, "m3");
    let reading = NewView { heard: fourth, ..view(&known(store, &place), None, &[]) };
    assert_eq!(apply(store, due().remove(0), reading), Outcomes::Done);
    judge(store, &place, fourth, Verdict::Verified, "m4");
    assert_eq!(due(), vec![]);
    // What was taken up before it had settled is done too. It is not taken up again at once, and again.
    let fifth = keep();
    judge(store, &place, fifth, Verdict::Verified, "m5");
    let reading = NewView { heard: fourth, ..view(&known(store, &place), None, &[]) };
    assert_eq!((apply(store, due().remove(0), reading), due()), (Outcomes::Done, vec![]));
    // What came after the reading began is read again; so is what somebody else announced meanwhile.
    let sixth = keep();
    judge(store, &place, sixth, Verdict::Verified, "m6");
    let (announced, reading) = (due().remove(0), NewView { heard: sixth, ..view(&known(store, &place), None, &[]) });
    let seventh = keep();
    judge(store, &place, seventh, Verdict::Verified, "m7");
    assert_eq!((apply(store, announced, reading), due().len()), (Outcomes::Done, 1));
    let (announced, reading) = (due().remove(0), NewView { heard: seventh, ..view(&known(store, &place), None, &[]) });
    store.make_dirty(&place, vec![ticket("1001")], NOW, NOW).wait().unwrap();
    assert_eq!((apply(store, announced, reading), due().len()), (Outcomes::Done, 1));
    // Deliveries go with their registration; what they have announced ends as soon as it is read.
    let eighth = keep();
    judge(store, &place, eighth, Verdict::Verified, "m8");
    assert!(store.drop_subscription(&place, "s", Record::default()).wait().unwrap());
    assert_eq!(store.heard_until(&place, NOW).unwrap(), 0);
    let reading = view(&known(store, &place), None, &[]);
    assert_eq!((apply(store, due().remove(0), reading), due()), (Outcomes::Done, vec![]));
}

pub(super) fn fences(store: &dyn Store) {
    let place = subscribed(store);
    let read = |fence_at: i64, notes: &[&str]| {
        let mut view = view(&known(store, &place), None, notes);
        view.notes.fence_at = fence_at;
        assert_eq!(apply(store, dirty(store, &place), view), Outcomes::Done);
        known(store, &place)
    };
    read(0, &["7"]);
    read(NOW - 1, &["7"]);
    assert_eq!(kinds(store).len(), 1, "before the fence is behind it, it is remembered");
    // From then on it is not read again, and nobody remembers it.
    let third = read(NOW, &[]);
    assert_eq!((third.notes.fence_at, kinds(store).len()), (NOW, 0));
    read(NOW, &["7"]);
    assert_eq!(kinds(store).len(), 1);
}

/// What was answered with 2xx is not forgotten with the registration it came through.
pub(super) fn goes_with_its_registration(store: &dyn Store) {
    let place = subscribed(store);
    assert!(store.drop_subscription(&place, "s", Record::default()).wait().unwrap());
    assert_eq!(store.cursor(&place).unwrap().overflow, 0, "nothing was kept");
    store.put_subscription(subscription(&place), Record::default()).wait().unwrap();
    keep(store, &place, 10);
    assert!(store.drop_subscription(&place, "s", Record::default()).wait().unwrap());
    assert_eq!(store.cursor(&place).unwrap().overflow, 1, "everything is read again");
}

pub(super) fn turns(store: &dyn Store) {
    let place = subscribed(store);
    let living = ["me".to_owned(), "other".to_owned()];
    let due = |me: &str, now: i64| {
        store.inbound_due(&InboundDue { now, latest: now + 1_000, me, living: &living, limit: 10 }).unwrap().len()
    };
    let claim = |owner: &str, now: i64| {
        let claim =
            InboundClaim { place: place.clone(), owner: owner.into(), until: now + 10, living: living.to_vec(), now };
        store.claim_inbound(claim).wait().unwrap()
    };
    assert_eq!(due("me", NOW), 1, "a new connection is looked at");
    assert!(claim("me", NOW) && claim("me", NOW) && !claim("other", NOW));
    assert_eq!((due("me", NOW), due("other", NOW)), (1, 0));
    assert!(claim("other", NOW + 11), "it took too long");
    store.release_inbound(&place, "other").wait().unwrap();
    let later = Box::new(|cursor: &mut Cursor| {
        (cursor.poll_at, cursor.ensure_at, cursor.sweep_at) = (NOW + 100, NOW + 100, NOW + 100);
        true
    });
    store.change_cursor(&place, later).wait().unwrap();
    store.door_is_at("https://a.example").wait().unwrap();
    assert_eq!(due("me", NOW), 1, "the door is elsewhere");
    let compared = Box::new(|cursor: &mut Cursor| {
        cursor.ensure_at = NOW + 100;
        true
    });
    store.change_cursor(&place, compared).wait().unwrap();
    store.door_is_at("https://a.example").wait().unwrap();
    assert_eq!((due("me", NOW), due("me", NOW + 100)), (0, 1));
    assert_eq!(due("me", NOW - 1_000), 1, "the clock was wrong when it was put off");
    keep(store, &place, 10);
    assert_eq!(due("me", NOW), 1);
    // Links are read in the order of their last reading.
    assert_eq!(store.unread_since(&place, NOW + 1, 10).unwrap().len(), 1);
    assert_eq!(store.unread_since(&place, NOW, 10).unwrap().len(), 0, "it is being read for the first time");
    let asked_for = known(store, &place).link.created;
    assert_eq!(store.oldest_reading(&place).unwrap(), Some(asked_for));
    assert_eq!(store.oldest_reading(&Place { tenant: "other".into(), ..place.clone() }).unwrap(), None);
    store.first_view(&place, "l", None, NoteFence::default(), NOW).wait().unwrap();
    assert_eq!(store.oldest_reading(&place).unwrap(), Some(NOW));
    assert_eq!(store.unread_since(&place, NOW, 10).unwrap().len(), 0);
    assert_eq!(store.count_gone(&place, 0).unwrap(), (1, 0));
    // So many may vanish and not one more; what is gone stays so since then.
    let gone = |most: u64| {
        let gone = Some(GoneLimit { since: 0, most });
        apply(store, dirty(store, &place), NewView { gone, ..view(&known(store, &place), None, &[]) })
    };
    assert_eq!(gone(0), Outcomes::TooMany);
    assert_eq!((gone(1), store.count_gone(&place, 0).unwrap()), (Outcomes::Done, (1, 1)));
    assert_eq!(gone(u64::MAX), Outcomes::Done);
    assert_eq!(known(store, &place).gone_at, Some(NOW));
}
