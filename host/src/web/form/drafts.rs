//! Secrets that were entered and not saved, between two requests.
//!
//! Promises: in memory only, wiped when they go; they belong to one person and one form, and to nobody after a quarter of an
//! hour; what is shown of a draft is its id and nothing of its content. Another process of the product does not have it:
//! then the secret is asked for again.

use crate::clock::{Random, hex};
use crate::web::who::Who;
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// A draft is kept for so long, in milliseconds.
const KEPT_MS: u64 = 15 * 60_000;
/// Drafts of one person.
const OF_ONE_MAX: usize = 5;
/// Drafts of all.
const ALL_MAX: usize = 1_000;

struct Draft {
    tenant: String,
    actor: String,
    /// The plugin of a new connection, or the connection.
    target: String,
    secrets: BTreeMap<String, SecretString>,
    until: u64,
}

/// All drafts of this process.
#[derive(Default)]
pub(crate) struct Drafts(Mutex<HashMap<String, Draft>>);

impl Drafts {
    /// Keeps secrets in place of what a draft held before; its id, or nothing if there is nothing to keep.
    pub(crate) fn keep(
        &self,
        (who, target): (&Who, &str),
        before: Option<&str>,
        secrets: BTreeMap<String, SecretString>,
        (now, random): (u64, &dyn Random),
    ) -> Option<String> {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A part of a page may still name it: its id stays the same.
        let mine =
            before.filter(|id| drafts.get(*id).is_some_and(|draft| draft.is_of(who, target) && draft.until > now));
        let mine = mine.map(str::to_owned);
        if let Some(before) = &mine {
            drafts.remove(before);
        }
        drafts.retain(|_, draft| draft.until > now);
        if secrets.is_empty() {
            return None;
        }
        let theirs = |draft: &Draft| draft.tenant == who.tenant && draft.actor == who.actor.id;
        while drafts.values().filter(|draft| theirs(draft)).count() >= OF_ONE_MAX {
            remove_oldest(&mut drafts, theirs);
        }
        while drafts.len() >= ALL_MAX {
            remove_oldest(&mut drafts, |_| true);
        }
        let id = mine.unwrap_or_else(|| {
            let mut fresh = [0; 16];
            random.fill(&mut fresh);
            hex(&fresh)
        });
        let (tenant, actor) = (who.tenant.clone(), who.actor.id.clone());
        let until = now.saturating_add(KEPT_MS);
        drafts.insert(id.clone(), Draft { tenant, actor, target: target.to_owned(), secrets, until });
        Some(id)
    }

    /// The secrets of a draft, if it is of this person and form.
    pub(crate) fn secrets(&self, who: &Who, target: &str, id: &str, now: u64) -> BTreeMap<String, SecretString> {
        let drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = drafts.get(id).filter(|draft| draft.until > now && draft.is_of(who, target));
        found.map(|draft| draft.secrets.clone()).unwrap_or_default()
    }

    /// It was saved.
    pub(crate) fn forget(&self, who: &Who, target: &str, id: &str) {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if drafts.get(id).is_some_and(|draft| draft.is_of(who, target)) {
            drafts.remove(id);
        }
    }
}

impl Draft {
    fn is_of(&self, who: &Who, target: &str) -> bool {
        self.tenant == who.tenant && self.actor == who.actor.id && self.target == target
    }
}

fn remove_oldest(drafts: &mut HashMap<String, Draft>, among: impl Fn(&Draft) -> bool) {
    let oldest = drafts.iter().filter(|(_, draft)| among(draft)).min_by_key(|(_, draft)| draft.until);
    if let Some(id) = oldest.map(|(id, _)| id.clone()) {
        drafts.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    fn who(tenant: &str, actor: &str) -> Who {
        let who = json!({"tenant": tenant, "actor": {"id": actor}, "public_origin": "https://desk.example.com"});
        Who::read(who.to_string().as_bytes()).unwrap().unwrap()
    }

    fn secret(value: &str) -> BTreeMap<String, SecretString> {
        BTreeMap::from([("key".to_owned(), SecretString::from(value))])
    }

    #[test]
    fn a_draft_is_of_one_person_and_form_and_ends() {
        let (drafts, ann) = (Drafts::default(), who("t", "ann"));
        let id = drafts.keep((&ann, "c_1"), None, secret("s3cret"), (0, &SystemRandom)).unwrap();
        let found = |who: &Who, target: &str, now: u64| drafts.secrets(who, target, &id, now).len();
        assert_eq!(drafts.secrets(&ann, "c_1", &id, 1)["key"].expose_secret(), "s3cret");
        assert_eq!(found(&who("t", "bo"), "c_1", 1), 0, "another person");
        assert_eq!(found(&who("u", "ann"), "c_1", 1), 0, "another tenant");
        assert_eq!(found(&ann, "c_2", 1), 0, "another connection");
        assert_eq!(found(&ann, "c_1", KEPT_MS), 0, "too late");
        drafts.forget(&who("t", "bo"), "c_1", &id);
        assert_eq!(found(&ann, "c_1", 1), 1, "nobody else forgets it");
        drafts.forget(&ann, "c_1", &id);
        assert_eq!(found(&ann, "c_1", 1), 0);
    }

    #[test]
    fn nobody_has_more_than_their_share() {
        let drafts = Drafts::default();
        let first = drafts.keep((&who("t", "ann"), "c"), None, secret("1"), (0, &SystemRandom)).unwrap();
        let bos = drafts.keep((&who("t", "bo"), "c"), None, secret("1"), (0, &SystemRandom)).unwrap();
        for now in 1..=OF_ONE_MAX as u64 {
            drafts.keep((&who("t", "ann"), "c"), None, secret("2"), (now, &SystemRandom));
        }
        assert!(drafts.secrets(&who("t", "ann"), "c", &first, 9).is_empty(), "the oldest one went");
        assert_eq!(drafts.secrets(&who("t", "bo"), "c", &bos, 9).len(), 1, "others' stay");
    }
}
