//! The contract of all engines, and what is SQLite's own: plans, a full disk.

use super::{
    SqliteStore, StoreError, activity, callbacks, connections, cursors, dirty, events, links, maintenance, mappings,
    meta, operations, plugin, remap, seals, shown, steps, subscriptions, tenant, traced, views, work,
};

/// The plan of each statement, as `EXPLAIN QUERY PLAN` tells it.
#[test]
fn plans_are_as_recorded() {
    use std::fmt::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut plans = String::new();
    for (file, statements) in [
        ("activity", activity::ALL),
        ("callbacks", callbacks::ALL),
        ("connections", connections::ALL),
        ("cursors", cursors::ALL),
        ("dirty", dirty::ALL),
        ("events", events::ALL),
        ("links", links::ALL),
        ("maintenance", maintenance::ALL),
        ("mappings", mappings::ALL),
        ("meta", meta::ALL),
        ("operations", operations::ALL),
        ("plugin", plugin::ALL),
        ("remap", remap::ALL),
        ("seals", seals::ALL),
        ("shown", shown::ALL),
        ("steps", steps::ALL),
        ("subscriptions", subscriptions::ALL),
        ("tenant", tenant::ALL),
        ("traced", traced::ALL),
        ("views", views::ALL),
        ("work", work::ALL),
    ] {
        for (name, text) in statements.iter().filter(|(_, text)| !text.starts_with("PRAGMA")) {
            let _ = writeln!(plans, "{file} {name}");
            let explained: Vec<String> = store
                .read(|db| {
                    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
                    let nothing = vec![rusqlite::types::Null; explain.parameter_count()];
                    let rows = explain.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))?;
                    rows.collect()
                })
                .unwrap_or_else(|error| panic!("{file} {name}: {error}"));
            for line in explained {
                let _ = writeln!(plans, "    {line}");
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite/plans.txt");
    if std::env::var_os("PSA_BLESS").is_some() {
        std::fs::write(path, &plans).unwrap();
    }
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(plans, recorded, "a plan has changed: look at it, then record it with PSA_BLESS=1");
}

#[test]
fn it_does_what_every_engine_must() {
    crate::store::contract::all(&|| {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        (std::sync::Arc::new(store), Box::new(folder))
    });
}

#[test]
fn a_full_disk_keeps_what_was_there_and_work_goes_on_when_there_is_room() {
    use crate::store::Upkeep as _;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.set_meta("before", "kept").wait().unwrap();
    let pages = |count: Option<i64>| {
        let limit = move |db: &rusqlite::Connection| {
            let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(super::mapped)?;
            let limit = count.unwrap_or(pages);
            db.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(())).map_err(super::mapped)
        };
        store.write(limit).wait().unwrap();
    };
    pages(None);
    let large = "x".repeat(1 << 20);
    assert_eq!(store.set_meta("large", &large).wait(), Err(StoreError::Full));
    assert_eq!(store.meta("before").unwrap().as_deref(), Some("kept"));
    assert_eq!(store.meta("large").unwrap(), None);
    // Of a group that runs into it, each unit is there if and only if it was said to be.
    let units: Vec<_> = (0..20)
        .map(|number| {
            (number, store.set_meta(&format!("unit {number}"), if number % 4 == 3 { &large } else { "small" }))
        })
        .collect();
    for (number, unit) in units {
        let said = unit.wait().is_ok();
        assert_eq!(store.meta(&format!("unit {number}")).unwrap().is_some(), said, "{number}");
    }
    pages(Some(1 << 20));
    store.set_meta("large", &large).wait().unwrap();
    assert_eq!(store.trouble(), None);
    assert!(store.check().unwrap().is_empty());
}

#[test]
fn a_count_that_is_not_what_there_is_is_found() {
    use crate::store::{Connections as _, Place, Record, StoredConnection, Upkeep as _};
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    for connection in ["one", "two", "three"] {
        let place = Place { tenant: "t".into(), connection: connection.into() };
        store.insert(StoredConnection::fresh(place), Vec::new(), Record::default()).wait().unwrap();
    }
    assert_eq!(store.check().unwrap(), [""; 0]);
    let set = "UPDATE connections SET links = 7, operations = CASE connection WHEN 'one' THEN 2 ELSE 0 END
        WHERE connection <> 'two'";
    store.write(move |db| db.execute(set, []).map_err(super::mapped)).wait().unwrap();
    let found = store.check().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("connection one is said to have 7 ticket links, not 0, and 2 operations, not 0: "));
    assert!(found[1].starts_with("connection three is said to have 7 ticket links, not 0: nothing of it is lost"));
    assert_eq!(store.recount().wait(), Ok(2));
    assert_eq!(store.check().unwrap(), [""; 0]);
    assert_eq!(store.recount().wait(), Ok(0));
}

#[test]
fn a_damaged_index_is_found_although_nothing_can_be_counted_with_it() {
    use crate::store::{Connections as _, Place, Record, StoredConnection, Upkeep as _};
    use std::os::unix::fs::FileExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let place = Place { tenant: "t".into(), connection: "one".into() };
    store.insert(StoredConnection::fresh(place), Vec::new(), Record::default()).wait().unwrap();
    let indexes = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'ticket_links'";
    let (size, pages) = store
        .read(|db| {
            let size: u64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let pages: Vec<u64> = db.prepare(indexes)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok((size, pages))
        })
        .unwrap();
    store.shrink().unwrap();
    store.close();
    drop(store);
    let file = std::fs::OpenOptions::new().write(true).open(folder.path().join("store.db")).unwrap();
    for page in &pages {
        file.write_all_at(&vec![0x55; usize::try_from(size).unwrap()], (page - 1) * size).unwrap();
    }
    let store = SqliteStore::open(folder.path()).unwrap();
    let counted =
        store.read(|db| db.prepare(maintenance::MISCOUNTED)?.query_map([], |_| Ok(()))?.collect::<Result<(), _>>());
    assert!(counted.is_err(), "the indexes must be those that counting goes by");
    store.close();
    drop(store);
    let error = crate::recount(folder.path()).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("damaged"), "{error}");
    let store = SqliteStore::open(folder.path()).unwrap();
    let found = store.check().unwrap();
    assert!(pages.iter().all(|page| found.iter().any(|line| line.contains(&format!("{page}")))), "{pages:?} {found:?}");
}
