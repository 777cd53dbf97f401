//! Work that takes longer than anybody waits for a page: it goes on by itself, and says how far it is.
//!
//! Holds: the works of this process, one of a kind for each connection; what they do (`matching`, `import`).
//! Promises: a second start of the same work joins the first; what a work has done stays when it is broken off, and the next
//! one goes on with what is left.
//! Leaves to others: the rules of what is done (`mappings`, `lists`), showing it (`web`).

mod import;
mod matching;

pub(crate) use import::import;
pub(crate) use matching::match_alike;

use crate::core::Core;
use crate::plugin::{CallContext, Terms};
use crate::store::Place;
use psa_host_api::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A work is given up after so long, in milliseconds.
const LONGEST_MS: u64 = 30 * 60_000;
/// So many are remembered after their end.
const REMEMBERED_MAX: usize = 1_000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Agents are mapped to the members with the same address.
    Match,
    /// What the provider has is looked at for the first time.
    Import,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Match, Kind::Import];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Kind::Match => "match",
            Kind::Import => "import",
        }
    }
}

/// What a work is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Members,
    Boards,
    Statuses,
    Saving,
}

impl Step {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Step::Members => "members",
            Step::Boards => "boards",
            Step::Statuses => "statuses",
            Step::Saving => "saving",
        }
    }
}

/// How it ended: how many it was about, or what was in its way.
pub(crate) type Outcome = Result<u64, Error>;

/// How far a work is.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// When it began, in milliseconds since 1970.
    pub(crate) began: i64,
    pub(crate) step: Step,
    /// Of this step.
    pub(crate) done: u64,
    /// None: nobody knows how many there are.
    pub(crate) all: Option<u64>,
    /// None: it goes on.
    pub(crate) ended: Option<Outcome>,
}

/// Where a work says how far it is.
pub(crate) struct Teller(watch::Sender<Progress>);

impl Teller {
    pub(crate) fn tell(&self, step: Step, done: u64, all: Option<u64>) {
        self.0.send_modify(|progress| (progress.step, progress.done, progress.all) = (step, done, all));
    }
}

/// All of this process.
#[derive(Default)]
pub(crate) struct Works(Mutex<HashMap<(Place, Kind), watch::Receiver<Progress>>>);

impl Works {
    /// How far one is that has been begun here.
    pub(crate) fn of(&self, place: &Place, kind: Kind) -> Option<Progress> {
        let works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        works.get(&(place.clone(), kind)).map(|work| work.borrow().clone())
    }
}

/// Begins a work, or joins the one that is at it.
pub(crate) fn begin(core: &Arc<Core>, place: &Place, kind: Kind, by: String) -> watch::Receiver<Progress> {
    let mut works = core.works.0.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (place.clone(), kind);
    // Whose teller is gone without an end was broken off.
    let is_at_it = |work: &watch::Receiver<Progress>| work.borrow().ended.is_none() && work.has_changed().is_ok();
    if let Some(work) = works.get(&key).filter(|work| is_at_it(work)) {
        return work.clone();
    }
    if works.len() >= REMEMBERED_MAX {
        works.retain(|_, work| is_at_it(work));
    }
    let began = core.clock.now_unix_ms();
    let (teller, work) = watch::channel(Progress { began, step: Step::Members, done: 0, all: None, ended: None });
    works.insert(key, work.clone());
    let (core, place, teller) = (core.clone(), place.clone(), Teller(teller));
    tokio::spawn(async move {
        let context = CallContext::until(core.clock.boot_ms().saturating_add(LONGEST_MS), Terms::default());
        let ended = match kind {
            Kind::Match => match_alike(&core, &place, &by, &context, &teller).await,
            Kind::Import => import(&core, &place, &context, &teller).await,
        };
        teller.0.send_modify(|progress| progress.ended = Some(ended));
    });
    work
}
