//! The words of the page, by locale.
//!
//! Holds: the catalogues, flat JSON beside this file; [`Words`], which chooses among them for one request.
//! Promises: English is complete, and every other catalogue has the same keys (a test compares them); a product may replace
//! any of them; a number or a date is written as the locale has it.

use super::moment::Moment;
use super::who::Who;
use crate::fork::PerProcess;
use crate::store::LINKS_COUNTED_MAX;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The files of a locale, one per page and one that all share.
macro_rules! files {
    ($locale:literal: $($file:literal)*) => {
        ($locale, &[$(include_str!(concat!("texts/", $locale, "/", $file, ".json"))),*])
    };
}

/// Each locale's words. The first one is the one that all others fall back to.
const CATALOGUES: &[(&str, &[&str])] = &[
    files!("en": "activity" "callbacks" "common" "form" "index" "mapping" "operation" "overview" "plugin" "refusal" "remove" "standing" "ticket" "tickets" "work"),
    files!("de": "activity" "callbacks" "common" "form" "index" "mapping" "operation" "overview" "plugin" "refusal" "remove" "standing" "ticket" "tickets" "work"),
];

/// A text, or two that depend on a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Entry {
    Plain(String),
    Counted { one: String, other: String },
}

type Catalogue = HashMap<String, Entry>;

fn catalogues() -> &'static [(&'static str, Catalogue)] {
    static READ: PerProcess<Vec<(&'static str, Catalogue)>> = PerProcess::new();
    READ.get(|| {
        let read = |text: &&str| serde_json::from_str::<Catalogue>(text).expect("a test reads each catalogue");
        CATALOGUES.iter().map(|(locale, files)| (*locale, files.iter().flat_map(read).collect())).collect()
    })
}

/// The words of one request.
pub(crate) struct Words<'a> {
    /// In order of preference.
    chosen: Vec<&'static Catalogue>,
    replaced: &'a BTreeMap<String, String>,
    locale: &'a str,
    zone: jiff::tz::TimeZone,
    /// The time of the request, in milliseconds since 1970.
    now: i64,
}

impl<'a> Words<'a> {
    /// Those for who asks.
    pub(crate) fn of(who: &'a Who, now: i64) -> Words<'a> {
        let language = who.locale.split('-').next().unwrap_or_default();
        let all = catalogues();
        let named = |wanted: &str| all.iter().find(|(locale, _)| locale.eq_ignore_ascii_case(wanted));
        let mut chosen: Vec<&Catalogue> =
            [named(&who.locale), named(language)].into_iter().flatten().map(|(_, words)| words).collect();
        chosen.extend(all.first().map(|(_, words)| words));
        let zone = jiff::tz::TimeZone::get(&who.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        Words { chosen, replaced: &who.texts, locale: &who.locale, zone, now }
    }

    /// As the product has said it.
    pub(crate) fn locale(&self) -> &str {
        self.locale
    }

    /// `rtl` for what is written from right to left.
    pub(crate) fn direction(&self) -> &'static str {
        let language = self.locale.split('-').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(language.as_str(), "ar" | "he" | "fa" | "ur" | "ps" | "dv" | "yi") { "rtl" } else { "ltr" }
    }

    /// The time of the request, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// The text of a key. A key without one is its own text: a test sees to it that there is none.
    pub(crate) fn say(&self, key: &str) -> String {
        self.text(key, 1)
    }

    /// The text of a key if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<String> {
        let known = self.replaced.contains_key(key) || self.chosen.iter().any(|words| words.contains_key(key));
        known.then(|| self.say(key))
    }

    /// The text with its `{names}` filled in.
    pub(crate) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        filled(&self.text(key, 1), values)
    }

    /// The same, if there is one and all its names are known.
    pub(crate) fn find_fill(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let text = self.find(key)?;
        let unknown = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .any(|(name, _)| lookup(values, name).is_none());
        (!unknown).then(|| filled(&text, values))
    }

    /// The text for a number, which is its `{n}`.
    pub(crate) fn count(&self, key: &str, n: u64) -> String {
        self.count_fill(key, n, &[])
    }

    /// The text for a number, with more filled in.
    pub(crate) fn count_fill(&self, key: &str, n: u64, values: &[(&str, &str)]) -> String {
        self.count_as(key, n, &self.number(n), values)
    }

    /// The same for links, of which so many are counted and no more.
    pub(crate) fn count_links(&self, key: &str, n: u64, values: &[(&str, &str)]) -> String {
        self.count_as(key, n, &self.links(n), values)
    }

    fn count_as(&self, key: &str, n: u64, number: &str, values: &[(&str, &str)]) -> String {
        let all: Vec<(&str, &str)> = std::iter::once(("n", number)).chain(values.iter().copied()).collect();
        filled(&self.text(key, n), &all)
    }

    fn text(&self, key: &str, n: u64) -> String {
        if let Some(text) = self.replaced.get(key) {
            return text.clone();
        }
        match self.chosen.iter().find_map(|words| words.get(key)) {
            Some(Entry::Plain(text)) => text.clone(),
            // English and German have the same rule; a language with another one brings it with its catalogue.
            Some(Entry::Counted { one, other }) => if n == 1 { one } else { other }.clone(),
            None => key.to_owned(),
        }
    }

    /// So many links; of more than are counted that there are more.
    pub(crate) fn links(&self, n: u64) -> String {
        match n > LINKS_COUNTED_MAX {
            true => self.fill("number.more", &[("n", &self.number(LINKS_COUNTED_MAX))]),
            false => self.number(n),
        }
    }

    /// A whole number, in groups of three digits.
    pub(crate) fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let group = self.say("number.group");
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push_str(&group);
            }
            text.push(digit);
        }
        text
    }

    /// A moment as people say it, beside the exact one.
    pub(crate) fn moment(&self, unix_ms: i64) -> Moment {
        Moment { at: crate::clock::rfc3339(unix_ms), exact: self.exact(unix_ms), words: self.ago(unix_ms) }
    }

    /// How long ago, or how soon.
    pub(crate) fn ago(&self, unix_ms: i64) -> String {
        let passed = self.now.saturating_sub(unix_ms);
        let seconds = passed.unsigned_abs() / 1000;
        let (unit, n) = match seconds {
            0..=9 => return self.say("time.now"),
            10..=59 => ("second", seconds),
            60..=3_599 => ("minute", seconds / 60),
            3_600..=86_399 => ("hour", seconds / 3_600),
            _ => ("day", seconds / 86_400),
        };
        let way = if passed < 0 { "in" } else { "ago" };
        self.count(&format!("time.{way}.{unit}"), n)
    }

    /// A length of time, in its largest unit.
    pub(crate) fn span(&self, ms: u64) -> String {
        let seconds = ms / 1000;
        let (unit, n) = match seconds {
            0..=119 => ("second", seconds),
            120..=7_199 => ("minute", seconds / 60),
            7_200..=172_799 => ("hour", seconds / 3_600),
            _ => ("day", seconds / 86_400),
        };
        self.count(&format!("time.span.{unit}"), n)
    }

    /// Day and time in the person's time zone.
    pub(crate) fn exact(&self, unix_ms: i64) -> String {
        let Some(zoned) = self.zoned(unix_ms) else { return crate::clock::rfc3339(unix_ms) };
        let clock = format!("{:02}:{:02}:{:02}", zoned.hour(), zoned.minute(), zoned.second());
        self.fill("date.exact", &[("day", &self.day(unix_ms)), ("clock", &clock)])
    }

    /// Hours and minutes in the person's time zone.
    pub(crate) fn clock(&self, unix_ms: i64) -> String {
        self.zoned(unix_ms).map_or_else(String::new, |zoned| format!("{:02}:{:02}", zoned.hour(), zoned.minute()))
    }

    /// The day in the person's time zone.
    pub(crate) fn day(&self, unix_ms: i64) -> String {
        let Some(zoned) = self.zoned(unix_ms) else { return crate::clock::rfc3339(unix_ms) };
        let month = self.say(&format!("date.month.{}", zoned.month()));
        self.fill(
            "date.day",
            &[("day", &zoned.day().to_string()), ("month", &month), ("year", &zoned.year().to_string())],
        )
    }

    fn zoned(&self, unix_ms: i64) -> Option<jiff::Zoned> {
        let at = jiff::Timestamp::from_millisecond(unix_ms).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    /// The first moment of a day, "2026-08-22", in the person's time zone, in milliseconds since 1970.
    pub(crate) fn day_begins(&self, day: &str) -> Option<i64> {
        let date: jiff::civil::Date = day.trim().parse().ok()?;
        Some(date.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }
}

/// A text with its `{names}` filled in. What is filled in is not looked through again.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        done.push_str(before);
        match behind.split_once('}').and_then(|(name, after)| Some((lookup(values, name)?, after))) {
            Some((value, after)) => {
                done.push_str(value);
                rest = after;
            }
            None => {
                done.push('{');
                rest = behind;
            }
        }
    }
    done.push_str(rest);
    done
}

fn lookup<'v>(values: &[(&str, &'v str)], name: &str) -> Option<&'v str> {
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Whether English has a text for a key.
#[cfg(test)]
pub(crate) fn is_said(key: &str) -> bool {
    catalogues().first().is_some_and(|(_, english)| english.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    fn texts(entry: &Entry) -> Vec<&str> {
        match entry {
            Entry::Plain(text) => vec![text],
            Entry::Counted { one, other } => vec![one, other],
        }
    }

    #[test]
    fn every_catalogue_has_the_same_keys_and_names() {
        let (_, english) = &catalogues()[0];
        for (locale, words) in &catalogues()[1..] {
            let missing: Vec<&String> = english.keys().filter(|key| !words.contains_key(*key)).collect();
            let unknown: Vec<&String> = words.keys().filter(|key| !english.contains_key(*key)).collect();
            assert!(missing.is_empty() && unknown.is_empty(), "{locale} lacks {missing:?}, and has {unknown:?}");
            for (key, entry) in words {
                let ours: BTreeSet<&str> = texts(&english[key]).into_iter().flat_map(names).collect();
                let theirs: BTreeSet<&str> = texts(entry).into_iter().flat_map(names).collect();
                assert_eq!(ours, theirs, "{locale}: {key}");
            }
        }
    }

    /// The keys that the code names are in the catalogue, and nothing else is.
    #[test]
    fn every_key_is_used_and_every_used_key_is_there() {
        let (_, english) = &catalogues()[0];
        let mut source = String::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    source.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let calls = ["say(\"", "fill(\"", "count(\"", "count_fill(\"", "find(\""];
        for call in calls {
            for rest in source.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(english.contains_key(key) || !key.contains('.'), "{call}{key}\") has no text");
            }
        }
        for key in english.keys() {
            // Keys that are put together name their family: `format!("time.{way}.…")`.
            let family = key.rsplit_once('.').map_or(key.as_str(), |(family, _)| family);
            let root = key.split('.').next().unwrap_or_default();
            let named = source.contains(&format!("\"{key}\""))
                || source.contains(&format!("\"{family}.{{"))
                || source.contains(&format!("\"{root}.{{"));
            assert!(named, "nothing says {key}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(filled("{a} and {b} and {c", &[("a", "{b}"), ("b", "2")]), "{b} and 2 and {c");
    }
}
