//! The life of a connection.

use super::rules::{
    check_name, check_tenant, credentials_were_why, is_a_persons, rank, secrets_wanted, signed_in, start, stop,
    versions,
};
use super::settings::{bound, checked, known_secrets};
use super::{Connection, ConnectionRoom, connection_missing, report_of};
use crate::plugin::CallContext;
use crate::sealed::seal_secret;
use crate::store::{
    ConnectionState, Dependents, Place, Record, SealedSecret, SecretChanges, StopReason, StoredConnection,
};
use psa_host_api::model::TestReport;
use psa_host_api::ops::{Nothing, TestConnection};
use psa_host_api::{Code, Error};
use secrecy::{ExposeSecret as _, SecretString};
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
pub(crate) struct Update {
    pub(crate) name: Option<String>,
    pub(crate) settings: Option<Map<String, Value>>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

impl ConnectionRoom {
    /// Checks and keeps a new connection. Does not talk to the PSA.
    pub(crate) async fn create(&self, new: NewConnection, actor: &str) -> Result<Connection, Error> {
        check_tenant(&new.tenant)?;
        check_name(new.name.as_deref())?;
        let plugin = self.plugin(&new.plugin)?;
        known_secrets(&plugin.form, &new.secrets)?;
        let settings = checked(&plugin.form, new.settings, &new.secrets, &[])?;
        let place = Place { tenant: new.tenant, connection: self.runtime.new_id("c_") };
        let now = self.runtime.clock.now_unix_ms();
        let stored = StoredConnection {
            place: place.clone(),
            name: new.name.unwrap_or_else(|| plugin.manifest.name.clone()),
            plugin: new.plugin,
            settings,
            settings_version: 1,
            credential_version: 1,
            account: None,
            identity: None,
            state: ConnectionState::Setup,
            reason: None,
            detail: None,
            created: now,
            changed: now,
        };
        let secrets = self.sealed(&stored, &new.secrets, 1)?;
        let body = json!({"connection": place.connection, "plugin": stored.plugin, "name": stored.name});
        let record = self.scribe.both(&place, actor, "connection.created", Some(&place.connection), body)?;
        self.store.insert(stored.clone(), secrets, record).await?;
        self.get(&place)
    }

    /// Seals secrets for a connection with the settings it has now.
    fn sealed(
        &self,
        stored: &StoredConnection,
        secrets: &BTreeMap<String, SecretString>,
        version: i64,
    ) -> Result<Vec<SealedSecret>, Error> {
        let form = &self.plugin(&stored.plugin)?.form;
        let seal = |(name, value): (&String, &SecretString)| {
            let bound = bound(form, name, &stored.settings);
            seal_secret(&self.vault, &stored.place, name, version, bound, value.expose_secret().as_bytes())
        };
        secrets.iter().map(seal).collect()
    }

    /// Changes name and settings. Secrets that would now go elsewhere are not used until they are entered again.
    pub(crate) async fn update(&self, place: &Place, update: Update, actor: &str) -> Result<Connection, Error> {
        check_name(update.name.as_deref())?;
        let before = self.stored(place)?;
        let plugin = self.plugin(&before.plugin)?;
        known_secrets(&plugin.form, &update.secrets)?;
        let kept = self.store.secret_names(place)?;
        let names: Vec<String> = kept.iter().map(|secret| secret.name.clone()).collect();
        let settings = match update.settings {
            Some(settings) => checked(&plugin.form, settings, &update.secrets, &names)?,
            None => before.settings.clone(),
        };
        let moved: Vec<String> = kept
            .iter()
            .filter(|secret| !update.secrets.contains_key(&secret.name))
            .filter(|secret| secret.bound != bound(&plugin.form, &secret.name, &settings))
            .map(|secret| secret.name.clone())
            .collect();
        let version = before.credential_version + 1;
        let after = StoredConnection { settings: settings.clone(), ..before.clone() };
        let changed_settings = settings != before.settings;
        let put = self.sealed(&after, &update.secrets, version)?;
        let secrets = SecretChanges { put, drop_tokens: changed_settings, ..SecretChanges::default() };
        let body = json!({"connection": place.connection, "settings_changed": changed_settings,
            "secrets_entered": update.secrets.keys().collect::<Vec<_>>(), "secrets_wanted": moved});
        let record = self.scribe.both(place, actor, "connection.updated", Some(&place.connection), body)?;
        let (expected, now) = (versions(&before), self.runtime.clock.now_unix_ms());
        let (name, entered) = (update.name, !update.secrets.is_empty());
        let change = Box::new(move |row: &mut StoredConnection| {
            if (row.settings_version, row.credential_version) != expected {
                return false;
            }
            row.name = name.unwrap_or_else(|| row.name.clone());
            if changed_settings {
                row.settings = settings;
                row.settings_version += 1;
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
        if self.store.change(place, change, secrets, record).await?.is_none() {
            return Err(self.changed_meanwhile(place));
        }
        self.forget_cache(place);
        self.get(place)
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
        let before = self.stored(place)?;
        known_secrets(&self.plugin(&before.plugin)?.form, &secrets)?;
        let tried = self.try_run::<TestConnection>(&before, secrets.clone(), &Nothing {}, context).await;
        let report = report_of(tried)?;
        if !report.passed && !force {
            return Ok(report);
        }
        let sealed = self.sealed(&before, &secrets, before.credential_version + 1)?;
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
            (row.account, row.identity) = (None, None);
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
        let secrets = SecretChanges { put: sealed, ..SecretChanges::default() };
        if self.store.change(place, change, secrets, record).await?.is_none() {
            return Err(self.changed_meanwhile(place));
        }
        self.forget_cache(place);
        Ok(report)
    }

    /// Notes the outcome of a test: a connection that passed is in use.
    pub(crate) async fn tested(&self, before: &StoredConnection, report: &TestReport) -> Result<(), Error> {
        if !report.passed {
            return Ok(());
        }
        let place = &before.place;
        let body = json!({"connection": place.connection});
        let starts = before.state == ConnectionState::Setup || credentials_were_why(before.reason);
        let record = if starts {
            self.scribe.both(place, crate::activity::HOST, "connection.active", Some(&place.connection), body)?
        } else {
            Record::default()
        };
        let (report, now, tried) = (report.clone(), self.runtime.clock.now_unix_ms(), versions(before));
        let change = Box::new(move |row: &mut StoredConnection| {
            // It was about other settings or credentials than are there now.
            if versions(row) != tried {
                return false;
            }
            signed_in(row, &report);
            if row.state == ConnectionState::Setup || credentials_were_why(row.reason) {
                start(row);
            }
            row.changed = now;
            true
        });
        self.store.change(place, change, SecretChanges::default(), record).await?;
        Ok(())
    }

    /// Stops a connection. `version`: only if these credentials are still the ones in use.
    pub(crate) async fn stop(
        &self,
        place: &Place,
        reason: StopReason,
        detail: String,
        version: Option<i64>,
        actor: &str,
    ) -> Result<bool, Error> {
        let body = json!({"connection": place.connection, "reason": reason.word(), "detail": detail});
        let record = self.scribe.both(place, actor, "connection.stopped", Some(&place.connection), body)?;
        let now = self.runtime.clock.now_unix_ms();
        let change = Box::new(move |row: &mut StoredConnection| {
            if version.is_some_and(|version| version != row.credential_version) || row.reason == Some(reason) {
                return false;
            }
            if row.reason.is_some_and(|before| rank(reason) <= rank(before)) {
                return false;
            }
            stop(row, reason, detail);
            row.changed = now;
            true
        });
        Ok(self.store.change(place, change, SecretChanges::default(), record).await?.is_some())
    }

    /// Puts a stopped connection back to use.
    pub(crate) async fn resume(&self, place: &Place, actor: &str) -> Result<Connection, Error> {
        let before = self.stored(place)?;
        if before.state != ConnectionState::Stopped {
            return self.get(place);
        }
        if credentials_were_why(before.reason) || before.reason == Some(StopReason::Disabled) {
            let detail = before.detail.unwrap_or_default();
            let message =
                format!("the connection cannot go on like this: {detail} Enter its credentials, then test it");
            return Err(Error::new(Code::Conflict, message).because("credentials_needed"));
        }
        let body = json!({"connection": place.connection});
        let record = self.scribe.both(place, actor, "connection.resumed", Some(&place.connection), body)?;
        let (now, reason) = (self.runtime.clock.now_unix_ms(), before.reason);
        let change = Box::new(move |row: &mut StoredConnection| {
            // It was stopped for something else meanwhile.
            if row.reason != reason {
                return false;
            }
            start(row);
            row.changed = now;
            true
        });
        if self.store.change(place, change, SecretChanges::default(), record).await?.is_none() {
            return Err(self.changed_meanwhile(place));
        }
        self.get(place)
    }

    /// Forgets the credentials; links and history stay.
    pub(crate) async fn disconnect(&self, place: &Place, actor: &str) -> Result<Connection, Error> {
        self.exists(place)?;
        let body = json!({"connection": place.connection});
        let record = self.scribe.both(place, actor, "connection.disconnected", Some(&place.connection), body)?;
        let now = self.runtime.clock.now_unix_ms();
        let change = Box::new(move |row: &mut StoredConnection| {
            stop(row, StopReason::Disabled, "It was disconnected.".to_owned());
            row.credential_version += 1;
            (row.account, row.identity) = (None, None);
            row.changed = now;
            true
        });
        let secrets = SecretChanges { drop_all: true, ..SecretChanges::default() };
        self.store.change(place, change, secrets, record).await?.ok_or_else(|| connection_missing(place))?;
        self.forget_cache(place);
        self.close_instance(place).await;
        self.get(place)
    }

    /// Closes the instances of all connections of a tenant.
    pub(crate) async fn close_tenant(&self, tenant: &str) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = self.store.list(tenant, &after, 100)?;
            let Some(last) = page.last() else { return Ok(()) };
            last.place.connection.clone_into(&mut after);
            for stored in page {
                self.close_instance(&stored.place).await;
                self.forget_cache(&stored.place);
            }
        }
    }

    /// Forgets a connection with all that belongs to it. `waiting` must be the number of operations that have not ended.
    pub(crate) async fn delete(&self, place: &Place, waiting: u64, actor: &str) -> Result<Dependents, Error> {
        self.exists(place)?;
        let dependents = self.store.dependents(place)?;
        if dependents.waiting != waiting {
            let message = format!(
                "{} operations of this connection have not ended and would be lost. Say that number in `waiting`",
                dependents.waiting
            );
            let mut error = Error::new(Code::Conflict, message).because("waiting");
            error.details = serde_json::to_value(dependents).ok();
            return Err(error);
        }
        let body = json!({"connection": place.connection, "dependents": dependents});
        let record = self.scribe.both(place, actor, "connection.deleted", Some(&place.connection), body)?;
        self.store.delete(place, waiting, record).await?;
        self.close_instance(place).await;
        self.forget_cache(place);
        Ok(dependents)
    }
}

impl ConnectionRoom {
    fn forget_cache(&self, place: &Place) {
        self.caches.forget(place.tenant.as_bytes(), &place.connection);
    }

    fn changed_meanwhile(&self, place: &Place) -> Error {
        let Err(gone) = self.exists(place) else {
            let message = "somebody else has changed this connection meanwhile. Read it again and repeat";
            return Error::new(Code::Conflict, message).because("changed_meanwhile");
        };
        gone
    }
}
