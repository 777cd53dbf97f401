//! Every statement is looked at: how SQLite would run it.

use super::{
    SqliteStore, activity, connections, events, links, maintenance, mappings, meta, operations, plugin, seals, steps,
    tenant, work,
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
        ("connections", connections::ALL),
        ("events", events::ALL),
        ("links", links::ALL),
        ("maintenance", maintenance::ALL),
        ("mappings", mappings::ALL),
        ("meta", meta::ALL),
        ("operations", operations::ALL),
        ("plugin", plugin::ALL),
        ("seals", seals::ALL),
        ("steps", steps::ALL),
        ("tenant", tenant::ALL),
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
