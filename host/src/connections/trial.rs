//! Settings and secrets that are tried before they are kept.
//!
//! Holds: [`Trial`], and what can be asked with one: a test, options, what is wrong with it.
//! Promises: nothing of a trial is kept; what the connection's plugin has stored or remembered is neither seen nor
//! touched; a stored secret takes part only under the settings it was entered for.
//! Leaves to others: keeping what was tried (`change`).

use super::settings::{error_at, issues_of, issues_of_fixed, issues_of_kept, issues_of_secrets, refuse};
use super::{ConnectionRoom, SecretOp, check_tenant, report_of};
use crate::plugin::{CallContext, Plugin};
use crate::sealed::TriedSecrets;
use crate::store::{ConnectionState, Place, StoredConnection};
use psa_host_api::form::{Form, Moment};
use psa_host_api::model::{IssueLevel, SettingsIssue, StepState, TestReport, TestStep};
use psa_host_api::ops::{Nothing, TestConnection, ValidateSettings, ValidateSettingsRequest};
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a plugin may look at settings, in milliseconds: it has nothing to wait for.
const VALIDATE_MS: u64 = 200;

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

/// A trial as far as the form can judge it.
pub(super) struct Tried {
    pub(super) plugin: Arc<Plugin>,
    /// The connection as it would be.
    pub(super) row: StoredConnection,
    /// The connection as it is.
    pub(super) before: Option<StoredConnection>,
    pub(super) secrets: TriedSecrets,
    pub(super) issues: Vec<Issue>,
}

impl ConnectionRoom {
    /// Runs the plugin's test with exactly these settings and secrets.
    pub(crate) async fn try_settings(&self, trial: &Trial, context: &CallContext) -> Result<TestReport, Error> {
        let tried = self.prepare(trial, Moment::Creation).await?;
        refuse(tried.issues.clone())?;
        let secrets = tried.secrets.clone();
        let outcome = self.try_run::<TestConnection>(&tried.row, secrets, &Nothing {}, context).await;
        self.with_account(&tried, report_of(outcome)?)
    }

    /// What the form of a new connection begins with.
    pub(crate) fn first_settings(&self, form: &Form) -> Map<String, Value> {
        self.prefilled(form, &Map::new())
    }

    /// Everything that is wrong with it, in the order of the form.
    pub(crate) async fn issues(&self, trial: &Trial, context: &CallContext) -> Result<Vec<Issue>, Error> {
        let moment = if trial.connection.is_some() { Moment::Whole } else { Moment::Creation };
        let tried = self.prepare(trial, moment).await?;
        let mut issues = tried.issues.clone();
        issues.extend(self.issues_of_choices(trial, &tried)?);
        for issue in self.issues_of_plugin(&tried, context).await? {
            // What the form has said already is not said again in other words.
            if issue.at.is_empty() || !issues.iter().any(|said| said.at == issue.at) {
                issues.push(issue);
            }
        }
        let place = |issue: &Issue| {
            let key = issue.at.rsplit('/').next().unwrap_or_default();
            tried.plugin.form.definition().fields.iter().position(|field| field.key == key)
        };
        // What is about no field comes last.
        issues.sort_by_key(|issue| place(issue).unwrap_or(usize::MAX));
        Ok(issues)
    }

    /// What the form says of it, and the connection as it would be.
    pub(super) async fn prepare(&self, trial: &Trial, moment: Moment<'_>) -> Result<Tried, Error> {
        check_tenant(&trial.tenant)?;
        let before = match &trial.connection {
            Some(connection) => {
                let place = Place { tenant: trial.tenant.clone(), connection: connection.clone() };
                Some(self.current(&place).await?)
            }
            None => None,
        };
        let plugin = self.plugin(&trial.plugin)?;
        if let Some(before) = &before {
            if before.plugin != trial.plugin {
                let message = format!("the connection uses the plugin \"{}\"", before.plugin);
                return Err(Error::invalid(message.clone()).field("/plugin", "other_plugin", message));
            }
            self.check_form(&plugin, before)?;
        }
        let form = &plugin.form;
        let settings = match &before {
            Some(_) => form.normalised(&trial.settings),
            None => self.prefilled(form, &trial.settings),
        };
        let stored = match &before {
            Some(before) => self.store.secret_names(&before.place)?,
            None => Vec::new(),
        };
        let (secrets, mut issues) = self.ops(trial, &plugin);
        issues.extend(issues_of_secrets(form, &settings, &secrets.given));
        let goes = |name: &str| secrets.given.contains_key(name) || secrets.without.contains(name);
        let kept: Vec<&str> = stored.iter().map(|secret| secret.name.as_str()).filter(|name| !goes(name)).collect();
        let there = kept.iter().copied().chain(secrets.given.keys().map(String::as_str));
        let there: Vec<&str> = there.filter(|name| form.is_secret(name)).collect();
        issues.extend(issues_of(form, &settings, &there, moment));
        if let Some(before) = &before {
            let known = form.declared(&before.settings);
            issues.extend(issues_of_fixed(form, &known, &settings));
            issues.extend(issues_of_kept(form, &known, &settings, &kept));
        }
        let row = self.row_of(trial, &plugin, before.as_ref(), settings);
        Ok(Tried { plugin, row, before, secrets, issues })
    }

    /// What becomes of the secrets, and what is wrong with that.
    fn ops(&self, trial: &Trial, plugin: &Plugin) -> (TriedSecrets, Vec<Issue>) {
        let form = &plugin.form;
        let (mut tried, mut issues) = (TriedSecrets::default(), Vec::new());
        for (name, op) in &trial.secrets {
            let at = format!("/secrets/{name}");
            match op {
                SecretOp::Keep | SecretOp::Clear if !form.is_secret(name) => {
                    issues.push(error_at(at, "unknown_field", format!("the form has no secret \"{name}\"")));
                }
                SecretOp::Keep => {}
                SecretOp::Clear => {
                    if !form.is_clearable(name) {
                        issues.push(error_at(at, "required", "is needed; enter another one in its place"));
                    }
                    tried.without.insert(name.clone());
                }
                SecretOp::Replace(value) => {
                    tried.without.extend(form.rivals(name).into_iter().map(str::to_owned));
                    tried.given.insert(name.clone(), SecretString::clone(value));
                }
            }
        }
        (tried, issues)
    }

    /// The connection as it would be.
    fn row_of(
        &self,
        trial: &Trial,
        plugin: &Plugin,
        before: Option<&StoredConnection>,
        settings: Map<String, Value>,
    ) -> StoredConnection {
        if let Some(before) = before {
            return StoredConnection { settings, ..before.clone() };
        }
        StoredConnection {
            // A name for the log; no row has it.
            place: Place { tenant: trial.tenant.clone(), connection: self.runtime.new_id("trial_") },
            plugin: trial.plugin.clone(),
            name: plugin.manifest.name.clone(),
            settings,
            settings_version: 1,
            credential_version: 1,
            form_version: plugin.form.definition().settings_version,
            plugin_version: plugin.manifest.version.clone(),
            account: None,
            identity: None,
            state: ConnectionState::Setup,
            reason: None,
            detail: None,
            created: 0,
            changed: 0,
        }
    }

    /// The same account twice would tell every change twice; another account has other tickets.
    fn with_account(&self, tried: &Tried, mut report: TestReport) -> Result<TestReport, Error> {
        let Some(account) = &report.account else { return Ok(report) };
        let own = tried.before.as_ref().map(|before| before.place.connection.as_str());
        let taken = self.store.of_account(&tried.row.place.tenant, &tried.row.plugin, &account.key)?;
        let identity: Vec<String> = tried.plugin.form.identity_fields().map(str::to_owned).collect();
        let known = tried.before.as_ref().and_then(|before| before.account.as_ref());
        let step = match taken {
            Some(other) if own != Some(other.as_str()) => {
                let name = self.stored(&Place { tenant: tried.row.place.tenant.clone(), connection: other.clone() });
                let name = name.map(|stored| stored.name).unwrap_or_default();
                TestStep {
                    message: format!(
                        "{} is connected already, as \"{name}\" ({other}). Use that connection, or delete it first.",
                        account.label
                    ),
                    code: Some(Code::Conflict),
                    ..TestStep::new("account", StepState::Failed)
                }
            }
            _ if known.is_some_and(|known| *known != account.key) => TestStep {
                message: format!(
                    "This is another account than before: {}. What is linked to tickets of the other one stays linked \
                     to those.",
                    account.label
                ),
                ..TestStep::new("account", StepState::Warning)
            },
            _ => return Ok(report),
        };
        report.passed &= step.state != StepState::Failed;
        report.steps.push(TestStep { fields: identity, ..step });
        Ok(report)
    }

    /// What the plugin itself says of settings.
    async fn issues_of_plugin(&self, tried: &Tried, context: &CallContext) -> Result<Vec<Issue>, Error> {
        if !tried.plugin.operations().any(|name| name == "validate_settings") {
            return Ok(Vec::new());
        }
        let form = &tried.plugin.form;
        let settings = form.declared(&form.without_invisible(&tried.row.settings));
        let request = ValidateSettingsRequest { settings };
        let deadline = self.runtime.clock.boot_ms().saturating_add(VALIDATE_MS);
        let deadline = Some(context.deadline.map_or(deadline, |of_caller| of_caller.min(deadline)));
        let context = CallContext { deadline, ..context.clone() };
        // It needs no secret to look at settings, and a stored one may not fit them.
        let without = form.secrets().map(str::to_owned).collect();
        let secrets = TriedSecrets { without, ..TriedSecrets::default() };
        match self.try_run::<ValidateSettings>(&tried.row, secrets, &request, &context).await {
            Ok(found) => Ok(found.items),
            // With these settings it does not even open, and says at which it stumbled.
            Err(error) if error.code == Code::InvalidArgument && !error.fields.is_empty() => {
                let of = |field: psa_host_api::error::FieldError| {
                    let key = field.at.rsplit('/').next().unwrap_or_default().to_owned();
                    error_at(super::settings::at(form, &key), &field.code, field.message)
                };
                Ok(error.fields.into_iter().map(of).collect())
            }
            Err(error) if matches!(error.code, Code::Cancelled | Code::Closed) => Err(error),
            Err(error) => Ok(vec![Issue {
                at: String::new(),
                level: IssueLevel::Warning,
                code: "not_validated".to_owned(),
                message: format!("The plugin could not look at these settings: {}", error.message),
                params: BTreeMap::new(),
            }]),
        }
    }
}
