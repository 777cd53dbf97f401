//! Who we are, and what works.
//!
//! Promises: a test changes nothing, also where it tries rights to write; a right that is missing is named, with what is
//! not possible without it and where it is given.

use crate::client::{Ask, Client, Query};
use crate::map::Record;
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::{Account, StepState, TestReport, TestStep};
use psa_host_api::sdk::{Cx, NO_ANSWER};
use psa_host_api::{Code, Error};
use serde_json::{Map, Value};

/// A right that is tried.
struct Right {
    /// Its step, as in `form.json`.
    step: &'static str,
    probe: Probe,
    /// What is not possible without it.
    disables: &'static [&'static str],
    /// Where an administrator gives it. Source: facts 2.3.
    needs: &'static str,
}

/// How a right is tried without changing anything.
enum Probe {
    /// The smallest read of a list.
    Read(&'static str),
    /// An empty object to a place where none can become a record; what is answered tells whether writing is allowed.
    Write(&'static str),
}

/// The steps after the first two.
const RIGHTS: [Right; 6] = [
    Right {
        step: "tickets",
        probe: Probe::Read("service/tickets"),
        disables: &["tickets", "notes"],
        needs: "Service Desk › Service Tickets: inquire",
    },
    Right {
        step: "boards",
        probe: Probe::Read("service/boards"),
        disables: &["status_mapping"],
        needs: "System › Table Setup: inquire",
    },
    Right {
        step: "members",
        probe: Probe::Read("system/info/members"),
        disables: &["member_mapping"],
        needs: "System › Member Maintenance: inquire",
    },
    // Nothing can come of it: no ticket has the number 0, and a note without a text and without a place is refused even
    // at a ticket that is there. Source: facts 7.2.
    Right {
        step: "write_notes",
        probe: Probe::Write("service/tickets/0/notes"),
        disables: &["notes"],
        needs: "Service Desk › Service Tickets: add and edit",
    },
    // Nothing can come of it: a ticket without a summary and without a company is refused, and neither has a default.
    // Source: facts 6. The mark is written by making a ticket or changing one, which is the same right.
    Right {
        step: "write_reference",
        probe: Probe::Write("service/tickets"),
        disables: &["external_reference", "new_tickets"],
        needs: "Service Desk › Service Tickets: add and edit",
    },
    Right {
        step: "callbacks",
        probe: Probe::Read("system/callbacks"),
        disables: &["callbacks"],
        needs: "System › Table Setup: inquire, add, edit and delete",
    },
];

pub(crate) async fn account(client: &Client, cx: &Cx) -> Result<Account, Error> {
    let me = client.get(cx, "system/myMembers/info", &Query::new()).await?;
    let mut me = Record::of(me)?;
    Ok(account_of(client, me.text("identifier")))
}

/// Site and company make out the account: a second key pair of the same tenant is the same one.
fn account_of(client: &Client, member: Option<String>) -> Account {
    let settings = &client.settings;
    let host = settings.web.split("://").nth(1).unwrap_or_default();
    let company = &settings.company;
    let label = member.as_ref().map_or_else(|| company.clone(), |member| format!("{company} as {member}"));
    Account { key: format!("{host}/{}", company.to_lowercase()), label, identity: member }
}

/// Reaches the site, signs in, tries the rights. Changes nothing.
pub(crate) async fn test(client: &Client, cx: &Cx) -> Result<TestReport, Error> {
    let mut report = TestReport { steps: Vec::new(), passed: false, account: None, server_version: None };
    let began = cx.clock().now_unix_ms();
    match client.company_info(cx).await {
        Ok(info) => {
            report.server_version = info.version;
            report.steps.push(timed(cx, began, passed("reach")));
        }
        Err(error) => {
            report.steps.push(timed(cx, began, failed("reach", &error, &["host", "site"])?));
            report.steps.push(skipped("sign_in"));
            return Ok(without_rights(report));
        }
    }
    let began = cx.clock().now_unix_ms();
    match sign_in(client, cx).await {
        Ok(account) => {
            report.account = Some(account);
            report.steps.push(timed(cx, began, passed("sign_in")));
        }
        Err(error) => {
            let fields = ["company_id", "public_key", "private_key", "client_id"];
            report.steps.push(timed(cx, began, failed("sign_in", &error, &fields)?));
            return Ok(without_rights(report));
        }
    }
    if let Some(version) = server_version(client, cx).await? {
        report.server_version = Some(version);
    }
    for right in &RIGHTS {
        let began = cx.clock().now_unix_ms();
        report.steps.push(timed(cx, began, try_right(client, cx, right).await?));
    }
    // Without tickets there is nothing to do; without the others less.
    let needed = |step: &TestStep| matches!(step.step.as_str(), "reach" | "sign_in" | "tickets");
    report.passed = report.steps.iter().filter(|step| needed(step)).all(|step| step.state == StepState::Passed);
    Ok(report)
}

/// The exact version; the company info has only that of the release. Source: facts 9, `/system/info`.
async fn server_version(client: &Client, cx: &Cx) -> Result<Option<String>, Error> {
    match client.get(cx, "system/info", &Query::new()).await {
        Ok(info) => Ok(info.get("version").and_then(Value::as_str).map(str::to_owned)),
        // It is not what is tested; but what ends the call itself ends it.
        Err(error) => failed("", &error, &[]).map(|_| None),
    }
}

async fn try_right(client: &Client, cx: &Cx, right: &Right) -> Result<TestStep, Error> {
    let outcome = match right.probe {
        Probe::Read(path) => {
            let query: Query = vec![("pageSize", "1".to_owned())];
            client.get(cx, path, &query).await.map(|_| ())
        }
        Probe::Write(path) => may_write(client, cx, path).await,
    };
    let error = match outcome {
        Ok(()) => return Ok(passed(right.step)),
        Err(error) => error,
    };
    let mut step = TestStep { disables: strings(right.disables), ..failed(right.step, &error, &[])? };
    if error.code == Code::Forbidden {
        step.message = format!("{} The role needs {}.", step.message, right.needs);
    }
    Ok(step)
}

/// Whether an empty object is refused for what it lacks and not for who sends it. Marked as a read: it changes nothing.
async fn may_write(client: &Client, cx: &Cx, path: &str) -> Result<(), Error> {
    let nothing = Map::new();
    match client.read_as(cx, &Ask::new("POST", path), |ask| ask.json(&nothing).as_read()).await {
        Ok(_) => {
            let message = "ConnectWise accepted an empty record; is this the address of a ConnectWise?";
            Err(Error::new(Code::Unavailable, message).because("odd_status"))
        }
        // The right is looked at before the record is. Source: facts 5.2, the codes of both.
        Err(error) if is_of_the_record(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_of_the_record(error: &Error) -> bool {
    let codes = [Code::Rejected, Code::NotFound, Code::Conflict, Code::Internal];
    error.speaks_of == Some(SpeaksOf::Operation) && codes.contains(&error.code)
}

async fn sign_in(client: &Client, cx: &Cx) -> Result<Account, Error> {
    match account(client, cx).await {
        // The caller's own record is not there on every version: then any read tells. Source: facts 2.1.
        Err(error) if matches!(error.code, Code::NotFound | Code::Unsupported | Code::Forbidden) => {
            let query: Query = vec![("pageSize", "1".to_owned())];
            client.get(cx, "service/tickets", &query).await?;
            Ok(account_of(client, None))
        }
        outcome => outcome,
    }
}

/// The step with how long it took.
fn timed(cx: &Cx, began: i64, step: TestStep) -> TestStep {
    let ms = cx.clock().now_unix_ms().saturating_sub(began);
    TestStep { ms: Some(u64::try_from(ms).unwrap_or_default()), ..step }
}

fn passed(step: &str) -> TestStep {
    TestStep::new(step, StepState::Passed)
}

/// A failed step. What ends the call itself is not a finding of the test, nor is what only the host can explain.
fn failed(step: &str, error: &Error, fields: &[&str]) -> Result<TestStep, Error> {
    let unexplained = error.reason.as_deref() == Some(NO_ANSWER);
    if unexplained || matches!(error.code, Code::Cancelled | Code::Closed) {
        return Err(error.clone());
    }
    Ok(TestStep {
        state: StepState::Failed,
        message: error.message.clone(),
        code: Some(error.code),
        fields: strings(fields),
        ..passed(step)
    })
}

fn skipped(step: &str) -> TestStep {
    TestStep { state: StepState::Skipped, ..passed(step) }
}

fn without_rights(mut report: TestReport) -> TestReport {
    report.steps.extend(RIGHTS.iter().map(|right| skipped(right.step)));
    report
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
