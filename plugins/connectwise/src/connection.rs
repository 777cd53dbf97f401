//! Who we are, and what works.

use crate::client::{Client, Query, record};
use crate::map::Record;
use psa_host_api::model::{Account, StepState, TestReport, TestStep};
use psa_host_api::sdk::{Cx, NO_ANSWER};
use psa_host_api::{Code, Error};

/// Rights that are tried, each by the smallest read: what it is, the path, what is not possible without it.
const RIGHTS: [(&str, &str, &[&str]); 3] = [
    ("tickets", "service/tickets", &["tickets", "notes"]),
    ("boards", "service/boards", &["status_mapping"]),
    ("members", "system/info/members", &["member_mapping"]),
];

pub(crate) async fn account(client: &Client, cx: &Cx) -> Result<Account, Error> {
    let me = client.get(cx, "system/myMembers/info", &Query::new()).await?;
    let mut me = Record::new(record(me)?);
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
    match client.company_info(cx).await {
        Ok(info) => {
            report.server_version = info.version;
            report.steps.push(passed("reach"));
        }
        Err(error) => {
            report.steps.push(failed("reach", &error, &["host", "site"])?);
            return Ok(skipped(report, &["sign_in", "rights"]));
        }
    }
    match sign_in(client, cx).await {
        Ok(account) => {
            report.account = Some(account);
            report.steps.push(passed("sign_in"));
        }
        Err(error) => {
            report.steps.push(failed("sign_in", &error, &["company_id", "public_key", "private_key", "client_id"])?);
            return Ok(skipped(report, &["rights"]));
        }
    }
    for (name, path, disables) in RIGHTS {
        let query: Query = vec![("pageSize", "1".to_owned())];
        report.steps.push(match client.get(cx, path, &query).await {
            Ok(_) => passed(name),
            Err(error) => TestStep { disables: strings(disables), ..failed(name, &error, &[])? },
        });
    }
    // Without tickets there is nothing to do; without the others less.
    let needed = |step: &TestStep| matches!(step.step.as_str(), "reach" | "sign_in" | "tickets");
    report.passed = report.steps.iter().filter(|step| needed(step)).all(|step| step.state == StepState::Passed);
    Ok(report)
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

fn passed(step: &str) -> TestStep {
    TestStep {
        step: step.to_owned(),
        state: StepState::Passed,
        message: String::new(),
        code: None,
        fields: Vec::new(),
        disables: Vec::new(),
    }
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

fn skipped(mut report: TestReport, steps: &[&str]) -> TestReport {
    report.steps.extend(steps.iter().map(|step| TestStep { state: StepState::Skipped, ..passed(step) }));
    report
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
