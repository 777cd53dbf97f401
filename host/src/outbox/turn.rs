//! One lane's turns, one after the other.

use super::desk::Desk;
use super::next::{LaneMemory, Turn};
use super::{recover, send, steps};
use crate::store::{ConnectionState, LaneId, LinkState, State};
use psa_host_api::{Code, Error};

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
