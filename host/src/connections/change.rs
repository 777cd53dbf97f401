//! What a connection is made of, when it is made and when it is changed.
//!
//! Promises: nothing is kept that the form refuses; a secret is kept with who entered it and with where it may go; who
//! has read an older revision overwrites nothing.
//! Leaves to others: what is asked of settings (`settings`), trying them (`trial`).

use super::rules::{
    check_name, check_tenant, credentials_were_why, is_a_persons, secrets_wanted, signed_in, start, stop, versions,
};
use super::settings::{
    bound, changes, error_at, issues_of, issues_of_fixed, issues_of_kept, issues_of_secrets, refuse, to_keep,
};
use super::{Connection, ConnectionRoom, report_of};
use crate::plugin::{CallContext, Plugin};
use crate::sealed::{NewSecret, TriedSecrets, seal_secret};
use crate::store::{ConnectionState, Place, SealedSecret, SecretChanges, StopReason, StoredConnection};
use psa_host_api::form::{Form, Moment};
use psa_host_api::model::{SettingsIssue, TestReport};
use psa_host_api::ops::{Nothing, TestConnection};
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is needed for a new one.
pub(crate) struct NewConnection {
    pub(crate) tenant: String,
    pub(crate) plugin: String,
    pub(crate) name: Option<String>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

/// What is to change.
#[derive(Default)]
pub(crate) struct Update {
    pub(crate) name: Option<String>,
    pub(crate) settings: Option<Map<String, Value>>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    /// Secrets to take away.
    pub(crate) clear: Vec<String>,
    /// The revision that was read; absent: whatever is there.
    pub(crate) rev: Option<i64>,
    /// Secrets that would be for something else must be entered again before anything is kept.
    pub(crate) strict: bool,
}

impl ConnectionRoom {
    /// Checks and keeps a new connection. Does not talk to the PSA.
    pub(crate) async fn create(&self, new: NewConnection, actor: &str) -> Result<Connection, Error> {
        check_tenant(&new.tenant)?;
        check_name(new.name.as_deref())?;
        let plugin = self.plugin(&new.plugin)?;
        let form = &plugin.form;
        let settings = self.prefilled(form, &new.settings);
        let mut secrets = new.secrets;
        let mut issues = issues_of_secrets(form, &settings, &secrets);
        let names: Vec<&str> = secrets.keys().map(String::as_str).filter(|name| form.is_secret(name)).collect();
        issues.extend(issues_of(form, &settings, &names, Moment::Creation));
        refuse(issues)?;
        let made = self.made_secrets(form, &settings, &secrets);
        secrets.extend(made.iter().map(|(name, value)| (name.clone(), SecretString::from(value.clone()))));
        let place = Place { tenant: new.tenant, connection: self.runtime.new_id("c_") };
        let now = self.runtime.clock.now_unix_ms();
        let stored = StoredConnection {
            place: place.clone(),
            name: new.name.unwrap_or_else(|| plugin.manifest.name.clone()),
            plugin: new.plugin,
            settings: to_keep(form, &settings, &Map::new()),
            settings_version: 1,
            credential_version: 1,
            form_version: form.definition().settings_version,
            plugin_version: plugin.manifest.version.clone(),
            account: None,
            identity: None,
            state: ConnectionState::Setup,
            reason: None,
            detail: None,
            created: now,
            changed: now,
        };
        let secrets = self.sealed(&stored, &secrets, 1, actor)?;
        let body = json!({"connection": place.connection, "plugin": stored.plugin, "name": stored.name});
        let record = self.scribe.both(&place, actor, "connection.created", Some(&place.connection), body)?;
        self.store.insert(stored.clone(), secrets, record).await?;
        Ok(Connection { made, ..self.get(&place).await? })
    }

    /// Settings of a new connection: as given, then as the host's configuration says, then as the form does.
    pub(super) fn prefilled(&self, form: &Form, settings: &Map<String, Value>) -> Map<String, Value> {
        let mut settings = settings.clone();
        for field in &form.definition().fields {
            let from = field.default_from.as_deref().and_then(|from| from.strip_prefix("host:"));
            if let Some(default) = from.and_then(|from| self.form_defaults.get(from)) {
                settings.entry(field.key.clone()).or_insert_with(|| json!(default));
            }
        }
        form.normalised(&form.apply_defaults(&settings))
    }

    /// Secrets that the form wants the host to make and that were not given. Told once, to who asked for the connection.
    fn made_secrets(
        &self,
        form: &Form,
        settings: &Map<String, Value>,
        given: &BTreeMap<String, SecretString>,
    ) -> BTreeMap<String, String> {
        let visible = form.visible(settings);
        let wanted = form.secrets().filter(|name| form.makes(name) && visible.contains(name));
        let wanted = wanted.filter(|name| !given.contains_key(*name));
        let made = |name: &str| {
            let mut bytes = [0; 32];
            self.runtime.random.fill(&mut bytes);
            (name.to_owned(), crate::clock::hex(&bytes))
        };
        wanted.map(made).collect()
    }

    /// Seals secrets for a connection with the settings it has now.
    fn sealed(
        &self,
        stored: &StoredConnection,
        secrets: &BTreeMap<String, SecretString>,
        version: i64,
        actor: &str,
    ) -> Result<Vec<SealedSecret>, Error> {
        let form = &self.plugin(&stored.plugin)?.form;
        let entered = (self.runtime.clock.now_unix_ms(), actor);
        let seal = |(name, value): (&String, &SecretString)| {
            let bound = bound(form, name, &stored.settings);
            seal_secret(&self.vault, &stored.place, NewSecret { name, version, bound, value, entered })
        };
        secrets.iter().map(seal).collect()
    }

    /// Changes name, settings and secrets. Secrets that would now go elsewhere are not used until they are entered again.
    pub(crate) async fn update(&self, place: &Place, update: Update, actor: &str) -> Result<Connection, Error> {
        check_name(update.name.as_deref())?;
        let before = self.current(place).await?;
        let plugin = self.plugin(&before.plugin)?;
        self.check_form(&plugin, &before)?;
        if update.rev.is_some_and(|rev| rev != revision(&before)) {
            return Err(self.changed_meanwhile(place));
        }
        let kept = self.store.secret_names(place)?;
        let secrets = Secrets::of(&plugin, &update, &kept)?;
        let settings = self.checked(&plugin, &before, &update, &secrets)?;
        let form = &plugin.form;
        let visible = form.visible(&settings);
        let moved: Vec<String> = kept
            .iter()
            .filter(|secret| secrets.kept.contains(&secret.name) && visible.contains(secret.name.as_str()))
            .filter(|secret| secret.bound != bound(form, &secret.name, &settings))
            .map(|secret| secret.name.clone())
            .collect();
        let version = before.credential_version + 1;
        let after = StoredConnection { settings: settings.clone(), ..before.clone() };
        let changed_settings = settings != before.settings;
        let put = self.sealed(&after, &update.secrets, version, actor)?;
        let prints: Map<String, Value> =
            put.iter().map(|secret| (secret.name.clone(), json!(secret.entered.fingerprint))).collect();
        let body = json!({"connection": place.connection, "settings_changed": changed_settings,
            "settings": changes(form, &before.settings, &settings), "secrets_entered": prints.keys().collect::<Vec<_>>(),
            "fingerprints": prints, "secrets_cleared": secrets.cleared, "secrets_wanted": moved});
        let entered = !put.is_empty() || !secrets.cleared.is_empty();
        let changes =
            SecretChanges { put, remove: secrets.cleared, drop_tokens: changed_settings, ..SecretChanges::default() };
        let record = self.scribe.both(place, actor, "connection.updated", Some(&place.connection), body)?;
        let (expected, now) = (versions(&before), self.runtime.clock.now_unix_ms());
        let (name, plugin_version) = (update.name, plugin.manifest.version.clone());
        let change = Box::new(move |row: &mut StoredConnection| {
            if versions(row) != expected {
                return false;
            }
            row.name = name.unwrap_or_else(|| row.name.clone());
            if changed_settings {
                row.settings = settings;
                row.settings_version += 1;
                row.plugin_version = plugin_version;
            }
            if entered {
                row.credential_version += 1;
            }
            if changed_settings || entered {
                // It may be another account now: who we are there is known again after a test.
                (row.account, row.identity) = (None, None);
                if !is_a_persons(row.reason) {
                    row.state = ConnectionState::Setup;
                    (row.reason, row.detail) = (None, None);
                }
            }
            if !moved.is_empty() && !is_a_persons(row.reason) {
                stop(row, StopReason::Settings, secrets_wanted(&moved));
            }
            row.changed = now;
            true
        });
        if self.store.change(place, change, changes, record).await?.is_none() {
            return Err(self.changed_meanwhile(place));
        }
        self.forget_cache(place);
        self.get(place).await
    }

    /// The settings to keep, or all that is wrong with the change.
    fn checked(
        &self,
        plugin: &Plugin,
        before: &StoredConnection,
        update: &Update,
        secrets: &Secrets,
    ) -> Result<Map<String, Value>, Error> {
        let form = &plugin.form;
        let Some(settings) = &update.settings else {
            refuse(issues_of_secrets(form, &before.settings, &update.secrets))?;
            return Ok(before.settings.clone());
        };
        let settings = form.normalised(settings);
        let mut issues = issues_of_secrets(form, &settings, &update.secrets);
        let there: Vec<&str> = secrets.there(&update.secrets).filter(|name| form.is_secret(name)).collect();
        let known = form.declared(&before.settings);
        issues.extend(issues_of(form, &settings, &there, Moment::Change(&known)));
        issues.extend(issues_of_fixed(form, &known, &settings));
        if update.strict {
            let kept: Vec<&str> = secrets.kept.iter().map(String::as_str).collect();
            issues.extend(issues_of_kept(form, &known, &settings, &kept));
        }
        refuse(issues)?;
        Ok(to_keep(form, &settings, &before.settings))
    }

    /// Tries new credentials, and keeps them if they work, or if told to anyway.
    pub(crate) async fn update_credentials(
        &self,
        place: &Place,
        secrets: BTreeMap<String, SecretString>,
        force: bool,
        actor: &str,
        context: &CallContext,
    ) -> Result<TestReport, Error> {
        let before = self.current(place).await?;
        let plugin = self.plugin(&before.plugin)?;
        self.check_form(&plugin, &before)?;
        refuse(issues_of_secrets(&plugin.form, &before.settings, &secrets))?;
        let rivals: Vec<String> = secrets.keys().flat_map(|name| plugin.form.rivals(name)).map(str::to_owned).collect();
        let tried = TriedSecrets { given: secrets.clone(), without: rivals.iter().cloned().collect() };
        let report = report_of(self.try_run::<TestConnection>(&before, tried, &Nothing {}, context).await)?;
        if !report.passed && !force {
            return Ok(report);
        }
        if let (Some(known), Some(now)) = (&before.account, &report.account)
            && *known != now.key
        {
            // What waits is meant for tickets of that account: sent to another one it would reach strangers.
            let message = format!(
                "These credentials are those of another account, {}. Enter the ones of the account that was connected, or \
                 make a connection of its own for the other one",
                now.label
            );
            return Err(Error::new(Code::Conflict, message).because("wrong_account"));
        }
        let sealed = self.sealed(&before, &secrets, before.credential_version + 1, actor)?;
        let body = json!({"connection": place.connection, "secrets": secrets.keys().collect::<Vec<_>>(),
            "tested": report.passed});
        let record = self.scribe.both(place, actor, "connection.credentials", Some(&place.connection), body)?;
        let (passed, now, tried) = (report.clone(), self.runtime.clock.now_unix_ms(), versions(&before));
        let change = Box::new(move |row: &mut StoredConnection| {
            // What was tried were these secrets with those settings.
            if versions(row) != tried {
                return false;
            }
            row.credential_version += 1;
            row.changed = now;
            // Until a test has passed nothing is known of them; which account it is stays known.
            row.identity = None;
            let by_credentials = row.reason.is_none() || credentials_were_why(row.reason);
            let free = by_credentials || row.reason == Some(StopReason::Disabled);
            if passed.passed {
                signed_in(row, &passed);
            }
            if free {
                start(row);
            }
            true
        });
        let secrets = SecretChanges { put: sealed, remove: rivals, ..SecretChanges::default() };
        if self.store.change(place, change, secrets, record).await?.is_none() {
            return Err(self.changed_meanwhile(place));
        }
        self.forget_cache(place);
        Ok(report)
    }
}

/// Counts changes of settings and of credentials: who has read another number has read something else.
pub(super) fn revision(row: &StoredConnection) -> i64 {
    row.settings_version + row.credential_version
}

/// What becomes of the stored secrets of a form.
struct Secrets {
    /// They stay as they are.
    kept: Vec<String>,
    /// They go: because they are told to, or because another one of their group comes.
    cleared: Vec<String>,
}

impl Secrets {
    fn of(plugin: &Plugin, update: &Update, stored: &[SealedSecret]) -> Result<Secrets, Error> {
        let form = &plugin.form;
        let mut issues: Vec<SettingsIssue> = Vec::new();
        for name in &update.clear {
            let at = format!("/clear/{name}");
            if !form.is_secret(name) {
                issues.push(error_at(at, "unknown_field", format!("the form has no secret \"{name}\"")));
            } else if update.secrets.contains_key(name) {
                issues.push(error_at(at, "secret", "cannot be taken away and entered at once"));
            } else if !form.is_clearable(name) {
                issues.push(error_at(at, "required", "is needed; enter another one in its place"));
            }
        }
        refuse(issues)?;
        let rivals: Vec<&str> = update.secrets.keys().flat_map(|name| form.rivals(name)).collect();
        let goes = |name: &str| update.clear.iter().any(|clear| clear == name) || rivals.contains(&name);
        let others = stored.iter().map(|secret| &secret.name).filter(|name| !update.secrets.contains_key(*name));
        let (cleared, kept) = others.cloned().partition(|name| goes(name));
        Ok(Secrets { kept, cleared })
    }

    /// The names of those that are there afterwards.
    fn there<'a>(&'a self, entered: &'a BTreeMap<String, SecretString>) -> impl Iterator<Item = &'a str> {
        self.kept.iter().chain(entered.keys()).map(String::as_str)
    }
}
