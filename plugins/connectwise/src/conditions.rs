//! Conditions of list requests.
//!
//! Promises: nothing a caller says can end a literal or begin an operator. Escaping inside quotes is not documented
//! (source: facts 3.3), so characters that could matter are not sent at all.

use crate::client::number;
use psa_host_api::Error;
use psa_host_api::model::TicketFilter;
use psa_host_api::ops::{ListConfigurationsRequest, SearchCompaniesRequest, SearchContactsRequest};

/// Characters that end a literal, escape, or are wildcards.
const HOSTILE: [char; 8] = ['"', '\'', '\\', '[', ']', '*', '%', '_'];

/// Characters that an exact value cannot be asked for with. Wildcards mean nothing behind `=`, and addresses have underscores;
/// the others stay out. Source: facts 3.3, "strip or reject".
const HOSTILE_EXACT: [char; 7] = ['"', '\'', '\\', '[', ']', '*', '%'];

/// The longest mark. Source: facts 6, `externalXRef`.
const MARK_MAX: usize = 100;

/// The longest address. Source: facts 6, `contactEmailAddress`.
const EMAIL_MAX: usize = 250;

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
        all.extend(words(text, "/filter/text")?.into_iter().map(|word| format!("summary contains \"{word}\"")));
    }
    if let Some(mark) = &filter.external_reference {
        all.push(format!("externalXRef=\"{}\"", self::mark(mark, "/filter/external_reference")?));
    }
    if let Some(ticket) = &filter.made_after {
        // Ids are given in the order of making.
        all.push(format!("id>{}", number(ticket, "made_after")?));
    }
    Ok(all.join(" and "))
}

/// The conditions of a search for companies; empty: all.
pub(crate) fn of_companies(request: &SearchCompaniesRequest) -> Result<String, Error> {
    either(request.text.as_deref(), ["name", "identifier"], Ids::Too).map(|all| all.join(" and "))
}

/// The conditions of a search for members by their names, or by an id; empty: all.
pub(crate) fn of_members(text: Option<&str>) -> Result<String, Error> {
    either(text, ["firstName", "lastName"], Ids::Too).map(|all| all.join(" and "))
}

/// The conditions and the child conditions of a search for contacts; empty: all.
pub(crate) fn of_contacts(request: &SearchContactsRequest) -> Result<(String, String), Error> {
    let mut all = either(request.text.as_deref(), ["firstName", "lastName"], Ids::No)?;
    if let Some(company) = &request.company {
        all.push(format!("company/id={}", number(company, "company")?));
    }
    // Source: facts 9, "find by mail".
    let children = request.email.as_deref().map_or(Ok(String::new()), |email| {
        let email = exact(email, EMAIL_MAX, "/email")?;
        Ok(format!("communicationItems/value=\"{email}\" and communicationItems/communicationType=\"Email\""))
    })?;
    Ok((all.join(" and "), children))
}

/// The conditions of a list of configurations, but for its ticket; empty: all.
pub(crate) fn of_configurations(request: &ListConfigurationsRequest) -> Result<String, Error> {
    let words = request.text.as_deref().map_or(Ok(Vec::new()), |text| words(text, "/text"))?;
    let mut all: Vec<String> = words.into_iter().map(|word| format!("name contains \"{word}\"")).collect();
    if let Some(company) = &request.company {
        all.push(format!("company/id={}", number(company, "company")?));
    }
    Ok(all.join(" and "))
}

/// Whether a word that is a number may be an id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    Too,
    No,
}

/// Each word of a text in one of two members.
fn either(text: Option<&str>, [one, other]: [&str; 2], ids: Ids) -> Result<Vec<String>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let condition = |word: &str| match word.parse::<u32>() {
        Ok(id) if ids == Ids::Too => format!("({one} contains \"{word}\" or {other} contains \"{word}\" or id={id})"),
        _ => format!("({one} contains \"{word}\" or {other} contains \"{word}\")"),
    };
    Ok(words(text, "/text")?.iter().map(|word| condition(word)).collect())
}

/// A mark that can be kept and asked for.
pub(crate) fn mark<'a>(mark: &'a str, at: &str) -> Result<&'a str, Error> {
    exact(mark, MARK_MAX, at)
}

/// A value that can be asked for exactly. `max` in UTF-16 units. Source: facts 6.
fn exact<'a>(text: &'a str, max: usize, at: &str) -> Result<&'a str, Error> {
    let hostile = |c: char| c.is_control() || HOSTILE_EXACT.contains(&c);
    if text.trim().is_empty() || text.encode_utf16().count() > max || text.contains(hostile) {
        let message = format!(
            "{} must have 1 to {max} characters and none of quotes, backslash, brackets, * and %: ConnectWise cannot be asked for them",
            at.trim_start_matches('/')
        );
        return Err(Error::invalid(message.clone()).field(at, "text", message));
    }
    Ok(text)
}

/// The words of a text; hostile characters stand between words.
fn words<'a>(text: &'a str, at: &str) -> Result<Vec<&'a str>, Error> {
    let between = |c: char| c.is_whitespace() || c.is_control() || HOSTILE.contains(&c);
    let words: Vec<&str> = text.split(between).filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
    if words.is_empty() {
        let message = "text must hold at least one letter or digit";
        return Err(Error::invalid(message).field(at, "empty", message));
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
            external_reference: Some("psa_1-b".into()),
            made_after: Some("1001".into()),
            newest_first: true,
        };
        let expected = "board/id=1 and status/id in (16,17) and company/id=2 and owner/id=176 and closedFlag=false and \
            lastUpdated>=[2026-01-31T12:00:00Z] and summary contains \"printer\" and summary contains \"on\" and \
            summary contains \"floor\" and summary contains \"3\" and externalXRef=\"psa_1-b\" and id>1001";
        assert_eq!(of_tickets(&filter).unwrap(), expected);
        assert_eq!(of_tickets(&TicketFilter::default()).unwrap(), "");
    }

    #[test]
    fn companies_and_contacts_are_asked_for_by_words_and_address() {
        let text = || Some("Ada \"Love".to_owned());
        let companies = SearchCompaniesRequest { text: text(), ..SearchCompaniesRequest::default() };
        assert_eq!(
            of_companies(&companies).unwrap(),
            "(name contains \"Ada\" or identifier contains \"Ada\") and (name contains \"Love\" or identifier contains \"Love\")"
        );
        let email = Some("a_b+c@example.com".to_owned());
        let contacts = SearchContactsRequest { text: text(), email, company: Some("2".into()), ..Default::default() };
        let (conditions, children) = of_contacts(&contacts).unwrap();
        assert_eq!(
            conditions,
            "(firstName contains \"Ada\" or lastName contains \"Ada\") and (firstName contains \"Love\" or lastName contains \"Love\") \
             and company/id=2"
        );
        assert_eq!(
            children,
            "communicationItems/value=\"a_b+c@example.com\" and communicationItems/communicationType=\"Email\""
        );
        assert_eq!(of_companies(&SearchCompaniesRequest::default()).unwrap(), "");
        assert_eq!(
            of_members(Some("177")).unwrap(),
            "(firstName contains \"177\" or lastName contains \"177\" or id=177)"
        );
        assert_eq!(of_contacts(&SearchContactsRequest::default()).unwrap(), (String::new(), String::new()));
    }

    #[test]
    fn what_must_match_exactly_is_refused_rather_than_changed() {
        for text in ["", " ", "a\"b", "a'b", "a\\b", "a[b", "a]b", "a*", "a%", "a\nb", "x".repeat(101).as_str()] {
            let filter = TicketFilter { external_reference: Some(text.into()), ..TicketFilter::default() };
            assert_eq!(of_tickets(&filter).unwrap_err().fields[0].at, "/filter/external_reference", "{text:?}");
        }
        let contacts = SearchContactsRequest { email: Some("x\" or id>\"0".into()), ..Default::default() };
        assert_eq!(of_contacts(&contacts).unwrap_err().fields[0].at, "/email");
        let filter = TicketFilter { made_after: Some("1 or 1=1".into()), ..TicketFilter::default() };
        assert!(of_tickets(&filter).is_err());
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
