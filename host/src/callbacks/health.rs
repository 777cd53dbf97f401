//! How things stand with what comes in: who delivers, what waits, and whether it has gone silent.

use super::Callbacks;
use super::apply::troubles;
use crate::clock::rfc3339;
use crate::store::{InboundFacts, Place, StoredSubscription, SubscriptionState};
use psa_host_api::Error;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// So many changes that only reading has found, and nothing heard since: it is silent.
const MISSED_MAX: i64 = 5;
/// With fewer it is silent after so many times the usual time between two callbacks, and not before the least time.
const USUAL_TIMES: i64 = 20;
const SILENCE_MIN_MS: i64 = 3_600_000;

/// Whether callbacks arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallbackState {
    /// Nothing is registered: changes are found by reading.
    Off,
    /// Registered, and nothing has come yet.
    Waiting,
    /// They arrive.
    Good,
    /// Changes are found by reading that should have been told.
    Silent,
    /// The PSA switches them off again and again; a person is needed.
    Flapping,
    /// They cannot be registered.
    Failing,
}

/// How things stand with a connection's callbacks.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct CallbackHealth {
    state: CallbackState,
    /// RFC 3339: the last one that was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// The usual time between two, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    usual_ms: Option<i64>,
    /// Changes since then that only reading has found.
    missed: i64,
    /// Kept and not yet judged.
    waiting: u64,
    /// To be read, and not read yet.
    to_read: u64,
    /// Too many came at once to be kept one by one, and not everything was read since.
    overrun: bool,
    /// On the PSA's clock: every change up to then is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_until: Option<String>,
    /// What is wrong, by what it is about; for people.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    trouble: BTreeMap<String, String>,
}

/// A subscription as the product sees it; its address is not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct SubscriptionView {
    /// Its id here.
    subscription: String,
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    /// Of what the changes are told: the provider's word, in lower case.
    kind: String,
    /// How much of it: the provider's word, in lower case.
    level: String,
    /// The id of what the level names.
    object: String,
    /// Whether it is registered.
    state: SubscriptionState,
    /// RFC 3339: the last callback through it that was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    /// Who had switched it off last, as the provider names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_by: Option<String>,
    /// How often it was put to work again of late.
    revived: usize,
    /// RFC 3339.
    created: String,
}

impl From<StoredSubscription> for SubscriptionView {
    fn from(row: StoredSubscription) -> SubscriptionView {
        SubscriptionView {
            subscription: row.subscription,
            remote: row.remote,
            kind: row.kind,
            level: row.level,
            object: row.object,
            state: row.state,
            heard: row.heard.map(rfc3339),
            disabled_by: row.disabled_by,
            revived: row.revived.len(),
            created: rfc3339(row.created),
        }
    }
}

impl Callbacks {
    /// What is registered, as far as the host knows.
    pub(crate) fn list(&self, place: &Place) -> Result<Vec<SubscriptionView>, Error> {
        self.desk.connections.exists(place)?;
        Ok(self.desk.store.subscriptions(place)?.into_iter().map(SubscriptionView::from).collect())
    }

    pub(crate) fn health(&self, place: &Place) -> Result<CallbackHealth, Error> {
        let cursor = self.desk.store.cursor(place)?;
        let rows = self.desk.store.subscriptions(place)?;
        let trouble = troubles(cursor.trouble.as_deref());
        let count = |state| rows.iter().filter(|row| row.state == state).count() as u64;
        let facts = InboundFacts {
            heard: cursor.heard,
            usual: cursor.usual,
            missed: cursor.missed,
            trouble: cursor.trouble.clone(),
            active: count(SubscriptionState::Active),
            flapping: count(SubscriptionState::Flapping),
        };
        let state = state_of(&facts, self.desk.clock.now_unix_ms());
        Ok(CallbackHealth {
            state,
            last: cursor.heard.map(rfc3339),
            usual_ms: cursor.usual,
            missed: cursor.missed,
            waiting: self.desk.store.count_waiting(place)?,
            to_read: self.desk.store.count_dirty(place)?,
            overrun: cursor.overflow > cursor.covered,
            known_until: cursor.watermark,
            trouble,
        })
    }
}

/// Whether callbacks arrive, from what is known of a connection.
pub(crate) fn state_of(facts: &InboundFacts, now: i64) -> CallbackState {
    if facts.flapping > 0 {
        CallbackState::Flapping
    } else if troubles(facts.trouble.as_deref()).contains_key("subscriptions") {
        CallbackState::Failing
    } else if facts.active == 0 {
        CallbackState::Off
    } else if is_silent(facts, now) {
        CallbackState::Silent
    } else if facts.heard.is_none() {
        CallbackState::Waiting
    } else {
        CallbackState::Good
    }
}

/// Nothing has come for much longer than usual, although something has happened.
fn is_silent(facts: &InboundFacts, now: i64) -> bool {
    let quiet = facts.heard.map_or(0, |heard| now.saturating_sub(heard));
    let long = facts.usual.is_some_and(|usual| quiet > usual.saturating_mul(USUAL_TIMES).max(SILENCE_MIN_MS));
    facts.missed >= MISSED_MAX || (facts.missed > 0 && long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_measured_by_what_was_missed_and_by_the_usual_rhythm() {
        const HOUR: i64 = 3_600_000;
        for (missed, usual, quiet, silent) in [
            // Nothing happens, so nothing is told.
            (0, Some(60_000), 30 * HOUR, false),
            (1, Some(60_000), HOUR, false),
            (1, Some(60_000), 2 * HOUR, true),
            // Where callbacks are rare, an hour says little.
            (1, Some(HOUR), 19 * HOUR, false),
            (1, Some(HOUR), 21 * HOUR, true),
            (4, None, 30 * HOUR, false),
            (5, None, 0, true),
        ] {
            let facts = InboundFacts { missed, usual, heard: Some(0), ..InboundFacts::default() };
            assert_eq!(is_silent(&facts, quiet), silent, "{missed} {usual:?} {quiet}");
        }
    }
}
