//! What has to be done so that what is registered at the PSA is what is wanted.
//!
//! Promises: pure; only what bears our mark, or a token of ours, is ever touched; what is registered already is not
//! registered again; what the PSA switches off again and again is left to a person.

use super::token;
use crate::store::{StoredSubscription, SubscriptionState};
use psa_host_api::model::{Subscription, TOKEN, WantedSubscription};

/// So often within this time it may be put to work again, in milliseconds; then it flaps.
const REVIVED_MAX: usize = 5;
const FLAP_MS: i64 = 3_600_000;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Registers: a row that waits for it, or none yet.
    Create { row: Option<StoredSubscription>, wanted: WantedSubscription },
    /// It is there: an earlier registration whose answer was lost.
    Adopt { row: StoredSubscription, remote: String },
    /// The PSA has switched it off.
    Revive { row: StoredSubscription, by: Option<String> },
    /// It has done so too often.
    Flap { row: StoredSubscription, by: Option<String> },
    /// Another one takes its place; it goes on delivering for a while.
    Replace { row: StoredSubscription },
    /// Its time is over, or nobody wants it.
    Remove { row: StoredSubscription },
    /// It bears our mark and nothing is known of it.
    RemoveStray { remote: String },
    /// It is not at the PSA any more, and nobody wants it.
    Forget { row: StoredSubscription },
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    pub(super) actions: Vec<Action>,
    /// Registrations that lead to our door and are not ours: reported, never touched.
    pub(super) strays: Vec<String>,
}

/// What is known.
pub(super) struct Known<'a> {
    pub(super) now: i64,
    pub(super) replaced_ms: i64,
    /// With which our descriptions begin.
    pub(super) mark: &'a str,
    /// The product's door; absent: nothing can be delivered.
    pub(super) door: Option<&'a str>,
    pub(super) wanted: &'a [WantedSubscription],
    pub(super) rows: &'a [StoredSubscription],
    pub(super) remote: &'a [Subscription],
}

impl Known<'_> {
    /// Where a row stands at the PSA: by its token, which is nobody else's.
    fn entry_of(&self, row: &StoredSubscription) -> Option<&Subscription> {
        self.remote.iter().find(|entry| self.has_token_of(entry, row))
    }

    fn has_token_of(&self, entry: &Subscription, row: &StoredSubscription) -> bool {
        token::anywhere(&entry.address).is_some_and(|token| token::digest(token)[..] == row.token_hash)
    }

    fn wanted_of(&self, row: &StoredSubscription) -> Option<&WantedSubscription> {
        self.wanted
            .iter()
            .find(|wanted| (&wanted.kind, &wanted.level, &wanted.object) == (&row.kind, &row.level, &row.object))
    }

    fn flaps(&self, row: &StoredSubscription) -> bool {
        let since = self.now.saturating_sub(FLAP_MS);
        row.revived.iter().filter(|at| **at >= since).count() >= REVIVED_MAX
    }

    fn for_row(&self, row: &StoredSubscription) -> Option<Action> {
        let (entry, row) = (self.entry_of(row), row.clone());
        let Some(wanted) = self.wanted_of(&row) else {
            return Some(match entry {
                // Of one whose answer was lost the id is known from the list alone.
                Some(entry) => Action::Remove { row: StoredSubscription { remote: Some(entry.id.clone()), ..row } },
                None => Action::Forget { row },
            });
        };
        match (row.state, entry) {
            (SubscriptionState::Replaced, None) => Some(Action::Forget { row }),
            (SubscriptionState::Replaced, Some(_)) => {
                let over = row.changed.saturating_add(self.replaced_ms) <= self.now;
                over.then_some(Action::Remove { row })
            }
            // Its address went with the answer that was lost, or somebody has removed it: it gets a new one.
            (_, None) => Some(Action::Create { row: Some(row), wanted: wanted.clone() }),
            (SubscriptionState::Wanted, Some(entry)) => Some(Action::Adopt { row, remote: entry.id.clone() }),
            (_, Some(entry)) if token::of_address(&wanted.address, &entry.address).is_none() => {
                Some(Action::Replace { row })
            }
            (SubscriptionState::Flapping, Some(_)) => None,
            (SubscriptionState::Active, Some(entry)) if entry.inactive => {
                let by = entry.updated_by.clone();
                Some(if self.flaps(&row) { Action::Flap { row, by } } else { Action::Revive { row, by } })
            }
            (SubscriptionState::Active, Some(_)) => None,
        }
    }

    /// What is to be done. Registrations come last: what is in their way has gone by then.
    pub(super) fn plan(&self) -> Plan {
        let mut actions: Vec<Action> = self.rows.iter().filter_map(|row| self.for_row(row)).collect();
        let served = |wanted: &WantedSubscription| {
            self.rows.iter().any(|row| {
                let replaced = row.state == SubscriptionState::Replaced
                    || actions.iter().any(|action| matches!(action, Action::Replace { row: other } if other == row));
                !replaced && self.wanted_of(row) == Some(wanted)
            })
        };
        let new: Vec<Action> = self
            .wanted
            .iter()
            .filter(|wanted| !served(wanted))
            .map(|wanted| Action::Create { row: None, wanted: wanted.clone() })
            .collect();
        let mut strays = Vec::new();
        for entry in self.remote.iter().filter(|entry| !self.rows.iter().any(|row| self.has_token_of(entry, row))) {
            if entry.description.starts_with(self.mark) {
                actions.push(Action::RemoveStray { remote: entry.id.clone() });
            } else if self.door.is_some_and(|door| leads_to(door, &entry.address)) {
                strays.push(entry.id.clone());
            }
        }
        actions.extend(new);
        actions.sort_by_key(|action| matches!(action, Action::Create { .. }));
        Plan { actions, strays }
    }
}

/// Whether an address leads to the same door, with whatever token.
fn leads_to(door: &str, address: &str) -> bool {
    let before = door.split(TOKEN).next().unwrap_or(door);
    !before.is_empty() && address.starts_with(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;
    use SubscriptionState::{Active, Flapping, Replaced, Wanted};

    const DOOR: &str = "https://desk.example/hooks/{token}";
    const MARK: &str = "psa-bridge st_1 ";
    const NOW: i64 = 100 * FLAP_MS;

    fn token_of(number: u8) -> String {
        format!("{number:040x}")
    }

    fn wanted(kind: &str) -> WantedSubscription {
        let address = format!("{DOOR}?recordId=");
        WantedSubscription { kind: kind.into(), level: "owner".into(), object: "1".into(), address }
    }

    fn row(kind: &str, number: u8, state: SubscriptionState) -> StoredSubscription {
        StoredSubscription {
            place: Place { tenant: "t".into(), connection: "c".into() },
            subscription: format!("s_{number}"),
            remote: (state != Wanted).then(|| number.to_string()),
            kind: kind.into(),
            level: "owner".into(),
            object: "1".into(),
            token_hash: token::digest(&token_of(number)).to_vec(),
            state,
            revived: Vec::new(),
            disabled_by: None,
            heard: None,
            created: 0,
            changed: NOW - 1,
        }
    }

    fn entry(number: u8, change: impl FnOnce(&mut Subscription)) -> Subscription {
        let mut entry = Subscription {
            id: number.to_string(),
            kind: "ticket".into(),
            level: "owner".into(),
            object: "1".into(),
            address: wanted("ticket").address.replace(TOKEN, &token_of(number)),
            description: format!("{MARK}s_{number}"),
            ..Subscription::default()
        };
        change(&mut entry);
        entry
    }

    fn plan(wanted: &[WantedSubscription], rows: &[StoredSubscription], remote: &[Subscription]) -> Plan {
        Known { now: NOW, replaced_ms: 1_000, mark: MARK, door: Some(DOOR), wanted, rows, remote }.plan()
    }

    #[test]
    fn what_is_wanted_is_registered_once() {
        let ticket = [wanted("ticket")];
        assert_eq!(plan(&ticket, &[], &[]).actions, [Action::Create { row: None, wanted: wanted("ticket") }]);
        let there = row("ticket", 1, Active);
        assert_eq!(plan(&ticket, std::slice::from_ref(&there), &[entry(1, |_| {})]), Plan::default());
        // The answer of a registration was lost: it is looked for before it is made again.
        let lost = row("ticket", 1, Wanted);
        assert_eq!(
            plan(&ticket, std::slice::from_ref(&lost), &[entry(1, |_| {})]).actions,
            [Action::Adopt { row: lost.clone(), remote: "1".into() }]
        );
        for row in [lost, there] {
            let again = [Action::Create { row: Some(row.clone()), wanted: wanted("ticket") }];
            assert_eq!(plan(&ticket, &[row], &[]).actions, again);
        }
    }

    #[test]
    fn what_the_psa_has_switched_off_is_put_to_work_until_it_flaps() {
        let off = [entry(1, |entry| (entry.inactive, entry.updated_by) = (true, Some("System".into())))];
        let mut there = row("ticket", 1, Active);
        there.revived = vec![NOW - 4, NOW - 3, NOW - 2, NOW - 1];
        let by = Some("System".to_owned());
        let revive = Action::Revive { row: there.clone(), by: by.clone() };
        assert_eq!(plan(&[wanted("ticket")], std::slice::from_ref(&there), &off).actions, [revive]);
        there.revived.push(NOW);
        let flap = Action::Flap { row: there.clone(), by };
        assert_eq!(plan(&[wanted("ticket")], std::slice::from_ref(&there), &off).actions, [flap]);
        // Long ago does not count, and who flaps waits for a person.
        there.revived = vec![NOW - 2 * FLAP_MS; 9];
        assert!(matches!(plan(&[wanted("ticket")], &[there], &off).actions[..], [Action::Revive { .. }]));
        assert_eq!(plan(&[wanted("ticket")], &[row("ticket", 1, Flapping)], &off).actions, []);
    }

    #[test]
    fn another_address_replaces_a_registration_which_is_kept_for_a_while() {
        let old = [entry(1, |entry| entry.address = format!("https://old.example/{}", token_of(1)))];
        let there = row("ticket", 1, Active);
        assert_eq!(
            plan(&[wanted("ticket")], std::slice::from_ref(&there), &old).actions,
            [Action::Replace { row: there }, Action::Create { row: None, wanted: wanted("ticket") }]
        );
        let mut replaced = row("ticket", 1, Replaced);
        let rows = [replaced.clone(), row("ticket", 2, Active)];
        assert_eq!(plan(&[wanted("ticket")], &rows, &[old[0].clone(), entry(2, |_| {})]).actions, []);
        replaced.changed = NOW - 1_000;
        let rows = [replaced.clone(), row("ticket", 2, Active)];
        assert_eq!(
            plan(&[wanted("ticket")], &rows, &[old[0].clone(), entry(2, |_| {})]).actions,
            [Action::Remove { row: replaced.clone() }]
        );
        assert_eq!(plan(&[wanted("ticket")], &rows, &[entry(2, |_| {})]).actions, [Action::Forget { row: replaced }]);
    }

    #[test]
    fn what_nobody_wants_goes_and_others_are_never_touched() {
        let there = row("member", 1, Active);
        assert_eq!(
            plan(&[], std::slice::from_ref(&there), &[entry(1, |_| {})]).actions,
            [Action::Remove { row: there }]
        );
        // Another product's, another installation's at our door, and one of ours that is not known.
        let others = [
            entry(7, |entry| {
                entry.description = "Billing".into();
                entry.address = "https://billing.example/x".into();
            }),
            entry(8, |entry| entry.description = "psa-bridge st_2 s_8".into()),
            entry(9, |_| {}),
        ];
        let plan = plan(&[], &[], &others);
        assert_eq!(
            (plan.actions, plan.strays),
            (vec![Action::RemoveStray { remote: "9".into() }], vec!["8".to_owned()])
        );
    }
}
