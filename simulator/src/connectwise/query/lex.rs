//! Cuts a condition into words.
//!
//! Holds: [`Token`], [`Literal`], and [`tokens`].
//! Promises: a literal that comes out is well formed, a date already read; keywords are known in any case.
//! Leaves to others: which word may follow which (`filter`, `order`).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{ConditionError, check_size, excerpt};

/// One word of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A path such as `board/id`, as written.
    Name(String),
    Literal(Literal),
    Compare(Compare),
    And,
    Or,
    Not,
    In,
    Contains,
    Like,
    Open,
    Close,
    Comma,
}

/// The comparing operators. Source: facts 3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value as written in a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(Number),
    Boolean(bool),
    Date(Timestamp),
    Null,
}

impl Literal {
    /// The server's word for this type; `boolean` and `numeric` are known, the others (assumed).
    pub(super) fn word(&self) -> &'static str {
        match self {
            Literal::Text(_) => "string",
            Literal::Number(_) => "numeric",
            Literal::Boolean(_) => "boolean",
            Literal::Date(_) => "datetime",
            Literal::Null => "null",
        }
    }
}

/// A number with a total order: the nearest float first, then the whole part, so that large ids stay apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    float: f64,
    whole: i64,
}

impl Number {
    pub(super) fn of_json(number: &serde_json::Number) -> Number {
        match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Number { float: whole as f64, whole },
            (None, float) => Number::of_float(float.unwrap_or(f64::MAX)),
        }
    }

    /// Digits, at most one decimal point, a leading minus; no exponent and no plus. Source: facts 3.3.
    fn of_text(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let only_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !only_digits(whole) || !only_digits(fraction) {
            return None;
        }
        match text.parse::<i64>() {
            Ok(whole) => Some(Number { float: whole as f64, whole }),
            Err(_) => text.parse::<f64>().ok().map(Number::of_float),
        }
    }

    fn of_float(float: f64) -> Number {
        let float = if float == 0.0 { 0.0 } else { float }; // -0 and 0 are one number
        Number { float, whole: float as i64 }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> std::cmp::Ordering {
        self.float.total_cmp(&other.float).then(self.whole.cmp(&other.whole))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

/// Cuts the whole input; refuses what is longer than [`super::INPUT_BYTES_MAX`].
pub(super) fn tokens(input: &str) -> Result<Vec<Token>, ConditionError> {
    check_size(input)?;
    let mut rest = input.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = next(first, rest)?;
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn next(first: char, rest: &str) -> Result<(Token, &str), ConditionError> {
    if let Some(found) = operator(rest) {
        return Ok(found);
    }
    match first {
        '"' | '\'' => text(first, rest),
        '[' => date(rest),
        '-' | '.' | '0'..='9' => number(rest),
        _ if is_name(first) => Ok(word(rest)),
        _ => Err(ConditionError::syntax(format_args!("unexpected {first:?}"))),
    }
}

fn operator(rest: &str) -> Option<(Token, &str)> {
    const OPERATORS: [(&str, Token); 9] = [
        ("!=", Token::Compare(Compare::NotEqual)),
        ("<=", Token::Compare(Compare::LessOrEqual)),
        (">=", Token::Compare(Compare::GreaterOrEqual)),
        ("=", Token::Compare(Compare::Equal)),
        ("<", Token::Compare(Compare::Less)),
        (">", Token::Compare(Compare::Greater)),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    OPERATORS.into_iter().find_map(|(sign, token)| rest.strip_prefix(sign).map(|after| (token, after)))
}

/// A quoted text ends at the next quote of its own kind. There is no escape: a backslash is a character, and a value
/// with both kinds of quotes cannot be written. Source: facts 3.3.
fn text(quote: char, rest: &str) -> Result<(Token, &str), ConditionError> {
    let inside = &rest[quote.len_utf8()..];
    let (value, after) = inside.split_once(quote).ok_or_else(|| {
        ConditionError::syntax(format_args!("the text {quote}{} has no closing quote", excerpt(inside)))
    })?;
    Ok((Token::Literal(Literal::Text(value.to_owned())), after))
}

fn date(rest: &str) -> Result<(Token, &str), ConditionError> {
    let (value, after) =
        rest[1..].split_once(']').ok_or_else(|| ConditionError::bad_literal("datetime", "bracket without its end"))?;
    let moment = moment(value.trim()).ok_or_else(|| ConditionError::bad_literal("datetime", "string"))?;
    Ok((Token::Literal(Literal::Date(moment)), after))
}

/// A moment as the server writes it, with a zone, without one, or a bare date; without a zone it is UTC.
/// Source: facts 3.3 and row 18 of the traps (fractions of a second are accepted in conditions); UTC for bare times (assumed).
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    const BYTES_MAX: usize = 64;
    if text.len() > BYTES_MAX {
        return None;
    }
    text.parse::<Timestamp>().ok().or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

fn number(rest: &str) -> Result<(Token, &str), ConditionError> {
    let end = rest.find(|c: char| !(is_name(c) || c == '-')).unwrap_or(rest.len());
    let value = Number::of_text(&rest[..end]).ok_or_else(|| ConditionError::bad_literal("numeric", "string"))?;
    Ok((Token::Literal(Literal::Number(value)), &rest[end..]))
}

/// A dot is read as part of a name, not as a separator: only slashes lead into a reference, so `board.id` is a name nobody knows.
/// Source: facts 3.3.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '/' | '.')
}

fn word(rest: &str) -> (Token, &str) {
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    let token = match word.to_ascii_lowercase().as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::In,
        "contains" => Token::Contains,
        "like" => Token::Like,
        "true" => Token::Literal(Literal::Boolean(true)),
        "false" => Token::Literal(Literal::Boolean(false)),
        "null" => Token::Literal(Literal::Null),
        _ => Token::Name(word.to_owned()),
    };
    (token, &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Option<Literal> {
        match tokens(text).ok()?.as_slice() {
            [Token::Literal(literal)] => Some(literal.clone()),
            _ => None,
        }
    }

    #[test]
    fn literals_are_read_or_refused() {
        let date = |text: &str| Literal::Date(text.parse().unwrap());
        let number = |float: f64| Literal::Number(Number::of_float(float));
        let rows = [
            ("\"a 'b' c\"", Some(Literal::Text("a 'b' c".into()))),
            ("'say \"hi\"'", Some(Literal::Text("say \"hi\"".into()))),
            ("\"\"", Some(Literal::Text(String::new()))),
            ("\"a\\\"", Some(Literal::Text("a\\".into()))),
            ("\"a\\\"b\"", None),
            ("\"open", None),
            ("12", Some(number(12.0))),
            ("-3.50", Some(number(-3.5))),
            ("-0", Some(number(0.0))),
            ("-0.0", Some(number(0.0))),
            ("+3", None),
            ("1e3", None),
            ("1.2.3", None),
            ("1.", None),
            (".5", None),
            ("-", None),
            ("12ab", None),
            ("TRUE", Some(Literal::Boolean(true))),
            ("False", Some(Literal::Boolean(false))),
            ("NULL", Some(Literal::Null)),
            ("[2016-08-20T18:04:26Z]", Some(date("2016-08-20T18:04:26Z"))),
            ("[2016-08-20T18:04:26.250Z]", Some(date("2016-08-20T18:04:26.25Z"))),
            ("[2016-08-20T18:04:26+02:00]", Some(date("2016-08-20T16:04:26Z"))),
            ("[2016-08-20T18:04:26]", Some(date("2016-08-20T18:04:26Z"))),
            ("[2016-08-20]", Some(date("2016-08-20T00:00:00Z"))),
            ("[2016-13-20]", None),
            ("[yesterday]", None),
            ("[2016-08-20", None),
            ("[]", None),
        ];
        for (text, expected) in rows {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_the_reach_of_floats_stay_apart() {
        let of = |text: &str| Number::of_text(text).unwrap();
        assert!(of("9007199254740993") > of("9007199254740992"));
        assert_eq!(of("99999999999999999999"), of("99999999999999999999"));
        assert!(Number::of_text(&"9".repeat(5000)).is_some());
    }

    #[test]
    fn words_need_no_blanks_between_them() {
        let found = tokens("a/b>=1AND(c='x')").err();
        assert_eq!(
            found,
            Some(ConditionError::bad_literal("numeric", "string")),
            "a number ends where a letter does not follow"
        );
        assert_eq!(tokens("a/b>=1 AND(c='x')").unwrap().len(), 9);
    }
}
