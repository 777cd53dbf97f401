//! Many changes by people in a short time, for big scenarios.
//!
//! Promises: the same seed and the same tickets make the same changes; each is a change, to something else than before, is
//! told like any other; the world is left to others between portions.

use super::state::{id_of, named};
use super::{notes, people, seed};
use crate::callbacks::{Event, fire};
use crate::control::wrong;
use crate::http::Reply;
use crate::world::{Shared, World};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CHANGES_MAX: u64 = 1_000_000;
/// Changes in one portion.
const PORTION: u64 = 100;

/// What is ordered.
struct Order {
    changes: u64,
    tickets: Vec<u64>,
    notes_percent: f64,
    /// The time of all changes; `None`: each has its own.
    now: Option<String>,
    /// Whose turn it is, when all tickets have theirs; `None`: by chance.
    turn: Option<usize>,
    random: StdRng,
}

/// `{"changes","tickets"?,"seed"?,"notes_percent"?,"same_second"?,"each"?}`; answers how many there were of what, and on which
/// tickets.
pub(crate) async fn run(shared: &Shared, body: &Value) -> Reply {
    let mut order = match order(&shared.lock(), body) {
        Ok(order) => order,
        Err(why) => return wrong(&why),
    };
    let (mut notes, mut touched) = (0, BTreeSet::new());
    let mut left = order.changes;
    while left > 0 {
        let now = left.min(PORTION);
        left -= now;
        notes += portion(&mut shared.lock(), &mut order, now, &mut touched);
        tokio::task::yield_now().await;
    }
    Reply::json(200, &json!({"changes": order.changes, "notes": notes, "tickets": touched}))
}

/// So many changes; how many of them were notes.
fn portion(world: &mut World, order: &mut Order, changes: u64, touched: &mut BTreeSet<u64>) -> u64 {
    let mut notes = 0;
    for (ticket, noted) in (0..changes).filter_map(|_| change(world, order)) {
        notes += u64::from(noted);
        touched.insert(ticket);
    }
    notes
}

fn order(world: &World, body: &Value) -> Result<Order, String> {
    let changes = body["changes"].as_u64().filter(|changes| (1..=CHANGES_MAX).contains(changes));
    let changes = changes.ok_or_else(|| format!("changes must be a number from 1 to {CHANGES_MAX}"))?;
    let tickets: Vec<u64> = match &body["tickets"] {
        Value::Null => world.state.tickets.keys().copied().collect(),
        Value::Array(ids) => ids.iter().filter_map(Value::as_u64).collect(),
        _ => return Err("tickets must be a list of ids, or null for all".to_owned()),
    };
    if tickets.is_empty() || tickets.iter().any(|id| !world.state.tickets.contains_key(id)) {
        return Err("tickets must be ids of tickets that are there".to_owned());
    }
    let percent = body["notes_percent"].as_f64().unwrap_or(0.0);
    let now = (body["same_second"] == true).then(|| world.now_text());
    let random = StdRng::seed_from_u64(body["seed"].as_u64().unwrap_or(1));
    let turn = (body["each"] == true).then_some(0);
    Ok(Order { changes, tickets, notes_percent: percent, now, turn, random })
}

/// One change, told to who wants to hear it: the ticket, and whether it was a note. `None`: the ticket is gone by now.
fn change(world: &mut World, order: &mut Order) -> Option<(u64, bool)> {
    let ticket = match &mut order.turn {
        Some(turn) => {
            *turn += 1;
            order.tickets[(*turn - 1) % order.tickets.len()]
        }
        None => *order.tickets.choose(&mut order.random)?,
    };
    let noted = order.random.random_range(0.0..100.0) < order.notes_percent;
    let number: u32 = order.random.random_range(0..1_000_000);
    let now = order.now.clone().unwrap_or_else(|| world.now_text());
    let mut record = world.state.ticket(ticket)?.clone();
    if noted {
        let internal = order.random.random_bool(0.5);
        let text = format!("Looked at it again ({number})");
        let body = json!({"text": text, "internalAnalysisFlag": internal, "detailDescriptionFlag": !internal});
        notes::keep(world, ticket, &body, people::SOMEBODY, None);
    } else {
        match order.random.random_range(0..3) {
            0 => record["summary"] = json!(format!("Something is wrong ({number})")),
            1 => {
                let now = id_of(&record["owner"]);
                let others: Vec<&Value> = world.state.members.iter().filter(|member| id_of(member) != now).collect();
                let owner = others.choose(&mut order.random)?;
                record["owner"] = seed::reference(owner);
            }
            _ => {
                let board = id_of(&record["board"]);
                let now = id_of(&record["status"]);
                let possible = |status: &&Value| status["inactive"] == false && id_of(status) != now;
                let open = world.state.statuses_of(board).filter(possible);
                let statuses: Vec<&Value> = open.collect();
                let status = statuses.choose(&mut order.random)?;
                record["status"] = named(status);
                record["closedFlag"] = status["closedStatus"].clone();
            }
        }
        world.state.tickets.get_mut(&ticket)?.replace(record, people::SOMEBODY, &now);
    }
    let record = world.state.ticket(ticket)?.clone();
    let (kind, action, by) = ("ticket".to_owned(), "updated".to_owned(), people::SOMEBODY.to_owned());
    fire(world, &Event { kind, id: ticket, action, by, record });
    Some((ticket, noted))
}
