//! One lane's turns, one after the other.

use super::desk::Desk;
use super::{recover, send, steps};
use crate::store::{ConnectionState, LaneId, LinkState, State};
use psa_host_api::{Code, Error};

/// What a lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its head has moved on: look again.
    Again,
    /// Nothing to do for so many milliseconds.
    Later(u64),
    /// The connection failed under it, and is closed for so many milliseconds.
    Failed(u64),
    /// Another process has it.
    Contested,
    /// Nothing waits in it.
    Empty,
}

/// What a process remembers of a lane between its notes.
#[derive(Debug, Default, Clone)]
pub(super) struct LaneMemory {
    /// A look since this host was opened has found nothing of ours: sends need no look of their own.
    pub(super) looked: bool,
    /// The last note of the ticket that was seen.
    pub(super) fence: Option<String>,
    /// How often the connection has failed under it in a row.
    pub(super) failures: u32,
}

/// Works on a lane's head.
pub(super) async fn one(desk: &Desk, lane: &LaneId, memory: &mut LaneMemory) -> Result<Turn, Error> {
    let Some(head) = desk.store.head(lane)? else { return Ok(Turn::Empty) };
    let Some(connection) = desk.store.get(&lane.place)? else { return Ok(Turn::Empty) };
    if connection.state != ConnectionState::Active {
        return Ok(Turn::Empty);
    }
    let Some(link) = desk.store.get_link(&lane.place.tenant, &lane.link)? else {
        return Err(Error::new(Code::Internal, "an operation without its link"));
    };
    debug_assert!(link.state != LinkState::Linked || link.ticket.is_some());
    match (head.state, head.attempt) {
        (State::Queued, None) => send::turn(desk, head, &connection, &link, memory).await,
        (State::Queued, Some(_)) => match steps::orphaned(desk, head).await? {
            true => Ok(Turn::Again),
            false => Ok(Turn::Contested),
        },
        _ => {
            memory.looked = false;
            recover::turn(desk, head, &connection, &link).await
        }
    }
}
