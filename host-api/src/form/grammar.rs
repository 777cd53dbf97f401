//! What texts of a form look like: durations, decimals, host names, addresses of people.
//!
//! Promises: each is written once, as a reader and as the pattern that the JSON Schema of settings gives to others; the
//! two accept the same.

/// A label of a host name.
const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

/// One line.
pub(super) const LINE_PATTERN: &str = r"^[^\r\n]*$";
/// 8-4-4-4-12 hexadecimal digits.
pub(super) const UUID_PATTERN: &str = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
/// ISO 8601: days, hours, minutes and seconds, each at most once.
pub(super) const DURATION_PATTERN: &str = "^P(?=.)([0-9]{1,9}D)?(T(?=.)([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,9}S)?)?$";
/// At most 15 digits before the point and 9 behind it.
pub(super) const DECIMAL_PATTERN: &str = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$";
/// Whole numbers that every reader of JSON keeps as they are.
pub(super) const WHOLE_MAX: i64 = (1 << 53) - 1;

/// A decimal is counted in billionths.
pub(super) const BILLION: i128 = 1_000_000_000;

pub(super) fn hostname_pattern() -> String {
    format!(r"^(?=.{{1,253}}$){LABEL}(\.{LABEL})*$")
}

pub(super) fn email_pattern() -> String {
    format!(r"^\S+@(?=.{{1,253}}$){LABEL}(\.{LABEL})*$")
}

pub(super) fn is_line(text: &str) -> bool {
    !text.contains(['\n', '\r'])
}

pub(super) fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && is_hostname(host)) && !text.contains(char::is_whitespace)
}

pub(super) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let fits = |length: &usize| {
        parts.next().is_some_and(|part| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    lengths.iter().all(fits) && parts.next().is_none()
}

/// Seconds of an ISO 8601 duration of days, hours, minutes and seconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let total = parts(days, &[('D', 86_400)])?.checked_add(parts(time, &[('H', 3600), ('M', 60), ('S', 1)])?)?;
    (!rest.is_empty()).then_some(total)
}

/// The sum of `12H34M`, units in this order, each at most once.
fn parts(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total: u64 = 0;
    for (unit, weight) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        if !(1..=9).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*weight)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

/// A decimal in billionths.
pub(super) fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = (1..=15).contains(&whole.len()) && all_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let fraction = match fraction {
        None => "0",
        Some(part) if (1..=9).contains(&part.len()) && all_digits(part) => part,
        Some(_) => return None,
    };
    if !plain {
        return None;
    }
    let below: i128 = format!("{fraction:0<9}").parse().ok()?;
    let total = whole.parse::<i128>().ok()? * BILLION + below;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_counted_exactly() {
        for (text, billionths) in [
            ("0", Some(0)),
            ("-0.1", Some(-100_000_000)),
            ("12.5", Some(12_500_000_000)),
            ("999999999999999.999999999", Some(999_999_999_999_999_999_999_999)),
            ("1e3", None),
            ("01", None),
            ("1.", None),
            (".5", None),
            ("+1", None),
            ("1.0000000001", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(decimal(text), billionths, "{text}");
        }
    }

    #[test]
    fn durations_have_units_in_order() {
        for (text, total) in [
            ("PT5M", Some(300)),
            ("P1DT1S", Some(86_401)),
            ("PT0S", Some(0)),
            ("P1D", Some(86_400)),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("PT1M1H", None),
            ("P1M", None),
            ("PT1.5H", None),
            ("PT1234567890S", None),
            ("5M", None),
        ] {
            assert_eq!(seconds(text), total, "{text}");
        }
    }
}
