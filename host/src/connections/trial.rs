//! Settings and secrets that are tried before they are kept.
//!
//! Holds: [`Trial`], and what can be asked with one: a test, options, what is wrong with it.
//! Promises: nothing of a trial is kept; what the connection's plugin has stored or remembered is neither seen nor
//! touched; a stored secret takes part only under the settings it was entered for.
//! Leaves to others: keeping what was tried (`life`).

use super::{ConnectionRoom, SecretOp};
use crate::plugin::CallContext;
use psa_host_api::Error;
use psa_host_api::model::{FormOption, Page, SettingsIssue, TestReport};
use psa_host_api::ops::FormOptionsRequest;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One thing to say about what is tried.
pub(crate) type Issue = SettingsIssue;

/// What is tried.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// Whose it is.
    pub(crate) tenant: String,
    /// Which plugin it uses.
    pub(crate) plugin: String,
    /// The connection that would have these settings; none: a new one.
    pub(crate) connection: Option<String>,
    /// All of them.
    pub(crate) settings: Map<String, Value>,
    /// What becomes of the secrets; those not named stay.
    pub(crate) secrets: BTreeMap<String, SecretOp>,
}

impl ConnectionRoom {
    /// Runs the plugin's test with exactly these settings and secrets.
    pub(crate) async fn try_settings(&self, trial: &Trial, context: &CallContext) -> Result<TestReport, Error> {
        let _ = (trial, context);
        Err(Error::internal("not yet"))
    }

    /// What can be chosen in a field, under exactly these settings.
    pub(crate) async fn options(
        &self,
        trial: &Trial,
        request: &FormOptionsRequest,
        context: &CallContext,
    ) -> Result<Page<FormOption>, Error> {
        let _ = (trial, request, context);
        Err(Error::internal("not yet"))
    }

    /// Everything that is wrong with it, in the order of the form.
    pub(crate) async fn issues(&self, trial: &Trial, context: &CallContext) -> Result<Vec<Issue>, Error> {
        let _ = (trial, context);
        Err(Error::internal("not yet"))
    }
}
