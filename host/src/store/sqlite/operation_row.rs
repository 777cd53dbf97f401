//! An operation's row: how it is read, and how it begins.

use super::connections::{word, word_or_none};
use crate::store::{Kind, Outcome, Place, Sealed, State, StoredOperation};
use psa_host_api::model::Visibility;
use rusqlite::Row;

/// All that a row of an operation is read from.
macro_rules! operation {
    ($rest:literal) => {
        concat!(
            "SELECT seq, tenant, operation, connection, link, kind, state, reason, likeness, key, sealed, visibility, \
             wanted, base, next_at, not_after, attempt, attempts, doubts, never_resend, quiet, empty_at, fence, \
             lease_owner, lease_token, remote, outcome, error, evidence, watch_at, watched, accepted, ended, \
             decided_by FROM operations ",
            $rest
        )
    };
}
pub(super) use operation;

pub(super) fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Internal => "internal",
        Visibility::Public => "public",
        Visibility::Resolution => "resolution",
    }
}

fn visibility_of(word: &str) -> Option<Visibility> {
    [Visibility::Internal, Visibility::Public, Visibility::Resolution]
        .into_iter()
        .find(|visibility| visibility_word(*visibility) == word)
}

pub(super) fn operation_of(row: &Row<'_>) -> rusqlite::Result<StoredOperation> {
    let (key, token): (Option<String>, Option<String>) = (row.get(9)?, row.get(10)?);
    Ok(StoredOperation {
        seq: row.get(0)?,
        place: Place { tenant: row.get(1)?, connection: row.get(3)? },
        operation: row.get(2)?,
        link: row.get(4)?,
        kind: word(row, 5, Kind::of)?,
        state: word(row, 6, State::of)?,
        reason: row.get(7)?,
        likeness: row.get(8)?,
        sealed: key.zip(token).map(|(key, token)| Sealed { key, token }),
        visibility: word_or_none(row, 11, visibility_of)?,
        wanted: row.get(12)?,
        base: row.get(13)?,
        next_at: row.get(14)?,
        not_after: row.get(15)?,
        attempt: row.get(16)?,
        attempts: row.get(17)?,
        doubts: row.get(18)?,
        never_resend: row.get(19)?,
        quiet: row.get(20)?,
        empty_at: row.get(21)?,
        fence: row.get(22)?,
        lease_owner: row.get(23)?,
        lease_token: row.get(24)?,
        remote: row.get(25)?,
        outcome: word_or_none(row, 26, Outcome::of)?,
        error: row.get(27)?,
        evidence: row.get(28)?,
        watch_at: row.get(29)?,
        watched: row.get(30)?,
        accepted: row.get(31)?,
        ended: row.get(32)?,
        decided_by: row.get(33)?,
    })
}
