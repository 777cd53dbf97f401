//! The first look at a connection. What changed between the linking of a ticket and that look was told by nobody if its
//! callback was lost: the first window was empty, and only the sweep, a day later, found it. It begins now where the oldest
//! reading was, on the PSA's clock.

use psa_host::clock::VirtualClock;
use psa_tests::inbound::Inbound;
use serde_json::json;

const MINUTE: u64 = 60_000;

#[test]
fn what_changed_between_a_link_and_the_first_look_is_found_by_that_look() {
    // The two clocks are hours apart, in either direction.
    for skew_ms in [-9 * 3_600_000_i64, 9 * 3_600_000] {
        let clock = VirtualClock::at(1_790_000_000_000);
        let times = json!({"callbacks": {"work": false, "poll_ms": 2 * MINUTE, "window_ms": MINUTE}});
        let mut scene = Inbound::with(&["--tls", "--now", "2026-09-21T14:13:20Z"], &times, Some(clock.clone()));
        let at_the_psa = |scene: &Inbound, change| {
            scene.simulator.control("POST", "clock", Some(&change)).unwrap();
        };
        at_the_psa(&scene, json!({"skew_ms": skew_ms, "stopped": true}));
        scene.link(1001);
        // Nothing is registered yet, so no callback comes.
        scene.person(1001, &json!({"status": 102}));
        clock.advance(30 * MINUTE);
        at_the_psa(&scene, json!({"advance_ms": 30 * MINUTE}));
        scene.reopen(&json!({"callbacks": {"work": true}}));
        let told = scene.until("it is told", || {
            clock.advance(10);
            scene.events("p").into_iter().find(|event| event["event"] == "ticket.changed")
        });
        assert_eq!((told["heard"].as_str(), told["ticket"].as_str()), (Some("poll"), Some("1001")), "{told:#}");
        assert_eq!(told["changes"]["status"]["to"]["id"], "102");
    }
}
