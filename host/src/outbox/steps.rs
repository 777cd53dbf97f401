//! The steps of an operation, as values that consume each other.
//!
//! Holds: [`Ready`], [`Sending`], [`Doubtful`].
//! Promises: what may follow what is what `durability.md` lists; a value that is used up cannot be used again; each
//! step is one unit of work that changes nothing if somebody else was first.
//! Leaves to others: deciding (`send`, `recover`), the database's own check of the same table (the schema's trigger).

use super::desk::Desk;
use crate::store::{
    AttemptEnd, Binding, Claim, Conflict, Kind, LaneId, Lease, LinkState, Looked, OpenAttempt, Outcome, Record, State,
    Step, StoreError, StoredOperation, Unless,
};
use psa_host_api::Error;
use serde_json::{Value, json};

/// What is queued, and nothing of it was sent since.
pub(super) struct Ready {
    pub(super) row: StoredOperation,
}

/// An open attempt: only its end ends it.
pub(super) struct Sending {
    pub(super) row: StoredOperation,
    number: i64,
    token: String,
    /// By boottime: when the attempt was on disk, at the latest.
    pub(super) opened_boot_ms: u64,
}

/// What may be in the PSA, in this process's hands.
pub(super) struct Doubtful {
    pub(super) row: StoredOperation,
    token: String,
}

/// How something came to be delivered.
pub(super) struct Delivery {
    pub(super) outcome: Outcome,
    pub(super) binding: Option<Binding>,
    /// Of a creation: the ticket that the link gets.
    pub(super) ticket: Option<String>,
    pub(super) evidence: Option<Value>,
}

impl Delivery {
    pub(super) fn of(outcome: Outcome) -> Delivery {
        Delivery { outcome, binding: None, ticket: None, evidence: None }
    }
}

fn event_of(desk: &Desk, row: &StoredOperation, to: State, reason: Option<&str>, more: Value) -> Record {
    let kind = match to {
        State::Queued => "operation.queued",
        State::InDoubt => "operation.in_doubt",
        State::Held => "operation.held",
        State::Delivered => "operation.delivered",
        State::Refused => "operation.refused",
        State::Discarded => "operation.discarded",
    };
    let mut body = json!({"operation": row.operation, "connection": row.place.connection, "link": row.link,
        "kind": row.kind.word(), "state": to.word(), "reason": reason});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    let mut events = vec![desk.scribe.event(&row.place.tenant, kind, body.clone())];
    if to == State::InDoubt {
        events.push(desk.scribe.event(&row.place.tenant, "lane.blocked", body));
    }
    Record { entries: Vec::new(), events }
}

/// A step to `to` that expects the operation as it was read, and tells the product.
fn step(desk: &Desk, row: &StoredOperation, to: State, reason: Option<&str>, more: Value) -> Step {
    let mut step = Step::of(row, to, desk.clock.now_unix_ms());
    step.reason = reason.map(str::to_owned);
    step.record = event_of(desk, row, to, reason, more);
    step
}

fn delivered(desk: &Desk, row: &StoredOperation, delivery: Delivery) -> Step {
    let remote = delivery.binding.as_ref().map(|binding| binding.remote.clone());
    let more = json!({"outcome": delivery.outcome.word(), "remote": remote});
    let mut step = step(desk, row, State::Delivered, None, more);
    // Sent more than once: a second copy may turn up.
    let sent = row.attempts.max(row.attempt.unwrap_or(0));
    if sent > 1 && !matches!(row.kind, Kind::Status | Kind::Update) {
        step.watch_at = desk.config.watch_ms.first().map(|wait| step.now.saturating_add(*wait as i64));
    }
    step.outcome = Some(delivery.outcome);
    step.evidence = delivery.evidence.map(|evidence| evidence.to_string());
    step.link = delivery.ticket.map(|ticket| (LinkState::Linked, Some(ticket)));
    step.binding = delivery.binding;
    step
}

/// Why a person must look when what was found belongs to something else.
fn taken(conflict: Conflict) -> &'static str {
    if conflict == Conflict::SameLink { "linked_already" } else { "remote_taken" }
}

fn refused(desk: &Desk, row: &StoredOperation, reason: &str, error: Option<&Error>) -> Step {
    let more = json!({"code": error.map(|error| error.code.name()), "message": error.map(|error| &error.message)});
    let mut step = step(desk, row, State::Refused, Some(reason), more);
    step.error = error.map(Error::to_json);
    if row.kind == Kind::Ticket {
        step.link = Some((LinkState::Failed, None));
    }
    step
}

impl Ready {
    /// Opens an attempt. `None`: something that must be so is not so any more.
    pub(super) async fn open(self, desk: &Desk, fence: Option<String>) -> Result<Option<Sending>, StoreError> {
        let lease = desk.lease();
        let opened_boot_ms = desk.clock.boot_ms();
        let open = OpenAttempt {
            lane: LaneId { place: self.row.place.clone(), link: self.row.link.clone() },
            row: (&self.row).into(),
            lease: lease.clone(),
            fence: fence.clone(),
            wanted: self.row.wanted.clone(),
            now: desk.clock.now_unix_ms(),
            living: desk.owners.living(),
        };
        desk.fail_point("before_attempt");
        let number = desk.store.open_attempt(open).await?;
        desk.fail_point("attempt_open");
        Ok(number.map(|number| {
            let row = StoredOperation { attempt: Some(number), attempts: number, fence, ..self.row };
            Sending { row, number, token: lease.token, opened_boot_ms }
        }))
    }

    /// It is there already.
    pub(super) async fn delivered(self, desk: &Desk, delivery: Delivery) -> Result<bool, StoreError> {
        let evidence = delivery.evidence.clone();
        match desk.store.step(delivered(desk, &self.row, delivery)).await {
            Err(StoreError::Conflict(conflict)) => self.held(desk, taken(conflict), evidence).await,
            done => done,
        }
    }

    /// It cannot be sent as it is.
    pub(super) async fn held(self, desk: &Desk, reason: &str, evidence: Option<Value>) -> Result<bool, StoreError> {
        self.held_unless(desk, reason, evidence, None).await
    }

    /// The same, unless what it waits for has come meanwhile.
    pub(super) async fn held_unless(
        self,
        desk: &Desk,
        reason: &str,
        evidence: Option<Value>,
        unless: Option<Unless>,
    ) -> Result<bool, StoreError> {
        let mut step = step(desk, &self.row, State::Held, Some(reason), json!({"evidence": evidence}));
        step.evidence = evidence.map(|evidence| evidence.to_string());
        step.unless = unless;
        desk.store.step(step).await
    }

    /// A rule says no.
    pub(super) async fn refused(self, desk: &Desk, reason: &str, error: Option<&Error>) -> Result<bool, StoreError> {
        desk.store.step(refused(desk, &self.row, reason, error)).await
    }
}

impl Sending {
    fn end(&self, mut step: Step, end: AttemptEnd) -> Step {
        step.attempt = Some(self.number);
        step.token = Some(self.token.clone());
        step.attempt_end = Some(end);
        step
    }

    /// The PSA's answer shows it.
    pub(super) async fn delivered(self, desk: &Desk, delivery: Delivery) -> Result<bool, StoreError> {
        desk.fail_point("answer_before_commit");
        let done = desk.store.step(self.end(delivered(desk, &self.row, delivery), AttemptEnd::Delivered)).await;
        desk.fail_point("answer_committed");
        match done {
            // What it became belongs to something else already: whatever that was, it is not sent again.
            Err(StoreError::Conflict(_)) => self.doubted(desk, None, true).await,
            done => done,
        }
    }

    /// The PSA said no, and meant this operation.
    pub(super) async fn refused(self, desk: &Desk, reason: &str, error: &Error) -> Result<bool, StoreError> {
        desk.store.step(self.end(refused(desk, &self.row, reason, Some(error)), AttemptEnd::Refused)).await
    }

    /// Nothing of it was applied.
    pub(super) async fn back(self, desk: &Desk, error: &Error) -> Result<bool, StoreError> {
        let mut step = step(desk, &self.row, State::Queued, None, Value::Null);
        // Nothing to tell: it waits as before.
        step.record = Record::default();
        step.error = Some(error.to_json());
        desk.store.step(self.end(step, AttemptEnd::Back)).await
    }

    /// Nobody knows.
    pub(super) async fn doubted(
        self,
        desk: &Desk,
        error: Option<&Error>,
        never_resend: bool,
    ) -> Result<bool, StoreError> {
        let more = json!({"message": error.map(|error| &error.message)});
        let mut step = step(desk, &self.row, State::InDoubt, None, more);
        step.error = error.map(Error::to_json);
        step.never_resend = never_resend;
        let boot = desk.clock.boot_ms();
        let done = desk.store.step(self.end(step, AttemptEnd::InDoubt)).await;
        desk.watching().begin(&self.row.operation, (self.row.attempts, self.row.doubts + 1, 0), boot);
        desk.fail_point("doubt_committed");
        done
    }
}

/// An attempt that somebody left open: it leads to a doubt, never to another attempt.
pub(super) async fn orphaned(desk: &Desk, row: StoredOperation) -> Result<bool, StoreError> {
    let Some(token) = claim(desk, &row).await? else { return Ok(false) };
    let mut step = step(desk, &row, State::InDoubt, None, json!({"message": "the process that sent it has ended"}));
    step.token = Some(token);
    step.attempt_end = Some(AttemptEnd::InDoubt);
    step.error = Some(Error::internal("the process that sent it ended before its answer was recorded").to_json());
    let boot = desk.clock.boot_ms();
    let done = desk.store.step(step).await;
    desk.watching().begin(&row.operation, (row.attempts, row.doubts + 1, 0), boot);
    done
}

/// Takes an operation into this process's hands.
async fn claim(desk: &Desk, row: &StoredOperation) -> Result<Option<String>, StoreError> {
    let lease: Lease = desk.lease();
    let token = lease.token.clone();
    let lane = LaneId { place: row.place.clone(), link: row.link.clone() };
    let now = desk.clock.now_unix_ms();
    let claim = Claim { lane, row: row.into(), lease, living: desk.owners.living(), now };
    let mine = desk.store.claim(claim).await?;
    Ok(mine.then_some(token))
}

impl Doubtful {
    /// Takes it over. `None`: another living process has it.
    pub(super) async fn take(desk: &Desk, row: StoredOperation) -> Result<Option<Doubtful>, StoreError> {
        Ok(claim(desk, &row).await?.map(|token| Doubtful { row, token }))
    }

    fn held_by_me(&self, mut step: Step) -> Step {
        step.token = Some(self.token.clone());
        step
    }

    /// A look found it.
    pub(super) async fn delivered(self, desk: &Desk, delivery: Delivery) -> Result<bool, StoreError> {
        let evidence = delivery.evidence.clone();
        match desk.store.step(self.held_by_me(delivered(desk, &self.row, delivery))).await {
            Err(StoreError::Conflict(conflict)) => self.held(desk, taken(conflict), evidence).await,
            done => done,
        }
    }

    /// Nothing of it is there: it may be sent again.
    pub(super) async fn resend(self, desk: &Desk) -> Result<bool, StoreError> {
        let step = step(desk, &self.row, State::Queued, None, Value::Null);
        let done = desk.store.step(self.held_by_me(step)).await;
        desk.fail_point("resend_committed");
        done
    }

    /// It can never be.
    pub(super) async fn refused(self, desk: &Desk, reason: &str) -> Result<bool, StoreError> {
        desk.store.step(self.held_by_me(refused(desk, &self.row, reason, None))).await
    }

    /// A person must look.
    pub(super) async fn held(self, desk: &Desk, reason: &str, evidence: Option<Value>) -> Result<bool, StoreError> {
        let mut step = step(desk, &self.row, State::Held, Some(reason), json!({"evidence": evidence}));
        step.evidence = evidence.map(|evidence| evidence.to_string());
        desk.store.step(self.held_by_me(step)).await
    }

    /// It stays in doubt with this much quiet time at `boot`; the next look is due in `wait_ms`.
    pub(super) async fn waits(
        self,
        desk: &Desk,
        (quiet, boot): (u64, u64),
        empty_at: Option<u64>,
        wait_ms: u64,
    ) -> Result<bool, StoreError> {
        let looked = Looked {
            place: self.row.place.clone(),
            operation: self.row.operation.clone(),
            token: self.token,
            quiet: quiet as i64,
            empty_at: empty_at.map(|quiet| quiet as i64),
            next_at: desk.clock.now_unix_ms().saturating_add(wait_ms as i64),
            evidence: None,
        };
        let done = desk.store.looked(looked).await?;
        if done {
            desk.watching().begin(&self.row.operation, (self.row.attempts, self.row.doubts, quiet as i64), boot);
        }
        Ok(done)
    }
}
