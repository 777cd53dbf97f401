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
use serde_json::{Map, Value};

/// The secret of the form.
const PRIVATE_KEY: &str = "private_key";

/// The model we ask for. Source: facts 2.1; without it the newest one answers, and members come and go.
const ACCEPT: &str = "application/vnd.connectwise.com+json; version=2025.1";

/// How long a code base is believed, in milliseconds. It changes with an upgrade of the tenant. Source: facts 1.3.
const CODEBASE_TTL_MS: u64 = 3_600_000;

/// Where the cache keeps it.
const CODEBASE: &str = "codebase";

/// What the tenant says about itself before anybody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompanyInfo {
    /// `v2025_1/`, with its slash.
    pub(crate) codebase: String,
    /// `v2025.1`.
    pub(crate) version: Option<String>,
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

    /// A request of the REST interface. `path` without a leading slash, its parts encoded already.
    pub(crate) fn request(&self, method: &'static str, codebase: &str, path: &str, query: &Query) -> Request {
        let Settings { api, company, client_id, public_key, .. } = &self.settings;
        let url = format!("{api}/{codebase}apis/3.0/{path}{}", query_string(query));
        // Source: facts 2.1; the plus sign is literal.
        Request::new(method, url)
            .basic(&format!("{company}+{public_key}"), PRIVATE_KEY)
            .header("clientid", client_id.as_str())
            .header("accept", ACCEPT)
    }

    /// Reads JSON.
    pub(crate) async fn get(&self, cx: &Cx, path: &str, query: &Query) -> Result<Value, Error> {
        self.read(cx, path, query, &[]).await?.json()
    }

    /// Reads. A code base that has become another one meanwhile is asked for again, once.
    pub(crate) async fn read(
        &self,
        cx: &Cx,
        path: &str,
        query: &Query,
        headers: &[(&str, &str)],
    ) -> Result<Response, Error> {
        let build = |codebase: &str| {
            let request = self.request("GET", codebase, path, query);
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value))
        };
        let (codebase, remembered) = self.codebase(cx).await?;
        let response = cx.http().send(build(&codebase)).await?;
        if remembered && error::may_be_routing(&response) {
            cx.cache().remove(CODEBASE)?;
            let (now, _) = self.codebase(cx).await?;
            if now != codebase {
                return error::check(cx.http().send(build(&now)).await?);
            }
        }
        error::check(response)
    }

    /// Writes, once.
    pub(crate) async fn write(&self, cx: &Cx, method: &'static str, path: &str, body: &Value) -> Result<Value, Error> {
        let (codebase, _) = self.codebase(cx).await?;
        let request = self.request(method, &codebase, path, &Query::new()).json(body);
        let response = cx.http().send(request).await?;
        if error::may_be_routing(&response) {
            // Not repeated here, a second write is not ours to send; the next try asks again.
            cx.cache().remove(CODEBASE)?;
        }
        error::check(response)?.json()
    }

    /// The code base, and whether it was remembered.
    async fn codebase(&self, cx: &Cx) -> Result<(String, bool), Error> {
        if let Some(codebase) = cx.cache().get(CODEBASE)? {
            return Ok((codebase, true));
        }
        let info = self.company_info(cx).await?;
        cx.cache().put(CODEBASE, &info.codebase, CODEBASE_TTL_MS)?;
        Ok((info.codebase, false))
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

fn query_string(query: &Query) -> String {
    let mut text = String::new();
    for (name, value) in query {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(&encoded(value));
    }
    text
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
