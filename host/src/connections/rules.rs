//! What may follow what in the life of a connection, and what names are names.

use super::TENANT_BYTES_MAX;
use crate::store::{ConnectionState, StopReason, StoredConnection};
use psa_host_api::Error;
use psa_host_api::model::TestReport;

pub(crate) fn check_tenant(tenant: &str) -> Result<(), Error> {
    if tenant.is_empty() || tenant.len() > TENANT_BYTES_MAX {
        let message = format!("tenant must be 1 to {TENANT_BYTES_MAX} bytes");
        return Err(Error::invalid(message.clone()).field("/tenant", "length", message));
    }
    Ok(())
}

pub(super) fn check_name(name: Option<&str>) -> Result<(), Error> {
    let wrong = |name: &str| name.trim().is_empty() || name.len() > 256 || name.chars().any(char::is_control);
    if name.is_some_and(wrong) {
        let message = "name must be 1 to 256 bytes without control characters";
        return Err(Error::invalid(message).field("/name", "length", message));
    }
    Ok(())
}

/// Reasons that only other credentials, or a test of these, can end.
pub(super) fn credentials_were_why(reason: Option<StopReason>) -> bool {
    matches!(reason, Some(StopReason::SignIn | StopReason::Unreadable | StopReason::Settings))
}

/// A reason only gives way to a stronger one: what a person has to look at is not covered by what ends by itself, and
/// pausing is no way around what a test has to end.
pub(super) fn rank(reason: StopReason) -> u8 {
    match reason {
        StopReason::PluginMissing | StopReason::PluginStalled | StopReason::Environment => 1,
        StopReason::Paused => 2,
        StopReason::SignIn | StopReason::Unreadable | StopReason::Settings => 3,
        StopReason::Visibility => 4,
        StopReason::Disabled => 5,
    }
}

/// Reasons that only a person ends.
pub(super) fn is_a_persons(reason: Option<StopReason>) -> bool {
    matches!(reason, Some(StopReason::Paused | StopReason::Visibility | StopReason::Disabled))
}

pub(super) fn versions(row: &StoredConnection) -> (i64, i64) {
    (row.settings_version, row.credential_version)
}

pub(super) fn secrets_wanted(names: &[String]) -> String {
    format!("The settings now lead elsewhere, so these secrets must be entered again: {}.", names.join(", "))
}

pub(super) fn stop(row: &mut StoredConnection, reason: StopReason, detail: String) {
    (row.state, row.reason, row.detail) = (ConnectionState::Stopped, Some(reason), Some(detail));
}

pub(super) fn start(row: &mut StoredConnection) {
    let tested = row.account.is_some() || row.identity.is_some();
    row.state = if tested { ConnectionState::Active } else { ConnectionState::Setup };
    (row.reason, row.detail) = (None, None);
}

/// Who we turned out to be there.
pub(super) fn signed_in(row: &mut StoredConnection, report: &TestReport) {
    match &report.account {
        Some(account) => {
            row.account = Some(account.key.clone());
            row.identity = account.identity.clone().or_else(|| row.identity.clone());
        }
        // A provider that does not say: the connection itself stands for its account.
        None => row.account = row.account.clone().or_else(|| Some(format!("connection {}", row.place.connection))),
    }
}
