//! What follows from an answer, for the operation and for its connection.
//!
//! Promises: what is about the connection closes its gate or stops it; an internal note that others can read stops it before
//! anything else is sent.

use super::answer::Answer;
use super::desk::Desk;
use super::gate::Pass;
use super::halt::NOT_LOADED;
use super::next::Turn;
use super::steps::Sending;
use super::trouble::Trouble;
use crate::store::{Binding, StopReason, StoredConnection};
use psa_host_api::model::Visibility;
use psa_host_api::{Code, Error};
use serde_json::json;

/// Closes the gate, or stops the connection, for an error that is about it. How long to wait, in milliseconds.
pub(super) async fn blame(desk: &Desk, pass: &Pass, connection: &StoredConnection, error: &Error) -> u64 {
    let boot = desk.clock.boot_ms();
    let until = pass.failed(boot, error.retry_after_ms);
    let reason = match (error.code, error.reason.as_deref()) {
        (Code::Unauthenticated, _) => Some(StopReason::SignIn),
        (_, Some("plugin_missing")) => Some(StopReason::PluginMissing),
        (_, Some("plugin_stalled")) => Some(StopReason::PluginStalled),
        (Code::Unreadable, Some("settings")) => Some(StopReason::Settings),
        (Code::Unreadable, _) => Some(StopReason::Unreadable),
        _ => None,
    };
    if let Some(reason) = reason {
        let detail = if reason == StopReason::PluginMissing { NOT_LOADED } else { &error.message };
        let version = Some(connection.credential_version);
        desk.stop(&connection.place, reason, detail.to_owned(), version).await;
    }
    until.saturating_sub(boot).max(1)
}

/// An internal note that others can read stops the connection before anything else is sent through it.
pub(super) async fn check_visibility(
    desk: &Desk,
    connection: &StoredConnection,
    wanted: Visibility,
    shown: Option<Visibility>,
    binding: Option<&Binding>,
) {
    let Some(shown) = shown.filter(|shown| *shown != wanted) else { return };
    let id = binding.map_or("?", |binding| &binding.remote);
    let body = json!({"connection": connection.place.connection, "note": id, "wanted": wanted, "shown": shown});
    let event = desk.scribe.event(&connection.place.tenant, "note.visibility", body);
    let told = desk.store.note(crate::store::Record { entries: Vec::new(), events: vec![event] }).await;
    if let Err(error) = told {
        desk.log.error("host", &format!("the visibility of note {id} could not be reported: {error}"));
    }
    if wanted == Visibility::Internal {
        let detail = format!(
            "Note {id} was posted as internal and the PSA shows it to others. Nothing more is sent until a person has \
             looked and resumes the connection."
        );
        desk.stop(&connection.place, StopReason::Visibility, detail, None).await;
    }
}

/// Who the PSA says has made what we made, if it could not be known before.
pub(super) async fn learn_identity(desk: &Desk, connection: &StoredConnection, created_by: Option<String>) {
    let Some(name) = created_by.filter(|_| connection.identity.is_none()) else { return };
    let change = Box::new(move |row: &mut StoredConnection| {
        let unknown = row.identity.is_none();
        row.identity.get_or_insert(name);
        unknown
    });
    let kept = desk.store.change(&connection.place, change, Default::default(), Default::default()).await;
    if let Err(error) = kept {
        desk.log.warn("host", &format!("who we are at the PSA could not be kept: {error}"));
    }
}

/// What follows when the answer does not show it.
pub(super) async fn unapplied<T>(
    desk: &Desk,
    sending: Sending,
    answer: Answer<T>,
    pass: &Pass,
    connection: &StoredConnection,
) -> Result<Turn, Trouble> {
    match answer {
        Answer::Applied(_) => Ok(Turn::Again),
        Answer::Refused(error) => {
            pass.worked();
            let reason = error.reason.clone().unwrap_or_else(|| error.code.name().to_owned());
            sending.refused(desk, &reason, &error).await?;
            Ok(Turn::Again)
        }
        Answer::Back(error) => {
            let wait = blame(desk, pass, connection, &error).await;
            sending.back(desk, &error).await?;
            Ok(Turn::Failed(wait))
        }
        Answer::Doubt(error, never_resend) => {
            pass.lost(desk.clock.boot_ms());
            sending.doubted(desk, Some(&error), never_resend).await?;
            Ok(Turn::Again)
        }
    }
}
