//! The contract's part on what pages show of links and operations.

use super::operations::{accept, operation, step};
use super::*;

/// All rows of a list, page by page of two, by their links.
fn walked(store: &dyn Store, place: &Place, which: Listed<'_>) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let rows = store.list_rows(place, which, after.as_ref(), 2).unwrap();
        all.extend(rows.iter().map(|row| row.link.link.clone()));
        match rows.last() {
            Some(last) if rows.len() == 2 => after = Some(last.position.clone()),
            _ => return all,
        }
    }
}

fn link_and_operation(store: &dyn Store, place: &Place, link: &str) {
    store.link(super::link(place, link, &format!("2{link}")), Record::default()).wait().unwrap();
    store.accept(operation(place, &format!("o{link}"), link, Kind::Note)).wait().unwrap();
}

/// Links that were made in the same moment: the place in a list tells them apart.
pub(super) fn lists(store: &dyn Store) {
    let (place, _) = ready(store);
    for link in ["a", "b", "c", "d"] {
        link_and_operation(store, &place, link);
    }
    accept(store, &place, "last");
    let moved = |id: &str, from: State, to: State| {
        assert!(store.step(step(&place, id, from, None, to)).wait().unwrap(), "{id}");
    };
    moved("ob", State::Queued, State::Held);
    moved("oc", State::Queued, State::Held);
    moved("od", State::Queued, State::Refused);
    assert_eq!(walked(store, &place, Listed::All), ["l", "d", "c", "b", "a"]);
    assert_eq!(walked(store, &place, Listed::Waiting), ["a", "l"]);
    assert_eq!(walked(store, &place, Listed::Held), ["b", "c"]);
    assert_eq!(walked(store, &place, Listed::Refused(NOW)), ["d"]);
    assert_eq!(walked(store, &place, Listed::Refused(NOW + 1)), [""; 0]);
    assert_eq!(walked(store, &place, Listed::Doubt), [""; 0]);
    store.unlink("t", "d", NOW, Record::default()).wait().unwrap();
    assert_eq!(walked(store, &place, Listed::Apart), ["d"]);
    let found = |text: &str| {
        let rows = store.list_rows(&place, Listed::Found(text), None, 10).unwrap();
        rows.into_iter().map(|row| row.link.link).collect::<Vec<_>>()
    };
    assert_eq!((found("2a"), found("100"), found("3")), (vec!["a".to_owned()], vec!["l".to_owned()], Vec::new()));
    // Each with the operation that says how it stands.
    let row = store.list_rows(&place, Listed::One("b"), None, 1).unwrap().remove(0);
    assert_eq!(row.operation.map(|operation| (operation.operation, operation.state)), Some(("ob".into(), State::Held)));
    let counts = store.count_rows(&place, NOW).unwrap();
    let expected = LinkCounts { all: 5, waiting: 2, doubt: 0, held: 2, refused: 1, apart: 1, gone: 0, retryable: 2 };
    assert_eq!(counts, expected);
    assert_eq!(store.retryable(&place, 10).unwrap(), ["ob", "oc"]);
    // Another tenant has none of it.
    let other = Place { tenant: "u".into(), ..place };
    assert!(walked(store, &other, Listed::All).is_empty());
    assert_eq!(store.count_rows(&other, 0).unwrap(), LinkCounts::default());
}

/// A link takes another one's place whole, or not at all.
pub(super) fn replaced(store: &dyn Store) {
    let (place, _) = ready(store);
    let new = |id: &str, ticket: &str| StoredLink { link: id.into(), ..super::link(&place, "l", ticket) };
    accept(store, &place, "o");
    let waits = store.replace_link("l", new("m", "1002"), Record::default()).wait();
    assert_eq!(waits, Err(StoreError::Conflict(Conflict::Waiting)));
    store.step(step(&place, "o", State::Queued, None, State::Discarded)).wait().unwrap();
    store.link(super::link(&place, "x", "1003"), Record::default()).wait().unwrap();
    let taken = store.replace_link("l", new("m", "1003"), Record::default()).wait();
    assert_eq!(taken, Err(StoreError::Conflict(Conflict::SameLink)));
    let state = |id: &str| store.get_link("t", id).unwrap().map(|link| link.state);
    assert_eq!((state("l"), state("m")), (Some(LinkState::Linked), None));
    assert!(store.replace_link("l", new("m", "1002"), Record::default()).wait().unwrap());
    assert_eq!((state("l"), state("m")), (Some(LinkState::Unlinked), Some(LinkState::Linked)));
    // What is apart already is not replaced.
    assert!(!store.replace_link("l", new("n", "1004"), Record::default()).wait().unwrap());
    assert_eq!(state("n"), None);
}
