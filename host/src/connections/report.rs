//! What a test of a connection has found, also when it never reached the PSA.

use psa_host_api::Error;
use psa_host_api::model::{StepState, TestReport, TestStep};

/// The report of a test, also of one that never reached the PSA.
pub(crate) fn report_of(outcome: Result<TestReport, Error>) -> Result<TestReport, Error> {
    match outcome {
        Err(error) if is_of_the_way(&error) => Ok(not_reached(error)),
        outcome => outcome,
    }
}

/// Whether the host saw itself that the PSA was not reached: the plugin knows only that no answer came.
fn is_of_the_way(error: &Error) -> bool {
    let reason = error.reason.as_deref().unwrap_or_default();
    reason.starts_with("egress_") || matches!(reason, "secret_missing" | "bad_answer" | "body_too_large")
}

/// A finding like any other.
fn not_reached(error: Error) -> TestReport {
    let step = TestStep { message: error.message, code: Some(error.code), ..TestStep::new("reach", StepState::Failed) };
    TestReport { steps: vec![step], passed: false, account: None, server_version: None }
}
