//! The `Retry-After` header in both its forms.
//!
//! Holds: the two parsers.
//! Promises: never more than an hour, never negative, nothing for what is neither form.
//! Leaves to others: waiting.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// A server that asks for more is asked again after this.
pub(super) const WAIT_MS_MAX: u64 = 3_600_000;

/// The three dates that HTTP knows. Source: RFC 9110, 5.6.7.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Milliseconds to wait from `now_unix_ms`.
pub(super) fn wait_ms(value: &str, now_unix_ms: i64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are still an answer: a long time.
        let seconds = value.parse::<u64>().unwrap_or(u64::MAX);
        return Some(seconds.saturating_mul(1_000).min(WAIT_MS_MAX));
    }
    let wait = http_date_ms(value)?.saturating_sub(now_unix_ms);
    Some(u64::try_from(wait).unwrap_or(0).min(WAIT_MS_MAX))
}

/// An HTTP date, in milliseconds since 1970.
pub(super) fn http_date_ms(value: &str) -> Option<i64> {
    let value = value.trim();
    let parsed: DateTime = DATES.iter().find_map(|form| strtime::parse(form, value).ok()?.to_datetime().ok())?;
    Some(parsed.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
