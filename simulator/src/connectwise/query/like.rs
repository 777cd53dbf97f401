//! Patterns of `like` and `contains`.
//!
//! Holds: [`Pattern`].
//! Promises: matching takes at most text times pattern steps and ignores case.
//! Leaves to others: which values are offered to it (`evaluate`).

/// One place of a pattern, in lower case.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// Any run of characters.
    Any,
    One(char),
    /// One character of a set: what is left of the habit of SQL `LIKE`.
    OneOf(Vec<char>),
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern(Vec<Part>);

impl Pattern {
    /// `*` and `%` stand for any run; `[[]` is an opening bracket. Source: facts 3.3.
    /// Other sets in brackets act as in SQL (assumed).
    pub(super) fn like(text: &str) -> Pattern {
        Pattern(parts(text, |c| if matches!(c, '*' | '%') { Part::Any } else { Part::One(c) }))
    }

    /// The text anywhere; `*` and `%` are ordinary here (assumed), `[[]` is an opening bracket.
    pub(super) fn contains(text: &str) -> Pattern {
        let mut all = vec![Part::Any];
        all.extend(parts(text, Part::One));
        all.push(Part::Any);
        Pattern(all)
    }

    /// True if the whole text fits, in any case.
    pub(super) fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        let (mut at, mut part) = (0, 0);
        let mut retry: Option<(usize, usize)> = None; // where the last `Any` stands, and how far it reaches so far
        while at < text.len() {
            match self.0.get(part) {
                Some(Part::Any) => {
                    retry = Some((part, at));
                    part += 1;
                }
                Some(one) if one.takes(text[at]) => {
                    at += 1;
                    part += 1;
                }
                _ => match retry {
                    Some((any, reach)) => {
                        retry = Some((any, reach + 1));
                        at = reach + 1;
                        part = any + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[part..].iter().all(|part| *part == Part::Any)
    }
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Part::Any => false,
            Part::One(one) => *one == c,
            Part::OneOf(set) => set.contains(&c),
        }
    }
}

fn parts(text: &str, plain: impl Fn(char) -> Part) -> Vec<Part> {
    let text = text.to_lowercase();
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((set, after)) = bracket_set(rest) {
            parts.push(Part::OneOf(set.chars().collect()));
            rest = after;
        } else {
            parts.push(plain(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    parts
}

/// `[…]` with something inside; a bracket that never closes is an ordinary character.
fn bracket_set(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix('[')?.split_once(']').filter(|(set, _)| !set.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_or_do_not() {
        let rows = [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("abc*", "abcdef", true),
            ("abc%", "abc", true),
            ("*def", "abcdef", true),
            ("*c*e*", "abcdef", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("", "", true),
            ("*", "", true),
            ("", "a", false),
            ("[[]urgent] *", "[URGENT] fire", true),
            ("[urgent]*", "[urgent] fire", false),
            ("[urgent]*", "ticket", true),
            ("a[b", "a[b", true),
            ("ÄRGER*", "ärger mit ß", true),
            ("a_c", "abc", false),
        ];
        for (pattern, text, fits) in rows {
            assert_eq!(Pattern::like(pattern).fits(text), fits, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn contains_finds_its_text_anywhere() {
        for (needle, text, fits) in [
            ("printer", "The PRINTER burns", true),
            ("printer", "plotter", false),
            ("", "x", true),
            ("50%", "at 50% now", true),
            ("50%", "at 500 now", false),
            ("a*b", "aXb", false),
            ("[[]x", "y [x] z", true),
        ] {
            assert_eq!(Pattern::contains(needle).fits(text), fits, "{needle:?} in {text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_still_ends() {
        let pattern = Pattern::like(&format!("{}b", "*a".repeat(500)));
        assert!(!pattern.fits(&"a".repeat(2_000)));
    }
}
