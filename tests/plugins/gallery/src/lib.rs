//! A plugin without a PSA, whose form shows everything that a form can, and whose lists fail, dawdle and lie.
//!
//! Holds: the form (`form.json`), lists of options of every temper, a test that ends as the settings say.
//! Promises: what a trial could leave behind it tries to leave behind, and says what it has found.
#![deny(unsafe_code)]

use psa_host_api::model::{
    Account, FormOption, IssueLevel, Page, SettingsIssue, SettingsIssues, StepState, TestReport, TestStep,
};
use psa_host_api::ops::{FormOptionsRequest, Nothing, ValidateSettingsRequest};
use psa_host_api::sdk::{Cx, Provider, Request, Settings};
use psa_host_api::{Code, Error};
use serde_json::Value;

/// How many people there are, and how many come on a page.
const PEOPLE: usize = 1_000;
const PAGE: usize = 250;
/// How many there are of what cannot be searched.
const NUMBERS: usize = 300;
/// How long the slow list takes, in milliseconds, unless the call ends before.
const SLOW_MS: u64 = 8_000;

struct Gallery {
    settings: Settings,
}

impl Provider for Gallery {
    const MANIFEST: &'static str = concat!(
        r#"{"id":"gallery","name":"Gallery","version":"1.0.0","sdk":"psa-host-api "#,
        env!("CARGO_PKG_VERSION"),
        r#"","capabilities":{"visibilities":["internal","public"],"callbacks":false},"form":"#,
        include_str!("../form.json"),
        "}"
    );

    fn open(settings: &Settings, _: &Cx) -> Result<Gallery, Error> {
        let account = settings.get("account").and_then(Value::as_str).unwrap_or_default();
        if account.is_empty() {
            return Err(Error::invalid("the account must be filled in").field(
                "/account",
                "required",
                "must be filled in",
            ));
        }
        Ok(Gallery { settings: settings.clone() })
    }

    async fn account(&self, _: &Cx, _: Nothing) -> Result<Account, Error> {
        Ok(self.account_of_settings())
    }

    async fn test_connection(&self, cx: &Cx, _: Nothing) -> Result<TestReport, Error> {
        let mut report = TestReport { steps: Vec::new(), passed: true, account: None, server_version: None };
        let began = cx.clock().now_unix_ms();
        let reached = self.ask_server(cx).await?;
        let ms = u64::try_from(cx.clock().now_unix_ms() - began).ok();
        report.steps.push(TestStep { message: reached, ms, ..TestStep::new("reach", StepState::Passed) });
        match self.text("outcome") {
            "refused" => {
                report.passed = false;
                let message = "The token was refused. \"><img src=x onerror=alert(1)>".to_owned();
                let fields = vec!["token".to_owned(), "password".to_owned()];
                let code = Some(Code::Unauthenticated);
                report.steps.push(TestStep { message, fields, code, ..TestStep::new("sign_in", StepState::Failed) });
                report.steps.push(TestStep::new("sync", StepState::Skipped));
                return Ok(report);
            }
            "broken" => return Err(Error::new(Code::Unavailable, "the gallery is closed today")),
            _ => {}
        }
        report.account = Some(self.account_of_settings());
        report.steps.push(TestStep::new("sign_in", StepState::Passed));
        // Each test leaves something behind, durable and remembered; a trial must not.
        let found = self.leave_behind(cx)?;
        report.steps.push(TestStep { message: found, ..TestStep::new("kept", StepState::Passed) });
        if self.text("outcome") == "limited" {
            let message = "Synchronising is not in your plan.".to_owned();
            let disables = vec!["sync".to_owned()];
            report.steps.push(TestStep { message, disables, ..TestStep::new("sync", StepState::Warning) });
        }
        Ok(report)
    }

    async fn form_options(&self, cx: &Cx, request: FormOptionsRequest) -> Result<Page<FormOption>, Error> {
        match request.source.as_str() {
            "boards" => Ok(Page::last(vec![
                FormOption::new("1", "Help Desk"),
                FormOption { group: Some("Field".to_owned()), ..FormOption::new("2", "On Site") },
                FormOption { inactive: true, ..FormOption::new("3", "Closed for good") },
            ])),
            "statuses" => {
                let board = request.args.get("board").and_then(Value::as_str).unwrap_or_default();
                if board.is_empty() {
                    let message = "choose a board first";
                    return Err(Error::invalid(message).field("/args/board", "required", message));
                }
                let names = ["New", "In Progress", "Done"].into_iter().enumerate();
                Ok(Page::last(names.map(|(at, name)| FormOption::new(format!("{board}{at}"), name)).collect()))
            }
            "people" => Ok(people(&request)),
            "numbers" => {
                Ok(Page::last((0..NUMBERS).map(|n| FormOption::new(n.to_string(), format!("Number {n}"))).collect()))
            }
            "moment" => {
                let label = format!("Read at {}", cx.clock().now_unix_ms());
                Ok(Page::last(vec![FormOption::new("moment", label)]))
            }
            "hostile" => Ok(Page::last(hostile())),
            "slow" => {
                for _ in 0..SLOW_MS / 20 {
                    if let Some(code) = cx.must_end() {
                        return Err(Error::new(code, "told to end"));
                    }
                    // Not what a plugin should do: this one plays one that does.
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Ok(Page::last(vec![FormOption::new("at-last", "At last")]))
            }
            _ => Err(Error::new(Code::Unavailable, "the list cannot be had: \"><img src=x onerror=alert(1)>")),
        }
    }

    async fn validate_settings(&self, cx: &Cx, request: ValidateSettingsRequest) -> Result<SettingsIssues, Error> {
        let settings = &request.settings;
        let text = |key: &str| settings.get(key).and_then(Value::as_str).unwrap_or_default();
        let issue = |key: &str, level: IssueLevel, code: &str, message: &str| SettingsIssue {
            at: format!("/settings/{key}"),
            level,
            code: code.to_owned(),
            message: message.to_owned(),
            params: Default::default(),
        };
        let mut items = Vec::new();
        match text("title") {
            "slow" => loop {
                if let Some(code) = cx.must_end() {
                    return Err(Error::new(code, "told to end"));
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            },
            "crash" => return Err(Error::internal("the plugin has lost its glasses")),
            title if !title.is_empty() && title == text("account") => {
                items.push(issue("title", IssueLevel::Warning, "same", "is the same as the account"));
            }
            _ => {}
        }
        let many = settings.get("count").and_then(Value::as_i64).is_some_and(|count| count > 10);
        if many && settings.get("on") != Some(&Value::Bool(true)) {
            items.push(issue("count", IssueLevel::Error, "needs_on", "above 10 only while switched on"));
        }
        Ok(SettingsIssues { items })
    }
}

impl Gallery {
    fn text(&self, key: &str) -> &str {
        self.settings.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn account_of_settings(&self) -> Account {
        let account = self.text("account");
        Account { key: format!("gallery/{account}"), label: format!("Gallery of {account}"), identity: None }
    }

    /// Shows the token to the server of the settings, if there is one.
    async fn ask_server(&self, cx: &Cx) -> Result<String, Error> {
        let server = self.text("server");
        if server.is_empty() {
            return Ok("There is no server to reach.".to_owned());
        }
        let request = Request::get(format!("{server}/hello")).secret_header("authorization", "Bearer ", "token");
        let answer = cx.http().send(request).await?;
        Ok(format!("The server answers {}.", answer.status))
    }

    fn leave_behind(&self, cx: &Cx) -> Result<String, Error> {
        let durable: u64 = cx.storage().get("visits")?.unwrap_or_default();
        cx.storage().put("visits", &(durable + 1))?;
        let remembered: u64 = cx.cache().get("visits")?.unwrap_or_default();
        cx.cache().put("visits", &(remembered + 1), 600_000)?;
        Ok(format!("{durable} kept, {remembered} remembered"))
    }
}

/// People by words of their names, page by page.
fn people(request: &FormOptionsRequest) -> Page<FormOption> {
    let words = request.query.as_deref().unwrap_or_default().to_lowercase();
    let names = ["Ada", "Bo", "Chi", "Dee", "Eva"];
    let named = |number: &usize| format!("{} Number {number}", names[number % names.len()]);
    let all: Vec<usize> = (0..PEOPLE).filter(|number| named(number).to_lowercase().contains(&words)).collect();
    let from = request.page.cursor.as_ref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let many = request.page.limit.map_or(PAGE, |limit| PAGE.min(limit as usize));
    let items = all.iter().skip(from).take(many);
    let items = items.map(|number| FormOption {
        help: Some(format!("{number}@gallery.example")),
        ..FormOption::new(number.to_string(), named(number))
    });
    Page { items: items.collect(), next: (from + many < all.len()).then(|| (from + many).to_string()) }
}

/// Values and names that a page must show as they are.
fn hostile() -> Vec<FormOption> {
    let long = "x".repeat(2_000);
    [
        "\"><img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "' onfocus='alert(1)",
        "</select></form>",
        "\u{202e}desrever",
        "a\u{0}b",
        "{{7*7}} ${7*7} <%= 7*7 %>",
        "&lt;b&gt;",
        long.as_str(),
    ]
    .into_iter()
    .map(|words| FormOption {
        help: Some(words.to_owned()),
        group: Some(words.chars().take(30).collect()),
        ..FormOption::new(words, words)
    })
    .collect()
}

psa_host_api::export_plugin!(Gallery { account, test_connection, form_options, validate_settings });
