//! The settings of a connection.

use psa_host_api::model::{IssueLevel, SettingsIssue};
use psa_host_api::{Code, Error};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
    /// Where new tickets go that name no place.
    pub(crate) new_tickets: NewTickets,
    /// How changes are heard of.
    pub(crate) hearing: Hearing,
}

/// What a new ticket gets that does not say it. All of it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NewTickets {
    pub(crate) board: Option<String>,
    /// Of that board.
    pub(crate) status: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) company: Option<String>,
}

/// How changes are heard of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hearing {
    /// Callbacks are not wanted.
    pub(crate) silent: bool,
    /// Of tickets of this board only.
    pub(crate) board: Option<String>,
    /// How often changes are looked for, in milliseconds; absent: as the host is configured.
    pub(crate) poll_every_ms: Option<u64>,
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
            new_tickets: NewTickets {
                board: id(settings, "default_board"),
                status: id(settings, "new_status"),
                priority: id(settings, "default_priority"),
                company: id(settings, "fallback_company"),
            },
            hearing: Hearing {
                silent: settings.get("callbacks_on") == Some(&Value::Bool(false)),
                board: id(settings, "default_board").filter(|_| only_of_board(settings)),
                poll_every_ms: settings.get("poll_every").and_then(Value::as_str).and_then(milliseconds),
            },
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

/// What the form's own rules cannot say of settings.
pub(crate) fn issues(settings: &Map<String, Value>) -> Vec<SettingsIssue> {
    let mut issues = Vec::new();
    let mut say = |key: &str, level: IssueLevel, code: &str, message: String| {
        let (at, code, params) = (format!("/settings/{key}"), code.to_owned(), BTreeMap::new());
        issues.push(SettingsIssue { at, level, code, message, params });
    };
    for key in ["default_board", "new_status", "default_priority", "fallback_company"] {
        if id(settings, key).is_some_and(|id| !is_number(&id)) {
            say(key, IssueLevel::Error, "id", "must be an id of ConnectWise, a whole number".to_owned());
        }
    }
    if only_of_board(settings) && id(settings, "default_board").is_none() {
        let message = "needs a board for new tickets: choose one, or hear of all tickets".to_owned();
        say("callback_scope", IssueLevel::Error, "board_required", message);
    }
    let host = settings.get("host").and_then(Value::as_str).unwrap_or_default();
    let authority = plain_authority(host);
    if authority.ends_with(".myconnectwise.net") || authority.ends_with(".connectwisedev.com") {
        // Source: facts 1.1.
        let message =
            "is an address of ConnectWise's cloud: choose that cloud instead of a server of your own".to_owned();
        say("host", IssueLevel::Warning, "cloud_address", message);
    }
    issues
}

fn only_of_board(settings: &Map<String, Value>) -> bool {
    settings.get("callback_scope").and_then(Value::as_str) == Some("board")
}

fn is_number(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit()) && id.parse::<u64>().is_ok_and(|id| id > 0)
}

/// An id, as it was chosen or typed in.
fn id(settings: &Map<String, Value>, key: &str) -> Option<String> {
    let text = match settings.get(key)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Milliseconds of an ISO 8601 duration in minutes, hours and seconds, as the form lets it be: `PT90S`, `PT1H30M`, `P1D`.
fn milliseconds(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0_u64, String::new());
    for sign in text.strip_prefix('P')?.chars() {
        match sign {
            '0'..='9' => digits.push(sign),
            'T' => {}
            unit => {
                let seconds = match unit {
                    'D' => 86_400,
                    'H' => 3_600,
                    'M' => 60,
                    'S' => 1,
                    _ => return None,
                };
                total = total.checked_add(std::mem::take(&mut digits).parse::<u64>().ok()?.checked_mul(seconds)?)?;
            }
        }
    }
    total.checked_mul(1000)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(more: Value) -> Map<String, Value> {
        let mut settings = json!({"site": "eu", "company_id": "acme", "client_id": "c", "public_key": "P"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings.as_object().unwrap().clone()
    }

    #[test]
    fn what_was_chosen_for_new_tickets_and_callbacks_is_read_and_may_be_missing() {
        let bare = Settings::read(&of(json!({}))).unwrap();
        assert_eq!((bare.new_tickets, bare.hearing), (NewTickets::default(), Hearing::default()));
        let full = Settings::read(&of(json!({"default_board": "12", "new_status": 310, "default_priority": " 8 ",
            "fallback_company": "2", "callbacks_on": true, "callback_scope": "board", "poll_every": "PT1H30M"})))
        .unwrap();
        assert_eq!((full.new_tickets.board.as_deref(), full.new_tickets.status.as_deref()), (Some("12"), Some("310")));
        assert_eq!((full.new_tickets.priority.as_deref(), full.new_tickets.company.as_deref()), (Some("8"), Some("2")));
        let hearing = Hearing { silent: false, board: Some("12".into()), poll_every_ms: Some(5_400_000) };
        assert_eq!(full.hearing, hearing);
        assert!(Settings::read(&of(json!({"callbacks_on": false}))).unwrap().hearing.silent);
        assert_eq!((milliseconds("P1DT1S"), milliseconds("5M"), milliseconds("P1Y")), (Some(86_401_000), None, None));
    }

    #[test]
    fn what_does_not_go_together_is_named_by_its_field() {
        for (more, found) in [
            (json!({}), vec![]),
            (json!({"callback_scope": "board", "default_board": "12"}), vec![]),
            (json!({"callback_scope": "board"}), vec![("/settings/callback_scope", "board_required")]),
            (json!({"default_board": "Help Desk"}), vec![("/settings/default_board", "id")]),
            (
                json!({"new_status": "0", "fallback_company": "-1"}),
                vec![("/settings/new_status", "id"), ("/settings/fallback_company", "id")],
            ),
            (json!({"host": "https://NA.myconnectwise.net"}), vec![("/settings/host", "cloud_address")]),
            (json!({"host": "https://myconnectwise.net.example"}), vec![]),
        ] {
            let issues = issues(&of(more.clone()));
            let codes: Vec<_> = issues.iter().map(|issue| (issue.at.as_str(), issue.code.as_str())).collect();
            assert_eq!(codes, found, "{more}");
        }
    }
}
