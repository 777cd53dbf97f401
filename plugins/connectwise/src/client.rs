//! Requests to a tenant.
//!
//! Holds: [`Client`]: base path, headers, sending, reading.
//! Promises: every request carries the same headers and names the private key; what goes into a path or query is
//! percent-encoded; addresses in answers are never followed.
//! Leaves to others: what an error body means (`error`), pages (`paging`).

use crate::error;
use crate::settings::Settings;
use psa_host_api::sdk::{Cx, Request, Response};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The secret of the form.
const PRIVATE_KEY: &str = "private_key";

/// The newest model we know: year and number of a release. Source: facts 2.1 and 12; without a version the newest one
/// answers, and members come and go.
const MODEL: (u16, u16) = (2025, 1);

/// How long a code base is believed, in milliseconds. It changes with an upgrade of the tenant. Source: facts 1.3.
const CODEBASE_TTL_MS: u64 = 3_600_000;

/// Where the cache keeps it.
const SITE: &str = "site";

/// What the tenant says about itself before anybody signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompanyInfo {
    /// `v2025_1/`, with its slash.
    pub(crate) codebase: String,
    /// `v2025.1`.
    pub(crate) version: Option<String>,
}

impl CompanyInfo {
    /// The model that is asked for: ours, or the server's own if it is older. Source: facts 12, "pin to the lower".
    fn accept(&self) -> String {
        let theirs = self.version.as_deref().and_then(release);
        let version = match theirs {
            // Before 2019.1 models had a number of their own. Source: facts 12.
            Some(theirs) if theirs < (2019, 1) => "3.0.0".to_owned(),
            Some((year, number)) if (year, number) < MODEL => format!("{year}.{number}"),
            _ => format!("{}.{}", MODEL.0, MODEL.1),
        };
        format!("application/vnd.connectwise.com+json; version={version}")
    }
}

/// Year and number of `v2025.1` or `v2025.1.99001`; `v4.6.38842` counts otherwise and says nothing here.
fn release(version: &str) -> Option<(u16, u16)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let mut part = || {
        let digits = parts.next()?.trim_end_matches(|c: char| !c.is_ascii_digit());
        digits.parse::<u16>().ok()
    };
    Some((part()?, part()?)).filter(|(year, _)| (2000..2200).contains(year))
}

/// A query: names and values, not yet encoded.
pub(crate) type Query = Vec<(&'static str, String)>;

/// One tenant, as one API member.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) settings: Settings,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Client {
        Client { settings }
    }

    /// A request of the REST interface.
    fn request(&self, ask: &Ask, site: &CompanyInfo) -> Request {
        let Settings { api, company, client_id, public_key, .. } = &self.settings;
        let url = format!("{api}/{}apis/3.0/{}{}", site.codebase, ask.path, ask.query);
        // Source: facts 2.1; the plus sign is literal.
        let request = Request::new(ask.method, url)
            .basic(&format!("{company}+{public_key}"), PRIVATE_KEY)
            .header("clientid", client_id.as_str());
        match ask.accept {
            Some(accept) => request.header("accept", accept),
            None => request.header("accept", site.accept()),
        }
    }

    /// Reads JSON.
    pub(crate) async fn get(&self, cx: &Cx, path: &str, query: &Query) -> Result<Value, Error> {
        self.read(cx, path, query, &[]).await?.json()
    }

    /// Reads.
    pub(crate) async fn read(
        &self,
        cx: &Cx,
        path: &str,
        query: &Query,
        headers: &[(&str, &str)],
    ) -> Result<Response, Error> {
        let shape =
            |request: Request| headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        self.read_as(cx, &Ask::new("GET", path).query(query), shape).await
    }

    /// Reads. A code base that has become another one meanwhile is asked for again, once.
    pub(crate) async fn read_as(
        &self,
        cx: &Cx,
        ask: &Ask,
        shape: impl Fn(Request) -> Request + Send,
    ) -> Result<Response, Error> {
        let (site, remembered) = self.site(cx).await?;
        let response = cx.http().send(shape(self.request(ask, &site))).await?;
        if remembered && error::may_be_routing(&response) {
            cx.cache().remove(SITE)?;
            let (now, _) = self.site(cx).await?;
            if now != site {
                return error::check(cx.http().send(shape(self.request(ask, &now))).await?);
            }
        }
        error::check(response)
    }

    /// Writes JSON, once, and reads the record that is answered.
    pub(crate) async fn write(&self, cx: &Cx, method: &'static str, path: &str, body: &Value) -> Result<Value, Error> {
        self.write_as(cx, &Ask::new(method, path), |request| request.json(body)).await?.json()
    }

    /// Writes, once.
    pub(crate) async fn write_as(
        &self,
        cx: &Cx,
        ask: &Ask,
        shape: impl FnOnce(Request) -> Request + Send,
    ) -> Result<Response, Error> {
        let (site, _) = self.site(cx).await?;
        let response = cx.http().send(shape(self.request(ask, &site))).await?;
        if error::may_be_routing(&response) {
            // Not repeated here, a second write is not ours to send; the next try asks again.
            cx.cache().remove(SITE)?;
        }
        error::check(response)
    }

    /// Code base and version, and whether they were remembered.
    async fn site(&self, cx: &Cx) -> Result<(CompanyInfo, bool), Error> {
        if let Some(site) = cx.cache().get(SITE)? {
            return Ok((site, true));
        }
        let site = self.company_info(cx).await?;
        cx.cache().put(SITE, &site, CODEBASE_TTL_MS)?;
        Ok((site, false))
    }

    /// What `/login/companyinfo/` says; needs no credentials. Source: facts 1.2.
    pub(crate) async fn company_info(&self, cx: &Cx) -> Result<CompanyInfo, Error> {
        let url = format!("{}/login/companyinfo/{}", self.settings.api, encoded(&self.settings.company));
        let response = cx.http().send(Request::get(url).header("accept", "application/json")).await?;
        let body: Value = error::check(response)?.json()?;
        self.company_info_from(&body)
    }

    fn company_info_from(&self, body: &Value) -> Result<CompanyInfo, Error> {
        let Value::Object(info) = body else {
            let message = format!("ConnectWise does not know the company \"{}\" at this site", self.settings.company);
            let error = Error::new(Code::Unauthenticated, message).because("company_unknown");
            return Err(error.field("/company_id", "unknown", "is not known there"));
        };
        let text = |name: &str| info.get(name).and_then(Value::as_str).map(str::to_owned);
        let codebase = text("Codebase").filter(|codebase| is_codebase(codebase)).ok_or_else(|| {
            let message = "the company info of ConnectWise names no code base; is this the address of a ConnectWise?";
            Error::new(Code::Unavailable, message).because("no_codebase")
        })?;
        Ok(CompanyInfo { codebase, version: text("VersionCode").or_else(|| text("VersionNumber")) })
    }
}

/// `v2025_1/`, `v4_6_release/`: goes into a path, so nothing else may be in it.
fn is_codebase(text: &str) -> bool {
    let name = text.strip_suffix('/').unwrap_or_default();
    (1..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One request, but for what every one has.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    /// Without a leading slash, its parts encoded already.
    path: String,
    query: String,
    accept: Option<&'static str>,
}

impl Ask {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Ask {
        Ask { method, path: path.into(), query: String::new(), accept: None }
    }

    /// With names and values that are encoded here.
    pub(crate) fn query<N: AsRef<str>>(mut self, query: &[(N, String)]) -> Ask {
        for (name, value) in query {
            self.query.push(if self.query.is_empty() { '?' } else { '&' });
            self.query.push_str(&encoded(name.as_ref()));
            self.query.push('=');
            self.query.push_str(&encoded(value));
        }
        self
    }

    /// For something else than a model of JSON.
    pub(crate) fn accept(mut self, accept: &'static str) -> Ask {
        self.accept = Some(accept);
        self
    }
}

/// Percent-encodes everything but letters, digits, `-`, `_`, `.` and `~`. Source: facts 3.3, "encode fully".
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// An id of ConnectWise: a whole number above zero. `what` is the field it came in.
pub(crate) fn number(id: &str, what: &str) -> Result<u64, Error> {
    let digits = !id.is_empty() && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit());
    match id.parse::<u64>() {
        Ok(number) if digits && number > 0 => Ok(number),
        _ => {
            let message = format!("{what} must be an id of ConnectWise, a whole number");
            Err(Error::invalid(message.clone()).field(format!("/{what}"), "id", message))
        }
    }
}

/// A record of an answer.
pub(crate) fn record(value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(record) => Ok(record),
        _ => {
            Err(Error::new(Code::Unavailable, "ConnectWise answered with something that is no record").because("shape"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_of_both_versions_is_asked_for() {
        for (version, asked) in [
            (Some("v2025.1"), "2025.1"),
            (Some("v2026.4.1"), "2025.1"),
            (Some("v2025.16"), "2025.1"),
            (Some("v2023.2"), "2023.2"),
            (Some("2019.1/"), "2019.1"),
            (Some("v2017.3"), "3.0.0"),
            // Counted otherwise, or not said: ours.
            (Some("v4.6.38842"), "2025.1"),
            (Some("soon"), "2025.1"),
            (None, "2025.1"),
        ] {
            let site = CompanyInfo { codebase: "v4_6_release/".into(), version: version.map(str::to_owned) };
            let expected = format!("application/vnd.connectwise.com+json; version={asked}");
            assert_eq!(site.accept(), expected, "{version:?}");
        }
    }
}
