//! What a test of a connection finds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who we are at the provider: the key against connecting the same account twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Stable and unique per account: site and company, without the credentials.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What the provider writes as the creator of what we make (`Note::created_by`), if it can be known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It works.
    Passed,
    /// It works, and not all of it: the message says what somebody should look at.
    Warning,
    /// It does not.
    Failed,
    /// Not tried, because an earlier step failed.
    Skipped,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestStep {
    /// Stable word from the form's `test.steps`: `reach`, `sign_in`, `boards`.
    pub step: String,
    /// How it ended.
    pub state: StepState,
    /// For people: what was found, or what is wrong and what to do.
    #[serde(default)]
    pub message: String,
    /// The code of a failed step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<crate::Code>,
    /// Settings this step speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// What does not work without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disables: Vec<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

impl TestStep {
    /// A step that ended so, of which nothing else is to be said.
    pub fn new(step: &str, state: StepState) -> TestStep {
        let (message, code, fields, disables, ms) = Default::default();
        TestStep { step: step.to_owned(), state, message, code, fields, disables, ms }
    }
}

/// What a test found, step by step. A test that ran is a success, also when steps failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestReport {
    /// In the order they were tried.
    pub steps: Vec<TestStep>,
    /// True if everything works without which nothing does; other steps may have failed, and say what that disables.
    pub passed: bool,
    /// Who we are there, if signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The server's version, if it said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
}
