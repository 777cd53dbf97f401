//! A little of `cargo xtask storm`: whatever is lost on the way here is known five minutes later.

use psa_tests::storm::Storm;

#[test]
fn whatever_callbacks_lose_is_known_five_minutes_later_and_told_once() {
    let report = Storm { changes: 2_000, links: 200, same_second: 300, seed: 1 }.run();
    println!("{report}");
    assert!(report.lost > 300 && report.tellings > 0, "{report}");
    assert!(report.percent(report.in_vain()) < 2.0, "{report}");
}
