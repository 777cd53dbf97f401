//! A little of `cargo xtask storm`: whatever is lost on the way here is known five minutes later.

use psa_tests::storm::Storm;

#[test]
fn whatever_callbacks_lose_is_known_five_minutes_later_and_told_once() {
    let report = Storm { changes: 2_000, links: 200, same_second: 300, seed: 1 }.run();
    println!("{report}");
    assert!(report.lost > 600 && report.tellings > 0, "{report}");
    // The long form asks for less than 2 % of all reads together; here a handful of readings is a per cent.
    assert!(report.percent(report.in_vain()) < 3.0, "{report}");
}
