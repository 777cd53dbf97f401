//! A little of `cargo xtask torture`: writes survive kills and a bad network, each exactly once.

use psa_tests::torture::{Faults, Torture, What};

fn some() -> Torture {
    let faults =
        Faults { reset_after_commit: 5, late_commit: 5, error_after_commit: 2, rate_limited: 1, ..Faults::default() };
    Torture { what: What::Notes, count: 200, tickets: 20, pairs: 20, kills: 20, fail_points: true, faults, seed: 7 }
}

#[test]
fn notes_are_there_exactly_once_and_in_order_whatever_dies() {
    let report = some().run();
    assert!(report.deaths >= 20, "{report:?}");
    assert_eq!((report.duplicates, report.reported), (0, 0));
}

#[test]
fn second_copies_of_what_came_too_late_are_all_reported() {
    let faults = Faults { late_commit: 15, beyond_quiet: true, ..Faults::default() };
    let report = Torture { count: 60, kills: 0, fail_points: false, faults, ..some() }.run();
    assert!(report.duplicates > 0, "{report:?}");
}

#[test]
fn tickets_are_created_exactly_once_whatever_dies() {
    let report = Torture { what: What::Tickets, count: 40, kills: 6, ..some() }.run();
    assert_eq!(report.duplicates, 0);
}

#[test]
fn statuses_end_as_the_last_one_wanted_whatever_dies() {
    Torture { what: What::Statuses, count: 100, kills: 10, ..some() }.run();
}

#[test]
fn time_is_there_exactly_once_whatever_dies() {
    Torture { what: What::Times, count: 100, kills: 10, ..some() }.run();
}

#[test]
fn fields_end_as_the_last_ones_wanted_whatever_dies() {
    Torture { what: What::Updates, count: 100, kills: 10, ..some() }.run();
}
