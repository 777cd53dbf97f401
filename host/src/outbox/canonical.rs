//! What two texts have in common when a PSA has rewritten one of them.
//!
//! Promises: trimming, entities, links made of addresses, lost emoji and a cut end are seen through; short texts are
//! compared as they are, because little of them is left.

use unicode_normalization::UnicodeNormalization as _;

/// Below this many letters and digits a text is compared exactly.
const SHORT: usize = 8;
/// A cut text must have at least this much in common.
const CUT_MIN: usize = 40;

/// How two texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same, as far as a rewriting lets one see.
    Same,
    /// Another one.
    Other,
}

/// Letters and digits of a text, entities decoded, links reduced to their words.
pub(super) fn canonical(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    let bare = without_tags(&without_links(&decoded));
    bare.nfkc().filter(|character| character.is_alphanumeric()).collect()
}

/// Whether `theirs` can be `ours` as the PSA keeps it.
pub(super) fn compare(ours: &str, theirs: &str) -> Likeness {
    let (own, other) = (canonical(ours), canonical(theirs));
    let same = if own.chars().count() < SHORT {
        squeezed(ours) == squeezed(theirs)
    } else {
        own == other || (other.chars().count() >= CUT_MIN && own.starts_with(&other))
    };
    if same { Likeness::Same } else { Likeness::Other }
}

/// What a PSA puts around every text: a signature, a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frame {
    before: String,
    after: String,
}

impl Frame {
    /// The frame that `theirs` shows around `ours`, if it is one. Short texts show nothing: they are in everything.
    pub(super) fn shown(ours: &str, theirs: &str) -> Option<Frame> {
        let (own, other) = (canonical(ours), canonical(theirs));
        if own.chars().count() < SHORT || own == other {
            return None;
        }
        let at = other.find(&own)?;
        Some(Frame { before: other[..at].to_owned(), after: other[at + own.len()..].to_owned() })
    }

    /// Whether `theirs` is `ours` within this frame.
    pub(super) fn fits(&self, ours: &str, theirs: &str) -> bool {
        let (own, other) = (canonical(ours), canonical(theirs));
        let inside = other.strip_prefix(&self.before).and_then(|rest| rest.strip_suffix(&self.after));
        !own.is_empty() && inside == Some(&own)
    }
}

/// Entities decoded, white space in one blank.
fn squeezed(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `[words](address)` becomes `words`.
fn without_links(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let link = rest[open..].find("](").and_then(|middle| {
            let (words, tail) = (&rest[open + 1..open + middle], &rest[open + middle + 2..]);
            let end = tail.find(')')?;
            (!words.contains('\n')).then_some((words, &tail[end + 1..]))
        });
        match link {
            Some((words, tail)) => {
                bare.push_str(&rest[..open]);
                bare.push_str(words);
                rest = tail;
            }
            None => {
                bare.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    bare + rest
}

/// `<a href="…">words</a>` becomes `words`; a lone `<` stays.
fn without_tags(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let inside = &rest[open + 1..];
        let is_tag = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match inside.find('>').filter(|_| is_tag) {
            Some(end) => {
                bare.push_str(&rest[..open]);
                bare.push(' ');
                rest = &inside[end + 1..];
            }
            None => {
                bare.push_str(&rest[..=open]);
                rest = inside;
            }
        }
    }
    bare + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_psa_does_to_texts_is_seen_through() {
        let long = "The printer on the second floor jams after every third page since this morning. ".repeat(20);
        let cut: String = long.chars().take(500).collect();
        for (ours, theirs) in [
            ("  The printer jams again \n\n", "The printer jams again"),
            ("5 < 6 & \"seven\" > 'four', said Tom", "5 &lt; 6 &amp; &quot;seven&quot; &gt; &#39;four&#39;, said Tom"),
            (
                "See https://example.com/a?b=1 for more",
                "See [https://example.com/a?b=1](https://example.com/a?b=1) for more",
            ),
            ("See https://example.com/ for it", "See <a href=\"https://example.com/\">https://example.com/</a> for it"),
            ("Done 🎉 and dusted, thanks 👍🏽", "Done  and dusted, thanks "),
            ("Café Zoë ﬁne", "Cafe\u{301} Zoe\u{308} fine"),
            ("a\r\nb is the new line here", "a\nb is the new line here"),
            (long.as_str(), cut.as_str()),
            ("ok", " ok "),
        ] {
            assert_eq!(compare(ours, theirs), Likeness::Same, "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn what_a_psa_puts_around_a_text_is_learned_from_one_answer() {
        let frame = Frame::shown("The printer jams again", "[Helpdesk] The printer jams again -- sent by API").unwrap();
        assert!(frame.fits("Another one, quite different", "[Helpdesk] Another one, quite different -- sent by API"));
        assert!(!frame.fits("Another one, quite different", "Another one, quite different"));
        assert!(!frame.fits("Another one", "[Helpdesk] Another one and more -- sent by API"));
        assert_eq!(Frame::shown("The printer jams again", "The printer  jams again."), None);
        assert_eq!(Frame::shown("The printer jams again", "Quite other words"), None);
    }

    #[test]
    fn other_texts_are_others() {
        for (ours, theirs) in [
            ("The printer jams again", "The printer works again"),
            ("The printer jams", "The printer jams again"),
            ("The printer jams again, look at it", "The printer jams"),
            ("ok", "ok!"),
            ("👍", "👎"),
            ("1.5", "15"),
        ] {
            assert_eq!(compare(ours, theirs), Likeness::Other, "{ours:?} {theirs:?}");
        }
    }
}
