//! What people decide about operations.
//!
//! Promises: each decision names who made it and is an entry of the activity; what is open or ended is left alone.

use super::Outbox;
use crate::store::{Binding, Kind, LinkState, Outcome, Record, State, Step, StoredOperation};
use psa_host_api::{Code, Error};
use serde_json::json;

impl Outbox {
    /// The operation of an id.
    pub(crate) fn operation_of(&self, tenant: &str, operation: &str) -> Result<StoredOperation, Error> {
        self.desk.store.operation(tenant, operation)?.ok_or_else(|| {
            let id: String = operation.chars().take(64).collect();
            Error::new(Code::NotFound, format!("this tenant has no operation \"{id}\"")).because("operation_missing")
        })
    }

    /// Lets what is held go on; it is looked for before it is sent.
    pub(crate) async fn retry(&self, tenant: &str, operation: &str, by: &str) -> Result<StoredOperation, Error> {
        let row = self.held(tenant, operation, "retry")?;
        let record = self.decision(&row, by, "operation.retried")?;
        let mut step = self.decided(&row, State::Queued, by, record);
        // A new life, so that it does not expire at once.
        step.not_after = Some(step.now.saturating_add(self.desk.config.max_age_ms as i64));
        self.take(&row, step).await?;
        self.wake();
        self.operation_of(tenant, operation)
    }

    /// Says which entity at the PSA it is.
    pub(crate) async fn adopt(
        &self,
        tenant: &str,
        operation: &str,
        remote: &str,
        by: &str,
    ) -> Result<StoredOperation, Error> {
        let row = self.held(tenant, operation, "adopt")?;
        if matches!(row.kind, Kind::Status | Kind::Update) {
            let message = "a change of a ticket is no entity of its own; retry or discard the operation";
            return Err(Error::invalid(message).because("nothing_to_adopt"));
        }
        let link = self.desk.store.get_link(tenant, &row.link)?;
        let record = self.decision(&row, by, "operation.adopted")?;
        let mut step = self.decided(&row, State::Delivered, by, record);
        let is_ticket = row.kind == Kind::Ticket;
        let ticket = if is_ticket { Some(remote.to_owned()) } else { link.and_then(|link| link.ticket) };
        let kind = match row.kind {
            Kind::Ticket => "ticket",
            Kind::Time => "time",
            _ => "note",
        };
        step.binding = Some(Binding { kind, remote: remote.to_owned(), ticket });
        step.outcome = Some(Outcome::Adopted);
        step.link = is_ticket.then(|| (LinkState::Linked, Some(remote.to_owned())));
        self.take(&row, step).await?;
        self.wake();
        self.operation_of(tenant, operation)
    }

    /// Drops what is held or queued.
    pub(crate) async fn discard(&self, tenant: &str, operation: &str, by: &str) -> Result<StoredOperation, Error> {
        let row = self.operation_of(tenant, operation)?;
        match (row.state, row.attempt) {
            (State::Held | State::Queued, None) => {}
            (state, _) if state.is_terminal() => return Err(ended(&row)),
            _ => return Err(too_late(&row)),
        }
        let record = self.decision(&row, by, "operation.discarded")?;
        let mut step = self.decided(&row, State::Discarded, by, record);
        step.reason = Some("discarded".to_owned());
        if row.kind == Kind::Ticket {
            step.link = Some((LinkState::Failed, None));
        }
        self.take(&row, step).await?;
        self.wake();
        self.operation_of(tenant, operation)
    }

    fn held(&self, tenant: &str, operation: &str, what: &str) -> Result<StoredOperation, Error> {
        let row = self.operation_of(tenant, operation)?;
        if row.state == State::Held {
            return Ok(row);
        }
        if row.state.is_terminal() {
            return Err(ended(&row));
        }
        let message = format!("only what is held can be given to {what}; this operation is {}", row.state.word());
        Err(Error::new(Code::Conflict, message).because("not_held"))
    }

    fn decision(&self, row: &StoredOperation, by: &str, action: &'static str) -> Result<Record, Error> {
        let body = json!({"operation": row.operation, "connection": row.place.connection, "link": row.link,
            "from": row.state.word(), "reason": row.reason, "by": by});
        self.desk.scribe.both(&row.place, by, action, Some(&row.operation), body)
    }

    fn decided(&self, row: &StoredOperation, to: State, by: &str, record: Record) -> Step {
        let mut step = Step::of(row, to, self.desk.clock.now_unix_ms());
        step.decided_by = Some(by.to_owned());
        step.record = record;
        step
    }

    async fn take(&self, row: &StoredOperation, step: Step) -> Result<(), Error> {
        if self.desk.store.step(step).await? { Ok(()) } else { Err(too_late(row)) }
    }
}

fn ended(row: &StoredOperation) -> Error {
    let message = format!("this operation has ended: it is {}", row.state.word());
    Error::new(Code::Conflict, message).because("ended")
}

fn too_late(row: &StoredOperation) -> Error {
    let state = row.state.word();
    let message = format!("too late: it is {state} and being sent or looked for now. Wait for its outcome");
    Error::new(Code::Conflict, message).because("too_late")
}
