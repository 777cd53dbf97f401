//! Where a secret may be sent.
//!
//! Promises: what a field holds can become a label or a whole address, never change where a template leads; a suffix
//! never matches its own bare name or a name that only ends alike.

use super::condition::is_set;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// A place that a secret may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// `https` or `http`.
    pub scheme: String,
    /// Which host, in lower case.
    pub host: HostRule,
    /// The port.
    pub port: u16,
}

/// Which hosts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostRule {
    /// This one.
    Exact(String),
    /// All below this one: `example.net` allows `a.example.net` and `a.b.example.net`.
    Below(String),
}

impl Address {
    /// The host's name for people; of a rule for many hosts, with a star.
    pub fn host_name(&self) -> String {
        match &self.host {
            HostRule::Exact(host) => host.clone(),
            HostRule::Below(suffix) => format!("*.{suffix}"),
        }
    }

    /// Whether exactly this scheme, host and port are meant. `host` in lower case, IPv6 without brackets.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host_fits = match &self.host {
            HostRule::Exact(own) => host == own,
            HostRule::Below(suffix) => host
                .strip_suffix(suffix.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
        };
        host_fits && scheme == self.scheme && port == self.port
    }
}

/// The address of a template, its fields filled in. `None`: a field is empty or does not fit.
pub(super) fn filled_in(template: &str, settings: &Map<String, Value>) -> Option<Address> {
    // A template that is one field: the field is the address.
    if let Some(field) = template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        && !field.contains('{')
    {
        return parse(settings.get(field)?.as_str()?);
    }
    let mut address = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (field, after) = behind.split_once('}')?;
        address.push_str(before);
        address.push_str(&label(settings.get(field)?)?);
        rest = after;
    }
    address.push_str(rest);
    parse(&address)
}

/// A value as part of a host name: letters, digits and dashes only, so that it cannot end the host or begin another.
fn label(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fits =
        is_set(value) && text.len() <= 63 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then_some(text)
}

/// An address without fields: `https://host`, `https://host:8443`, `*.example.net`, `https://*.example.net`.
pub(super) fn parse(text: &str) -> Option<Address> {
    let (scheme, host) = text.split_once("://").unwrap_or(("https", text));
    if let Some(suffix) = host.strip_prefix("*.") {
        let url = Url::parse(&format!("{scheme}://{suffix}")).ok()?;
        // A suffix of one label would be half of the internet.
        let is_name = matches!(url.host(), Some(url::Host::Domain(name)) if name.contains('.') && !name.contains('*'));
        return is_name.then(|| of_url(&url, HostRule::Below)).flatten();
    }
    let url = Url::parse(text).ok()?;
    of_url(&url, HostRule::Exact)
}

fn of_url(url: &Url, rule: fn(String) -> HostRule) -> Option<Address> {
    let is_http = matches!(url.scheme(), "https" | "http");
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if !is_http || !plain || host.is_empty() || host.contains('*') {
        return None;
    }
    Some(Address { scheme: url.scheme().to_owned(), host: rule(host), port: url.port_or_known_default()? })
}

/// The fields of a template, or `None` if its braces do not pair.
pub(super) fn fields(template: &str) -> Option<Vec<&str>> {
    let mut fields = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (field, after) = behind.split_once('}')?;
        if before.contains('}') || field.contains('{') {
            return None;
        }
        fields.push(field);
        rest = after;
    }
    (!rest.contains('}')).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn address(template: &str, settings: Value) -> Option<String> {
        let Value::Object(settings) = settings else { unreachable!("tests write objects") };
        filled_in(template, &settings).map(|address| format!("{} {:?} {}", address.scheme, address.host, address.port))
    }

    #[test]
    fn templates_lead_where_they_say_and_nowhere_else() {
        let exact = |host: &str, port: u16| Some(format!("https Exact({host:?}) {port}"));
        for (template, settings, expected) in [
            ("https://api-{site}.example.net", json!({"site": "na"}), exact("api-na.example.net", 443)),
            ("https://api-{site}.example.net", json!({"site": "NA"}), exact("api-na.example.net", 443)),
            ("https://api-{site}.example.net", json!({}), None),
            ("https://api-{site}.example.net", json!({"site": ""}), None),
            ("https://api-{site}.example.net", json!({"site": "x.evil.com/"}), None),
            ("https://api-{site}.example.net", json!({"site": "x@evil"}), None),
            ("https://api-{site}.example.net", json!({"site": ["na"]}), None),
            ("{host}", json!({"host": "https://cw.example.com:8443/"}), exact("cw.example.com", 8443)),
            ("{host}", json!({"host": "https://user:pass@cw.example.com"}), None),
            ("{host}", json!({"host": "ftp://cw.example.com"}), None),
            ("{host}", json!({"host": "cw.example.com"}), None),
            ("{host}", json!({"host": "https://[::1]:1"}), exact("::1", 1)),
            ("{host}", json!({}), None),
            ("https://api.example.net", json!({}), exact("api.example.net", 443)),
            ("*.example.net", json!({}), Some("https Below(\"example.net\") 443".into())),
            ("https://*.example.net:444", json!({}), Some("https Below(\"example.net\") 444".into())),
            ("*.net", json!({}), None),
            ("*.*.net", json!({}), None),
            ("https://a.*.net", json!({}), None),
        ] {
            assert_eq!(address(template, settings.clone()), expected, "{template} {settings}");
        }
    }

    #[test]
    fn a_suffix_is_neither_its_bare_name_nor_a_look_alike() {
        let below = parse("*.example.net").unwrap();
        for (host, allowed) in [
            ("a.example.net", true),
            ("a.b.example.net", true),
            ("example.net", false),
            (".example.net", false),
            ("evilexample.net", false),
            ("example.net.evil.com", false),
        ] {
            assert_eq!(below.allows("https", host, 443), allowed, "{host}");
        }
        assert!(!below.allows("http", "a.example.net", 443));
        assert!(!below.allows("https", "a.example.net", 8443));
    }

    #[test]
    fn braces_must_pair() {
        assert_eq!(fields("https://{a}-{b}.net"), Some(vec!["a", "b"]));
        for broken in ["{a", "a}", "{a{b}}", "{a}}"] {
            assert_eq!(fields(broken), None, "{broken}");
        }
    }
}
