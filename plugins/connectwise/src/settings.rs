//! The settings of a connection.

use psa_host_api::{Code, Error};
use serde_json::{Map, Value};

/// Where a tenant is, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Scheme, host and port of the REST interface: `https://api-na.myconnectwise.net`.
    pub(crate) api: String,
    /// The same of what people open.
    pub(crate) web: String,
    /// What people enter as company when they sign in.
    pub(crate) company: String,
    /// The id of the product, not of the tenant.
    pub(crate) client_id: String,
    /// The open half of the key pair.
    pub(crate) public_key: String,
}

impl Settings {
    pub(crate) fn read(settings: &Map<String, Value>) -> Result<Settings, Error> {
        let site = text(settings, "site")?;
        // Source: facts 1.1.
        let (api, web) = match site {
            "na" | "eu" | "au" => {
                (format!("https://api-{site}.myconnectwise.net"), format!("https://{site}.myconnectwise.net"))
            }
            "staging" => ("https://api-staging.connectwisedev.com".into(), "https://staging.connectwisedev.com".into()),
            "custom" => {
                let host = text(settings, "host")?.trim_end_matches('/');
                // On a server of one's own both are the same; who enters a cloud address means its REST side.
                (host.to_owned(), host.replacen("://api-", "://", 1))
            }
            _ => return Err(bad("site", "option", "must be na, eu, au, staging or custom")),
        };
        Ok(Settings {
            api,
            web,
            company: text(settings, "company_id")?.to_owned(),
            client_id: text(settings, "client_id")?.to_owned(),
            public_key: text(settings, "public_key")?.to_owned(),
        })
    }

    /// `https`, or `http` of a server on this machine.
    pub(crate) fn scheme(&self) -> &str {
        self.web.split("://").next().unwrap_or_default()
    }

    /// Host and port under which this tenant may speak of itself: what people open, what programs call, and the sandbox
    /// of a tenant in the cloud. Source: facts 1.1.
    pub(crate) fn own_authorities(&self) -> Vec<String> {
        let web = plain_authority(&self.web);
        let mut own = vec![plain_authority(&self.api), web.clone()];
        let cloud = web.ends_with(".myconnectwise.net") || web.ends_with(".connectwisedev.com");
        if cloud && !web.starts_with("sandbox-") {
            own.push(format!("sandbox-{web}"));
        }
        own
    }
}

/// Host and port of an address, in lower case and without the port that its scheme has anyway.
pub(crate) fn plain_authority(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let port = if scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
    authority.strip_suffix(port).map(str::to_owned).unwrap_or(authority)
}

fn text<'a>(settings: &'a Map<String, Value>, key: &str) -> Result<&'a str, Error> {
    match settings.get(key).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(bad(key, "required", "must be filled in")),
    }
}

fn bad(key: &str, code: &str, message: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("the setting {key} {message}")).field(format!("/{key}"), code, message)
}
