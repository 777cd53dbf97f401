//! The life of a connection: tested, stopped, resumed, disconnected, deleted.

use super::rules::{credentials_were_why, rank, signed_in, start, stop, versions};
use super::{Connection, ConnectionRoom, connection_missing};
use crate::store::{ConnectionState, Dependents, Place, Record, SecretChanges, StopReason, StoredConnection};
use psa_host_api::model::TestReport;
use psa_host_api::{Code, Error};
use serde_json::json;

impl ConnectionRoom {
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
            return self.get(place).await;
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
        self.get(place).await
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
            // Which account it was stays known: its links are of that one, and no other may take its place.
            row.identity = None;
            row.changed = now;
            true
        });
        let secrets = SecretChanges { drop_all: true, ..SecretChanges::default() };
        self.store.change(place, change, secrets, record).await?.ok_or_else(|| connection_missing(place))?;
        self.forget_cache(place);
        self.close_instance(place).await;
        self.get(place).await
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
    pub(super) fn forget_cache(&self, place: &Place) {
        self.caches.forget(place.tenant.as_bytes(), &place.connection);
        self.choices.forget(place.tenant.as_bytes(), &place.connection);
    }

    pub(super) fn changed_meanwhile(&self, place: &Place) -> Error {
        let Err(gone) = self.exists(place) else {
            let message = "somebody else has changed this connection meanwhile. Read it again and repeat";
            return Error::new(Code::Conflict, message).because("changed_meanwhile");
        };
        gone
    }
}
