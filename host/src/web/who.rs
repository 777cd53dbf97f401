//! Who asks, and how the answer is to look: what the product says beside each request.
//!
//! Promises: nothing here is ever taken from the request itself; what does not fit is refused before anything is read.

use super::permission::Permission;
use crate::clock::unix_ms;
use psa_host_api::Error;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};

/// Its JSON above this is refused, in bytes.
const BYTES_MAX: usize = 64 * 1024;

/// Who asks, for whom, and how the answer is to look. Made by the product after its own login.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Who {
    /// Whose connections these are. The only place a tenant comes from.
    pub(crate) tenant: String,
    /// The person.
    pub(crate) actor: Actor,
    /// What the person may do; what is not listed is denied.
    #[serde(default)]
    pub(crate) permissions: BTreeSet<Permission>,
    /// Something that stands for the person's session, at least 16 characters, never shown: each form then carries a token
    /// made from it, and a POST without the right one is refused. Left out: the browser's own headers decide.
    #[serde(default, deserialize_with = "read_session")]
    #[schemars(with = "Option<String>")]
    pub(crate) session: Option<SecretString>,
    /// The path under which the product has mounted the page, "/admin/integrations"; links are made from it.
    #[serde(default)]
    pub(crate) mount: String,
    /// Scheme and host by which browsers reach the product, "https://desk.example.com".
    pub(crate) public_origin: String,
    /// How the answer is to look.
    #[serde(default)]
    pub(crate) render: Render,
    /// BCP 47, "de-AT".
    #[serde(default = "english")]
    pub(crate) locale: String,
    /// IANA, "Europe/Vienna".
    #[serde(default = "utc")]
    pub(crate) time_zone: String,
    /// Of the product's own content security policy, for the script's tag in a fragment.
    #[serde(default)]
    pub(crate) nonce: Option<String>,
    /// Light, dark, or as the system has it.
    #[serde(default)]
    pub(crate) theme: Theme,
    /// How much room there is between things.
    #[serde(default)]
    pub(crate) density: Density,
    /// Appears in logs and in the activity.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// The address the request came from, as the product sees it; for the activity.
    #[serde(default)]
    pub(crate) remote_addr: Option<std::net::IpAddr>,
    /// When the person last proved who they are, RFC 3339.
    #[serde(default)]
    pub(crate) step_up_at: Option<String>,
    /// Where the person can prove it again; the way back is added as `next`. Left out: nobody is asked to.
    #[serde(default)]
    pub(crate) step_up_url: Option<String>,
    /// Origins that may show the page in a frame; left out: nobody.
    #[serde(default)]
    pub(crate) frame_ancestors: Vec<String>,
    /// Where the product's own help is, https or a path of its own.
    #[serde(default)]
    pub(crate) help_url: Option<String>,
    /// Other words for ours, by key: `{"index.title": "Connections"}`.
    #[serde(default)]
    pub(crate) texts: BTreeMap<String, String>,
    /// What of the product depends on a connection, by its id: shown before it is removed.
    #[serde(default)]
    pub(crate) references: BTreeMap<String, Vec<String>>,
}

/// A person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Actor {
    /// The product's id.
    pub(crate) id: String,
    /// For people.
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// How an answer looks. The product decides, never the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Render {
    /// A whole document.
    #[default]
    Page,
    /// A part for the product's own layout.
    Fragment,
    /// The view as JSON.
    Json,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// As the system or the product's page has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Density {
    /// Much.
    #[default]
    Comfortable,
    /// Little.
    Compact,
}

/// Reads it without ever putting it into an error, as the parser's own words would.
fn read_session<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<SecretString>, D::Error> {
    match serde_json::Value::deserialize(reader)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(SecretString::from(text))),
        _ => Err(D::Error::custom("the session must be a string")),
    }
}

fn english() -> String {
    "en".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Who {
    /// Reads and checks it. `None`: nobody was named.
    pub(crate) fn read(json: &[u8]) -> Result<Option<Who>, Error> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let map = crate::json::object(json, BYTES_MAX)
            .map_err(|error| Error::invalid(format!("who: not valid: {error}")).because("not_json"))?;
        let mut who: Who = serde_path_to_error::deserialize(serde_json::Value::Object(map)).map_err(|error| {
            let field = error.path().to_string().replace('.', "/");
            let message = error.into_inner().to_string();
            Error::invalid(format!("who: {field}: {message}")).field(format!("/{field}"), "shape", message)
        })?;
        while who.mount.ends_with('/') {
            who.mount.pop();
        }
        who.check()?;
        Ok(Some(who))
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, message: &str| {
            Err(Error::invalid(format!("who: {field} {message}")).field(format!("/{field}"), "form", message))
        };
        crate::connections::check_tenant(&self.tenant)?;
        if self.actor.id.is_empty() || self.actor.id.len() > 256 {
            return wrong("actor/id", "must be 1 to 256 bytes");
        }
        if self.actor.id == crate::activity::HOST {
            return wrong("actor/id", "must not be the name that the host uses for itself");
        }
        if !is_mount(&self.mount) {
            return wrong("mount", "must be a path such as /admin/integrations, or empty");
        }
        if !is_origin(&self.public_origin) {
            return wrong("public_origin", "must be scheme and host, https://desk.example.com");
        }
        let tag =
            |text: &str| text.len() <= 35 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.locale.is_empty() || !tag(&self.locale) {
            return wrong("locale", "must be a language tag such as de-AT");
        }
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return wrong("time_zone", "must be a name of the IANA database such as Europe/Vienna");
        }
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
        if self.nonce.as_deref().is_some_and(|nonce| nonce.is_empty() || !nonce.bytes().all(base64)) {
            return wrong("nonce", "must be base64");
        }
        if !self.frame_ancestors.iter().all(|origin| is_origin(origin)) {
            return wrong("frame_ancestors", "must be origins, https://desk.example.com");
        }
        if self.session.as_ref().is_some_and(|session| secrecy::ExposeSecret::expose_secret(session).len() < 16) {
            return wrong("session", "must have at least 16 characters");
        }
        if self.step_up_at.as_deref().is_some_and(|at| unix_ms(at).is_none()) {
            return wrong("step_up_at", "must be a time as RFC 3339 has them");
        }
        Ok(())
    }

    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Who does it, for the activity.
    pub(crate) fn by(&self) -> String {
        match &self.actor.name {
            Some(name) if *name != self.actor.id => format!("{name} ({})", self.actor.id),
            _ => self.actor.id.clone(),
        }
    }

    /// When the person last proved who they are, in milliseconds since 1970.
    pub(crate) fn stepped_up(&self) -> Option<i64> {
        self.step_up_at.as_deref().and_then(unix_ms)
    }
}

/// A path that can stand in a link as it is.
fn is_mount(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    text.is_empty() || (text.starts_with('/') && !text.contains("//") && text.len() <= 1024 && text.bytes().all(plain))
}

fn is_origin(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    matches!(url.scheme(), "https" | "http") && url.origin().ascii_serialization() == text.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(mut more: serde_json::Value) -> Result<Option<Who>, Error> {
        let mut who = json!({"tenant": "t", "actor": {"id": "7"}, "public_origin": "https://desk.example.com"});
        who.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        Who::read(who.to_string().as_bytes())
    }

    #[test]
    fn nobody_is_not_an_error_and_what_does_not_fit_is_named() {
        assert!(Who::read(b"").unwrap().is_none() && Who::read(b" \n").unwrap().is_none());
        assert!(read(json!({"mount": "/a/b/"})).unwrap().is_some_and(|who| who.mount == "/a/b"));
        for (field, value) in [
            ("mount", json!("//evil.example")),
            ("mount", json!("/a\"b")),
            ("public_origin", json!("https://a.example/path")),
            ("public_origin", json!("javascript:alert(1)")),
            ("locale", json!("en\"")),
            ("time_zone", json!("Mars/Base")),
            ("nonce", json!("a b")),
            ("frame_ancestors", json!(["*"])),
            ("session", json!("short")),
            ("step_up_at", json!("yesterday")),
            ("permissions", json!(["everything"])),
            ("is_admin", json!(true)),
        ] {
            let Err(error) = read(json!({ field: value })) else { panic!("{field}: {value}") };
            assert!(error.message.contains(field), "{field}: {error}");
        }
    }

    #[test]
    fn a_session_does_not_show_in_errors() {
        let Err(error) = read(json!({"session": ["a-very-secret-session"]})) else { panic!("a list is no session") };
        assert!(!error.to_string().contains("very-secret"), "{error}");
    }
}
