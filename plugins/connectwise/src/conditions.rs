//! Conditions of list requests.
//!
//! Promises: nothing a caller says can end a literal or begin an operator. Escaping inside quotes is not documented
//! (source: facts 3.3), so characters that could matter are not sent at all.

use crate::client::number;
use psa_host_api::Error;
use psa_host_api::model::TicketFilter;

/// Characters that end a literal, escape, or are wildcards.
const HOSTILE: [char; 8] = ['"', '\'', '\\', '[', ']', '*', '%', '_'];

/// Most words of a text that are looked for.
const WORDS_MAX: usize = 10;

/// The conditions of a filter; empty: all.
pub(crate) fn of_tickets(filter: &TicketFilter) -> Result<String, Error> {
    let mut all = Vec::new();
    if let Some(board) = &filter.board {
        all.push(format!("board/id={}", number(board, "board")?));
    }
    if !filter.statuses.is_empty() {
        let ids = filter.statuses.iter().map(|status| number(status, "statuses").map(|id| id.to_string()));
        all.push(format!("status/id in ({})", ids.collect::<Result<Vec<_>, _>>()?.join(",")));
    }
    if let Some(company) = &filter.company {
        all.push(format!("company/id={}", number(company, "company")?));
    }
    if let Some(owner) = &filter.owner {
        all.push(format!("owner/id={}", number(owner, "owner")?));
    }
    if let Some(closed) = filter.closed {
        all.push(format!("closedFlag={closed}"));
    }
    if let Some(since) = &filter.updated_since {
        all.push(format!("lastUpdated>=[{}]", whole_seconds(since)?));
    }
    if let Some(text) = &filter.text {
        all.extend(words(text)?.into_iter().map(|word| format!("summary contains \"{word}\"")));
    }
    Ok(all.join(" and "))
}

/// The words of a text; hostile characters stand between words.
fn words(text: &str) -> Result<Vec<&str>, Error> {
    let between = |c: char| c.is_whitespace() || c.is_control() || HOSTILE.contains(&c);
    let words: Vec<&str> = text.split(between).filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
    if words.is_empty() {
        let message = "text must hold at least one letter or digit";
        return Err(Error::invalid(message).field("/filter/text", "empty", message));
    }
    Ok(words)
}

/// A time as ConnectWise reads it: UTC, no fractions. Source: facts 3.1.
fn whole_seconds(time: &str) -> Result<String, Error> {
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let body = shape.strip_suffix('Z').unwrap_or_default();
    let (whole, fraction) = body.split_once('.').unwrap_or((body, "0"));
    if whole == "0000-00-00T00:00:00" && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') {
        return Ok(format!("{}Z", &time[..19]));
    }
    let message = "updated_since must be a time in UTC such as 2026-01-31T12:00:00Z";
    Err(Error::invalid(message).field("/filter/updated_since", "time", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_conditions() {
        let filter = TicketFilter {
            text: Some("printer on floor 3".into()),
            board: Some("1".into()),
            statuses: vec!["16".into(), "17".into()],
            company: Some("2".into()),
            owner: Some("176".into()),
            closed: Some(false),
            updated_since: Some("2026-01-31T12:00:00.250Z".into()),
            kind: None,
        };
        let expected = "board/id=1 and status/id in (16,17) and company/id=2 and owner/id=176 and closedFlag=false and \
            lastUpdated>=[2026-01-31T12:00:00Z] and summary contains \"printer\" and summary contains \"on\" and \
            summary contains \"floor\" and summary contains \"3\"";
        assert_eq!(of_tickets(&filter).unwrap(), expected);
        assert_eq!(of_tickets(&TicketFilter::default()).unwrap(), "");
    }

    #[test]
    fn no_value_reaches_out_of_its_literal() {
        let text = |text: &str| of_tickets(&TicketFilter { text: Some(text.into()), ..TicketFilter::default() });
        assert_eq!(
            text("x\" or closedFlag=true or \"a*b").unwrap(),
            "summary contains \"x\" and summary contains \"or\" and summary contains \"closedFlag=true\" and \
             summary contains \"or\" and summary contains \"a\" and summary contains \"b\""
        );
        for hostile in ["\"", "' ' \\", "%%", "[[]", "\u{0}\n"] {
            assert!(text(hostile).is_err(), "{hostile:?}");
        }
        for id in ["1 or 1=1", "", "-1", "0", "1.5", "0x10", "+1", "9999999999999999999"] {
            let filter = TicketFilter { board: Some(id.into()), ..TicketFilter::default() };
            assert_eq!(of_tickets(&filter).unwrap_err().fields[0].at, "/board", "{id}");
        }
        for time in [
            "yesterday",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00+01:00",
            "2026-01-31T12:00:00Z]",
            "2026-01-31T12:00:00.Z",
        ] {
            let filter = TicketFilter { updated_since: Some(time.into()), ..TicketFilter::default() };
            assert!(of_tickets(&filter).is_err(), "{time}");
        }
    }
}
