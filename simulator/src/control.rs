//! The door for tests: `/_sim/…`. Never part of the PSA.

use crate::connectwise;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Answers a request of a test.
pub(crate) fn answer(world: &mut World, asked: &Asked) -> Reply {
    let parts: Vec<&str> = asked.path.trim_start_matches("/_sim/").split('/').collect();
    let body = asked.body_value();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["log"]) => Reply::json(200, &world.journal.list()),
        ("DELETE", ["log"]) => {
            world.journal.clear();
            done()
        }
        ("GET", ["faults"]) => Reply::json(200, &world.faults.list()),
        ("POST", ["faults"]) => outcome(world.faults.order(&body)),
        ("DELETE", ["faults"]) => {
            world.faults.clear();
            done()
        }
        ("GET", ["switches"]) => {
            let mut list = world.switches.list();
            list["items"].as_array_mut().into_iter().for_each(|items| items.extend(world.callbacks.switches.list()));
            Reply::json(200, &list)
        }
        ("POST", ["switches"]) => {
            let switches = body.as_object().cloned().unwrap_or_default();
            outcome(switches.iter().try_for_each(|(name, value)| world.set_switch(name, value)))
        }
        ("POST", ["clock"]) => clock(world, &body),
        ("GET", ["state"]) => Reply::json(200, &world.state.summary()),
        ("GET", ["tickets", id]) => match id.parse().ok().and_then(|id| world.state.ticket_with_notes(id)) {
            Some(ticket) => Reply::json(200, &ticket),
            None => Reply::json(404, &json!({"error": "there is no such ticket"})),
        },
        ("GET", ["tickets"]) => Reply::json(200, &world.state.all_tickets()),
        ("GET", ["notes"]) => Reply::json(200, &world.state.all_notes()),
        ("POST", ["tickets", id]) => match connectwise::act(world, id.parse().unwrap_or_default(), &body) {
            Ok(ticket) => Reply::json(200, &ticket),
            Err(why) => wrong(&why),
        },
        ("POST", ["tickets"]) => match connectwise::open(world, &body) {
            Some(ticket) => Reply::json(201, &ticket),
            None => wrong("there is no such board"),
        },
        (method, [door]) => match connectwise::door(world, method, door, &body) {
            Some(Ok(found)) => Reply::json(200, &found),
            Some(Err(why)) => wrong(&why),
            None => no_door(),
        },
        _ => no_door(),
    }
}

fn no_door() -> Reply {
    Reply::json(404, &json!({"error": "no such door; see simulator/README.md"}))
}

/// `advance_ms` lets time pass, `skew_ms` makes the clock wrong by so much, `stopped` lets it stand still or go on.
fn clock(world: &mut World, body: &Value) -> Reply {
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    match (number("advance_ms"), number("skew_ms"), body["stopped"].as_bool()) {
        (None, None, None) => return wrong("advance_ms or skew_ms must be a whole number, or stopped true or false"),
        (advance, skew, stopped) => {
            advance.into_iter().for_each(|ms| world.advance(ms));
            skew.into_iter().for_each(|ms| world.set_skew(ms));
            stopped.into_iter().for_each(|stop| world.stop_clock(stop));
        }
    }
    Reply::json(200, &json!({"now": world.now_text(), "requests": world.requests()}))
}

pub(crate) fn done() -> Reply {
    Reply::json(200, &json!({}))
}

pub(crate) fn outcome(outcome: Result<(), String>) -> Reply {
    outcome.map_or_else(|why| wrong(&why), |()| done())
}

pub(crate) fn wrong(why: &str) -> Reply {
    Reply::json(400, &json!({"error": why}))
}
