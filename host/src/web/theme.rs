//! Whether a product's colours can be read: the contrast of everything that stands on something else.
//!
//! Promises: the standard colours are read from the stylesheet itself, so that there is no second list; a ratio is never
//! rounded up to what is needed.

use super::assets::style;
use crate::fork::PerProcess;
use crate::json::pointer_part;
use psa_host_api::Error;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What texts need (WCAG 2.2, 1.4.3).
const TEXT: f64 = 4.5;
/// What borders of controls and shapes need (1.4.11).
const SHAPE: f64 = 3.0;
/// What a page lies on.
const GROUNDS: [&str; 3] = ["bg", "surface", "sunken"];
/// How good something is.
const TONES: [&str; 5] = ["ok", "warn", "bad", "info", "idle"];

/// A colour on another.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Contrast {
    /// The token of what stands in front.
    pub(crate) front: String,
    /// The token of what it stands on.
    pub(crate) back: String,
    /// Contrast in the light scheme, 1 to 21.
    pub(crate) light: f64,
    /// Contrast in the dark scheme.
    pub(crate) dark: f64,
    /// What both need: 4.5 for texts, 3 for borders of controls and shapes.
    pub(crate) need: f64,
    /// Both have it.
    pub(crate) passed: bool,
}

/// What a theme comes to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ThemeReport {
    /// Every pair has what it needs.
    pub(crate) passed: bool,
    /// Every pair there is, those first that lack most.
    pub(crate) items: Vec<Contrast>,
}

/// A colour in both schemes, each channel from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour {
    light: [u8; 3],
    dark: [u8; 3],
}

/// The report on these tokens in place of the standard ones: `{"--psa-accent": "#1b5cbe"}`.
pub(crate) fn report(tokens: &BTreeMap<String, String>) -> Result<ThemeReport, Error> {
    let mut colours = standard().clone();
    let mut wrong: Option<Error> = None;
    for (name, value) in tokens {
        let message = match name.strip_prefix("--psa-") {
            Some(token) if colours.contains_key(token) => match colour(value) {
                Some(colour) => {
                    colours.insert(token.to_owned(), colour);
                    continue;
                }
                None => "must be #rrggbb, #rgb, rgb(r g b), or light-dark() of two of these, and opaque",
            },
            Some(token) if is_other(token) => continue,
            _ => "is no token of the page: docs/page.md names them",
        };
        let error = wrong.unwrap_or_else(|| Error::invalid(format!("tokens: {name} {message}")));
        wrong = Some(error.field(format!("/tokens/{}", pointer_part(name)), "token", message));
    }
    match wrong {
        Some(error) => Err(error),
        None => Ok(of(&colours)),
    }
}

fn of(colours: &BTreeMap<String, Colour>) -> ThemeReport {
    let pair = |(front, back, need): (&str, &str, f64)| {
        let (a, b) = (colours.get(front)?, colours.get(back)?);
        let (light, dark) = (contrast(a.light, b.light), contrast(a.dark, b.dark));
        let passed = light >= need && dark >= need;
        let name = |token: &str| format!("--psa-{token}");
        Some(Contrast { front: name(front), back: name(back), light, dark, need, passed })
    };
    let mut items: Vec<Contrast> = pairs().into_iter().filter_map(pair).collect();
    let share = |pair: &Contrast| pair.light.min(pair.dark) / pair.need;
    items.sort_by(|a, b| share(a).total_cmp(&share(b)));
    ThemeReport { passed: items.iter().all(|pair| pair.passed), items }
}

/// What stands on what in the stylesheet, and what it needs.
fn pairs() -> Vec<(&'static str, &'static str, f64)> {
    const BACKS: [(&str, &str); 5] =
        [("ok", "ok-bg"), ("warn", "warn-bg"), ("bad", "bad-bg"), ("info", "info-bg"), ("idle", "idle-bg")];
    let mut pairs = Vec::new();
    for front in ["text", "muted", "accent", "bad"] {
        pairs.extend(GROUNDS.map(|back| (front, back, TEXT)));
    }
    for (tone, back) in BACKS {
        pairs.extend([tone, "text", "muted", "accent"].map(|front| (front, back, TEXT)));
    }
    pairs.extend(TONES.map(|tone| (tone, "surface", TEXT)));
    pairs.push(("on-accent", "accent", TEXT));
    pairs.extend(GROUNDS.map(|back| ("control-line", back, SHAPE)));
    // The filled part of a meter beside the empty one.
    pairs.push(("accent", "idle-bg", SHAPE));
    // A text needs more than a shape of the same colours.
    pairs.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
    pairs.dedup_by_key(|pair| (pair.0, pair.1));
    pairs
}

/// The colours of the stylesheet: `--p-bg: var(--psa-bg, light-dark(#…, #…));`.
fn standard() -> &'static BTreeMap<String, Colour> {
    static READ: PerProcess<BTreeMap<String, Colour>> = PerProcess::new();
    READ.get(|| lines().filter_map(|(name, value)| Some((name.to_owned(), colour(value)?))).collect())
}

/// A token that is no colour: a font, a size.
fn is_other(token: &str) -> bool {
    lines().any(|(name, value)| name == token && colour(value).is_none())
}

/// Each token with what it is when a product says nothing.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sheet = std::str::from_utf8(style().bytes).unwrap_or_default();
    sheet.lines().filter_map(|line| line.trim().split_once(": var(--psa-")?.1.strip_suffix(");")?.split_once(", "))
}

/// A colour as CSS writes it; of `light-dark()` both.
fn colour(text: &str) -> Option<Colour> {
    let text = text.trim();
    match inside(text, "light-dark") {
        Some(both) => {
            // The comma between both is the one that is in no brackets.
            let mut depth = 0_i32;
            let middle = both.find(|c: char| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                c == ',' && depth == 0
            })?;
            let (light, dark) = both.split_at(middle);
            Some(Colour { light: channels(light)?, dark: channels(&dark[1..])? })
        }
        None => channels(text).map(|channels| Colour { light: channels, dark: channels }),
    }
}

fn inside<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

fn channels(text: &str) -> Option<[u8; 3]> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(hex) = text.strip_prefix('#') {
        let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        let pairs: Vec<u8> = match digits.len() {
            3 | 4 => digits.iter().map(|digit| digit * 17).collect(),
            6 | 8 => digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect(),
            _ => return None,
        };
        // What shines through depends on what lies below.
        return (pairs.len() == 3 || pairs[3] == 255).then(|| [pairs[0], pairs[1], pairs[2]]);
    }
    let numbers = inside(&text, "rgb")?;
    let parts: Vec<&str> = numbers.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let numbers: Vec<u8> = parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// The contrast of two colours as WCAG 2.2 defines it, cut after two digits.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    ((a.max(b) + 0.05) / (a.min(b) + 0.05) * 100.0).floor() / 100.0
}

fn luminance(channels: [u8; 3]) -> f64 {
    let linear = channels.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_standard_colours_can_be_read() {
        let report = report(&BTreeMap::new()).unwrap();
        let failing: Vec<&Contrast> = report.items.iter().filter(|pair| !pair.passed).collect();
        assert!(report.passed && failing.is_empty(), "{failing:#?}");
        assert_eq!((standard().len(), report.items.len()), (19, 40));
        // Each colour is held against something.
        for token in standard().keys().filter(|token| *token != "line") {
            let name = format!("--psa-{token}");
            assert!(report.items.iter().any(|pair| pair.front == name || pair.back == name), "{name}");
        }
    }

    #[test]
    fn a_brand_colour_that_fails_is_told_with_what_it_stands_on() {
        // Yellow under white letters; dark it is right.
        let brand = tokens(&[("--psa-accent", "light-dark(#ffcc00, #8dbaff)"), ("--psa-radius", "2px")]);
        let report = report(&brand).unwrap();
        assert!(!report.passed);
        let first = &report.items[0];
        assert!(!first.passed && first.light < 2.0 && first.dark > 4.5, "{first:?}");
        let failing = report.items.iter().filter(|pair| !pair.passed);
        assert!(failing.clone().all(|pair| pair.front == "--psa-accent" || pair.back == "--psa-accent"));
        assert!(failing.clone().any(|pair| pair.front == "--psa-on-accent"));
    }

    #[test]
    fn ratios_are_those_of_the_recommendation_and_never_rounded_up() {
        for (one, other, ratio) in [
            ([0, 0, 0], [255, 255, 255], 21.0),
            ([118, 118, 118], [255, 255, 255], 4.54),
            ([119, 119, 119], [255, 255, 255], 4.47),
            ([255, 0, 0], [255, 255, 255], 3.99),
            ([1, 2, 3], [1, 2, 3], 1.0),
        ] {
            assert_eq!(contrast(one, other), ratio, "{one:?} {other:?}");
            assert_eq!(contrast(other, one), ratio);
        }
    }

    #[test]
    fn colours_are_read_as_css_writes_them_and_what_is_not_one_is_named() {
        let both = |light, dark| Some(Colour { light, dark });
        for (text, read) in [
            ("#1B5CBE", both([27, 92, 190], [27, 92, 190])),
            ("#fff", both([255; 3], [255; 3])),
            ("#ffffffff", both([255; 3], [255; 3])),
            ("#ffffff80", None),
            ("rgb(1, 2, 3)", both([1, 2, 3], [1, 2, 3])),
            ("rgb(1 2 3)", both([1, 2, 3], [1, 2, 3])),
            ("light-dark(rgb(1, 2, 3), #000)", both([1, 2, 3], [0; 3])),
            ("light-dark(#fff)", None),
            ("rgb(1 2 3 / .5)", None),
            ("rebeccapurple", None),
            ("#ü12", None),
            ("", None),
        ] {
            assert_eq!(colour(text), read, "{text}");
        }
        let wrong = tokens(&[("--psa-bg", "url(x)"), ("--psa-colour", "#fff"), ("accent", "#fff")]);
        let error = report(&wrong).unwrap_err();
        let fields: Vec<&str> = error.fields.iter().map(|field| field.at.as_str()).collect();
        assert_eq!(fields, ["/tokens/--psa-bg", "/tokens/--psa-colour", "/tokens/accent"]);
    }
}
