//! What can be chosen in the fields of a form, as the provider says.
//!
//! Holds: asking a plugin for options, remembering them, and whether what is chosen is among them.
//! Promises: what was read with other settings or secrets is never shown; a field that does not fit yet is in the way of
//! those alone that depend on it; what is older than its time is shown at most, and judges nothing.
//! Leaves to others: drawing them, and reading anew what is older than its time (the page).

use super::settings::{at, refuse, rule_at};
use super::trial::{Issue, Tried};
use super::{ConnectionRoom, SecretOp, Trial};
use crate::cache::{Cache, Key, Kind, Limits};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::form::Moment;
use psa_host_api::form::types::Options;
use psa_host_api::model::{FormOption, IssueLevel, Page, PageRequest};
use psa_host_api::ops::{FormOptionsRequest, ListFormOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::sync::PoisonError;

/// What the lists of a connection are remembered under.
const OPTIONS: &str = "options";
/// How long a list may be shown, in milliseconds.
const SHOWN_MS: u64 = 24 * 60 * 60_000;
/// Whoever finds a list too old, or wants it anew, has it read; for so long nobody else does, in milliseconds.
const READING_MS: u64 = 10_000;

/// A list as it is shown: all of it, or its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) items: Vec<FormOption>,
    /// Nothing comes behind them.
    pub(crate) whole: bool,
}

/// A list that was shown, with when it is over.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    listed: Listed,
    /// When its reading began; from the start of the machine, in milliseconds.
    read_ms: u64,
    /// From when on it is to be read anew.
    again_ms: u64,
}

/// Where a list is kept that was shown.
pub(crate) struct Keeping {
    cache: Cache,
    key: Key,
    ttl_ms: u64,
}

impl Keeping {
    /// The list that was shown last, and whether it is to be read anew by who asks.
    pub(crate) fn get(&self, now_ms: u64) -> Option<(Listed, bool)> {
        let kept: Kept = serde_json::from_slice(&self.cache.get(&self.key)?).ok()?;
        let old = now_ms >= kept.again_ms;
        if old {
            self.put(&Kept { again_ms: now_ms.saturating_add(READING_MS), ..kept.clone() }, now_ms);
        }
        Some((kept.listed, old))
    }

    /// Keeps a list whose reading began then.
    pub(crate) fn keep(&self, listed: &Listed, read_ms: u64, now_ms: u64) {
        // The pages were remembered for as long: until then nothing new would be read.
        let again_ms = now_ms.saturating_add(self.ttl_ms);
        self.put(&Kept { listed: listed.clone(), read_ms, again_ms }, now_ms);
    }

    fn put(&self, kept: &Kept, now_ms: u64) {
        let left_ms = kept.read_ms.saturating_add(SHOWN_MS).saturating_sub(now_ms);
        if let Ok(bytes) = serde_json::to_vec(kept)
            && left_ms > 0
        {
            self.cache.put(self.key.clone(), &bytes, Some(left_ms));
        }
    }
}

impl ConnectionRoom {
    /// What can be chosen in a field, under exactly these settings.
    pub(crate) async fn options(
        &self,
        trial: &Trial,
        request: &FormOptionsRequest,
        context: &CallContext,
    ) -> Result<Page<FormOption>, Error> {
        let tried = self.asked_for(trial, request).await?;
        let load = || async {
            let answer = self.try_run::<ListFormOptions>(&tried.row, tried.secrets.clone(), request, context).await?;
            let bytes = serde_json::to_vec(&answer).map_err(|error| Error::internal(error.to_string()))?;
            Ok(bytes.into())
        };
        let bytes = match remembered_as(Kind::Catalog, trial, &tried, request)? {
            Some(key) => {
                let ttl_ms = life_ms(&tried, request);
                let place = &tried.row.place;
                self.choices.of(place.tenant.as_bytes(), &place.connection).get_or_load(key, ttl_ms, load).await?
            }
            None => load().await?,
        };
        serde_json::from_slice(&bytes).map_err(|error| Error::internal(error.to_string()))
    }

    /// Where the whole list of a field is kept once it was shown; none: it was asked for with secrets that are not kept.
    pub(crate) async fn keeping(&self, trial: &Trial, request: &FormOptionsRequest) -> Result<Option<Keeping>, Error> {
        let tried = self.asked_for(trial, request).await?;
        let Some(key) = remembered_as(Kind::Options, trial, &tried, request)? else { return Ok(None) };
        let place = &tried.row.place;
        let ttl_ms = life_ms(&tried, request).unwrap_or(Limits::of(Kind::Catalog).ttl_ms);
        Ok(Some(Keeping { cache: self.choices.of(place.tenant.as_bytes(), &place.connection), key, ttl_ms }))
    }

    /// What is tried, if a list may be asked for under it.
    async fn asked_for(&self, trial: &Trial, request: &FormOptionsRequest) -> Result<Tried, Error> {
        let mut tried = self.prepare(trial, Moment::Creation).await?;
        check_request(&tried, request)?;
        forgive_later_steps(&mut tried);
        refuse(tried.issues.clone())?;
        Ok(tried)
    }

    /// Drops what is over, of all that is remembered of providers.
    pub(crate) fn sweep(&self) {
        self.caches.sweep();
        self.choices.sweep();
    }

    /// Forgets the lists that were read for a connection, so that they are read again. What is being read because of such a
    /// wish is waited for, not begun anew.
    pub(crate) fn forget_choices(&self, place: &Place) {
        let now_ms = self.runtime.clock.boot_ms();
        let mut wishes = self.reread.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.retain(|_, wished_ms| now_ms < wished_ms.saturating_add(READING_MS));
        if !wishes.contains_key(place) {
            wishes.insert(place.clone(), now_ms);
            self.choices.forget(place.tenant.as_bytes(), &place.connection);
        }
    }

    /// Chosen values that are not in a list that is remembered and complete. What is not remembered is not looked for.
    pub(super) fn issues_of_choices(&self, trial: &Trial, tried: &Tried) -> Result<Vec<Issue>, Error> {
        let form = &tried.plugin.form;
        let visible = form.visible(&tried.row.settings);
        let mut issues = Vec::new();
        for field in form.definition().fields.iter().filter(|field| visible.contains(field.key.as_str())) {
            let Some(options) = field.options.as_ref().filter(|options| options.source.is_some()) else { continue };
            let Some(list) = self.remembered(trial, tried, options)? else { continue };
            let chosen = tried.row.settings.get(&field.key);
            if let Some((level, gone)) = missing(options, chosen, &list) {
                let message = format!("{gone} is not among what can be chosen for \"{}\"", field.key);
                let params = [("rule", "chosen"), ("values", gone.as_str())];
                issues.push(Issue { level, ..rule_at(at(form, &field.key), "option", message, params) });
            }
        }
        Ok(issues)
    }

    /// The whole list of a field's options, if it is remembered.
    fn remembered(&self, trial: &Trial, tried: &Tried, options: &Options) -> Result<Option<Vec<FormOption>>, Error> {
        let request = request_of(options, &tried.row.settings);
        let Some(key) = remembered_as(Kind::Catalog, trial, tried, &request)? else { return Ok(None) };
        let place = &tried.row.place;
        let found = self.choices.of(place.tenant.as_bytes(), &place.connection).get(&key);
        let page: Option<Page<FormOption>> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(page.filter(|page| page.next.is_none()).map(|page| page.items))
    }
}

/// What is asked for a field: its source, with the values of the fields that the form names as arguments.
pub(crate) fn request_of(options: &Options, settings: &Map<String, Value>) -> FormOptionsRequest {
    let args = options.args.iter().filter_map(|(name, from)| Some((name.clone(), settings.get(from)?.clone())));
    FormOptionsRequest {
        source: options.source.clone().unwrap_or_default(),
        args: args.collect(),
        query: None,
        page: PageRequest::default(),
    }
}

/// What is chosen and is not in a list, and how bad that is.
fn missing(options: &Options, chosen: Option<&Value>, list: &[FormOption]) -> Option<(IssueLevel, String)> {
    let known = |value: &Value| list.iter().any(|option| option.value == *value && !option.inactive);
    let gone: Vec<String> = match chosen? {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Array(items) => items.iter().filter(|item| !known(item)).map(Value::to_string).collect(),
        value if known(value) => Vec::new(),
        value => vec![value.to_string()],
    };
    if gone.is_empty() {
        return None;
    }
    // Who may type an id may know one that the list does not show.
    let level = if options.manual { IssueLevel::Warning } else { IssueLevel::Error };
    Some((level, gone.join(", ").replace('"', "")))
}

fn check_request(tried: &Tried, request: &FormOptionsRequest) -> Result<(), Error> {
    let wrong = |at: &str, code: &str, message: String| Err(Error::invalid(message.clone()).field(at, code, message));
    let Some(source) = tried.plugin.form.definition().sources.get(&request.source) else {
        return wrong("/source", "option", format!("the form has no source \"{}\"", request.source));
    };
    if let Some(name) = request.args.keys().find(|name| !source.args.contains(name)) {
        return wrong("/args", "unknown_field", format!("the source \"{}\" takes no \"{name}\"", request.source));
    }
    if request.query.is_some() && !source.search {
        return wrong("/query", "search", format!("the source \"{}\" cannot be searched", request.source));
    }
    Ok(())
}

/// Choices are made in later steps: what is wrong there, maybe since the provider has changed, does not keep their lists
/// from being read. The plugin does not see it.
fn forgive_later_steps(tried: &mut Tried) {
    let definition = tried.plugin.form.definition();
    let is_later = |issue: &Issue| {
        let key = issue.at.strip_prefix("/settings/")?;
        let field = definition.fields.iter().find(|field| field.key == key)?;
        let group = definition.groups.iter().find(|group| group.key == field.group)?;
        group.step.is_some_and(|step| step > 1).then(|| field.key.clone())
    };
    let later: Vec<String> = tried.issues.iter().filter_map(is_later).collect();
    tried.issues.retain(|issue| is_later(issue).is_none());
    for key in later {
        tried.row.settings.remove(&key);
    }
}

/// How long a list is as good as new, in milliseconds, if its source says so. No longer than any other list.
fn life_ms(tried: &Tried, request: &FormOptionsRequest) -> Option<u64> {
    let ttl_s = tried.plugin.form.definition().sources.get(&request.source)?.ttl_s?;
    Some((u64::from(ttl_s) * 1000).min(Limits::of(Kind::Catalog).ttl_ms_max))
}

/// The key under which a list is remembered; none, if it was asked for with secrets that are not kept.
fn remembered_as(kind: Kind, trial: &Trial, tried: &Tried, request: &FormOptionsRequest) -> Result<Option<Key>, Error> {
    let Some(before) = &tried.before else { return Ok(None) };
    if trial.secrets.values().any(|op| !matches!(op, SecretOp::Keep)) {
        return Ok(None);
    }
    // What decides who is asked and as whom; choices of later steps decide nothing but the arguments.
    let definition = tried.plugin.form.definition();
    let first = |key: &String| {
        let field = definition.fields.iter().find(|field| field.key == *key);
        let group = field.and_then(|field| definition.groups.iter().find(|group| group.key == field.group));
        group.is_none_or(|group| group.step.is_none_or(|step| step <= 1))
    };
    let settings: Map<String, Value> = tried
        .row
        .settings
        .iter()
        .filter(|(key, _)| first(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let words = serde_json::to_string(&(&tried.plugin.manifest.version, settings, before.credential_version, request))
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Some(Key::new(kind, OPTIONS, crate::clock::hex(&Sha256::digest(words)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, VirtualClock};

    fn listed(name: &str) -> Listed {
        Listed { items: vec![FormOption::new("1", name)], whole: true }
    }

    #[test]
    fn a_list_is_read_anew_by_one_when_its_time_is_over_and_shown_for_a_day() {
        let clock = VirtualClock::at(1_700_000_000_000);
        let start = clock.boot_ms();
        let keeping =
            Keeping { cache: Cache::new(clock.clone()), key: Key::new(Kind::Options, OPTIONS, "k"), ttl_ms: 60_000 };
        let at = |ms: u64| {
            let now_ms = start + ms;
            clock.advance(now_ms - clock.boot_ms());
            keeping.get(now_ms).map(|(listed, old)| (listed.items[0].label.clone(), old))
        };
        let keep = |name: &str, read_ms: u64, now_ms: u64| keeping.keep(&listed(name), start + read_ms, start + now_ms);
        let found = |name: &str, old: bool| Some((name.to_owned(), old));
        assert_eq!(at(0), None);
        keep("first", 0, 2_000);
        assert_eq!(at(61_999), found("first", false));
        assert_eq!(at(62_000), found("first", true));
        // Whoever comes next does not read it too, unless nothing came of it.
        assert_eq!(at(62_001), found("first", false));
        assert_eq!(at(72_000), found("first", true));
        keep("second", 72_000, 73_000);
        assert_eq!(at(132_999), found("second", false));
        // Looking again and again does not lengthen its day.
        for minute in 3..24 * 60 + 1 {
            assert!(at(minute * 60_000).is_some(), "{minute}");
        }
        assert_eq!(at(72_000 + SHOWN_MS), None);
    }
}
