//! What is registered at the PSA, kept as it is wanted.
//!
//! Promises: looks before it registers; a row is there before the PSA is asked, so that what it answers to late is known;
//! each step that changes something is noted.

use super::comparison::{Comparison, Doing, Registered, doing, words};
use super::plan::{Action, Known, Plan};
use super::{Callbacks, Leaving, Withdrawn, is_ending, token};
use crate::clock::new_id;
use crate::store::{Cursor, Place, Record, StoredSubscription, SubscriptionState};
use psa_host_api::model::{PageRequest, Subscription, TOKEN, WantedSubscription};
use psa_host_api::ops::{
    CreateSubscription, CreateSubscriptionRequest, DeleteSubscription, DeleteSubscriptionRequest, DesireSubscriptions,
    DesiredSubscriptions, DesiredSubscriptionsRequest, ListSubscriptions, ListSubscriptionsRequest, UpdateSubscription,
    UpdateSubscriptionRequest,
};
use psa_host_api::{Code, Error};
use serde_json::json;
use std::sync::Arc;

/// A list that goes on for ever is not a list.
const PAGES_MAX: usize = 100;
/// Where the id of this database is kept: registrations of its copies are not ours.
const STORE_ID: &str = "store_id";

/// Everything that a plan needs to know.
struct Gathered {
    wanted: DesiredSubscriptions,
    rows: Vec<StoredSubscription>,
    remote: Vec<Subscription>,
    mark: String,
    door: Option<String>,
}

impl Gathered {
    fn plan(&self, callbacks: &Callbacks) -> Plan {
        let known = Known {
            now: callbacks.desk.clock.now_unix_ms(),
            replaced_ms: callbacks.desk.config.replaced_ms as i64,
            mark: &self.mark,
            door: self.door.as_deref(),
            wanted: &self.wanted.items,
            rows: &self.rows,
            remote: &self.remote,
        };
        known.plan()
    }

    fn comparison(&self, plan: &Plan) -> Comparison {
        let row_of = |entry: &Subscription| {
            let hash = token::anywhere(&entry.address).map(token::digest);
            self.rows.iter().find(|row| hash.is_some_and(|hash| hash[..] == row.token_hash))
        };
        let shown = self.remote.iter().filter_map(|entry| {
            let row = row_of(entry);
            let ours = row.is_some() || entry.description.starts_with(&self.mark) || plan.strays.contains(&entry.id);
            ours.then(|| Registered {
                remote: entry.id.clone(),
                subscription: row.map(|row| row.subscription.clone()),
                kind: entry.kind.clone(),
                level: entry.level.clone(),
                object: entry.object.clone(),
                description: entry.description.clone(),
                inactive: entry.inactive,
                updated_by: entry.updated_by.clone(),
                updated_at: entry.updated_at.clone(),
            })
        });
        let doing: Vec<Doing> = plan.actions.iter().map(doing).collect();
        Comparison {
            wanted: self.wanted.items.clone(),
            registered: shown.collect(),
            steps: doing.iter().map(words).collect(),
            doing,
            catalogue: self.wanted.catalogue.clone(),
        }
    }
}

impl Callbacks {
    /// Compares and mends, if it is time.
    pub(super) async fn ensure_due(&self, place: &Place) -> Result<(), Error> {
        let cursor = self.desk.store.cursor(place)?;
        let now = self.desk.clock.now_unix_ms();
        let every = self.desk.config.ensure_ms as i64;
        if cursor.ensure_at > now && cursor.ensure_at <= now.saturating_add(2 * every) {
            return Ok(());
        }
        let outcome = self.ensure(place).await;
        // Without callbacks changes are found by reading: that must go on, whatever is wrong here.
        let wait = match &outcome {
            Err(error) if is_ending(error) => return outcome.map(drop),
            Err(error) if !is_a_persons(error) => {
                let what = "its callbacks could not be compared";
                self.desk.log.warn("host", &format!("connection {place}: {what}: {error}"));
                self.rest_ensuring(place, error)
            }
            outcome => {
                let trouble = outcome.as_ref().err();
                let trouble = trouble.map(|error| format!("Callbacks cannot be registered: {}", error.message));
                self.trouble(place, "subscriptions", trouble, Record::default()).await?;
                self.remember(place, |memory| memory.ensure_failures = 0);
                every
            }
        };
        // Settings may have changed while this went on by the ones before.
        let (began, at) = (cursor.ensure_at, now.saturating_add(wait));
        let next = Box::new(move |cursor: &mut Cursor| {
            let unchanged = cursor.ensure_at == began;
            cursor.ensure_at = if unchanged { at } else { cursor.ensure_at };
            unchanged
        });
        Ok(self.desk.store.change_cursor(place, next).await?)
    }

    async fn ensure_at(&self, place: &Place, at: i64) -> Result<(), Error> {
        let next = Box::new(move |cursor: &mut Cursor| {
            cursor.ensure_at = at;
            true
        });
        Ok(self.desk.store.change_cursor(place, next).await?)
    }

    /// How long it is not compared again, in milliseconds.
    fn rest_ensuring(&self, place: &Place, error: &Error) -> i64 {
        let mut wait = 0;
        self.remember(place, |memory| {
            wait = self.backoff(memory.ensure_failures).max(error.retry_after_ms.unwrap_or(0));
            memory.ensure_failures = memory.ensure_failures.saturating_add(1);
        });
        wait as i64
    }

    /// What is there beside what is wanted; nothing is changed.
    pub(crate) async fn compare(&self, place: &Place) -> Result<Comparison, Error> {
        let gathered = self.gather(place).await?;
        Ok(gathered.comparison(&gathered.plan(self)))
    }

    /// Mends now, also what flaps.
    pub(crate) async fn heal(self: &Arc<Self>, place: &Place, actor: &str) -> Result<Comparison, Error> {
        let alone = self.alone(place).await?;
        let outcome = async {
            for row in self.desk.store.subscriptions(place)? {
                if row.state == SubscriptionState::Flapping {
                    let row = StoredSubscription { state: SubscriptionState::Active, revived: Vec::new(), ..row };
                    self.put(row, actor, "subscription.heal").await?;
                }
            }
            self.ensure(place).await
        };
        let outcome = outcome.await;
        alone.let_go().await;
        outcome
    }

    /// Gives every registration another token; the old ones go on delivering for a while.
    pub(crate) async fn rotate(self: &Arc<Self>, place: &Place, actor: &str) -> Result<Comparison, Error> {
        let alone = self.alone(place).await?;
        let outcome = async {
            for row in self.desk.store.subscriptions(place)? {
                if matches!(row.state, SubscriptionState::Active | SubscriptionState::Flapping) {
                    let row = StoredSubscription { state: SubscriptionState::Replaced, ..row };
                    self.put(row, actor, "subscription.replaced").await?;
                }
            }
            self.ensure(place).await
        };
        let outcome = outcome.await;
        alone.let_go().await;
        outcome
    }

    /// Takes all of ours away, as far as the PSA lets us: before the credentials go. What it keeps leads to a door that
    /// expects nothing. While the answer is held nothing is registered.
    pub(crate) async fn withdraw(self: &Arc<Self>, place: &Place) -> Result<Withdrawn, Error> {
        let alone = self.enter(place).await;
        let mut why = None;
        if let Err(error) = self.take_away(place).await {
            let what = "its callbacks stay registered at the PSA";
            self.desk.log.warn("host", &format!("connection {place}: {what}: {error}"));
            why = Some(error.message);
        }
        let mut left = Vec::new();
        for row in self.desk.store.subscriptions(place)? {
            self.forget(&row).await?;
            left.push(row);
        }
        // What was never registered is not left there.
        left.retain(|row| row.remote.is_some());
        // Who connects again wants them at once.
        self.ensure_at(place, 0).await?;
        Ok(Withdrawn { _alone: alone, left, why })
    }

    /// As where nothing is wanted; one that fails does not keep the others.
    async fn take_away(&self, place: &Place) -> Result<(), Error> {
        let gathered = self.gather_for(place, None).await?;
        let mut outcome = Ok(());
        for action in gathered.plan(self).actions {
            let done = self.carry_out(place, action, &gathered.mark).await;
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Two that mend at once would register twice.
    async fn alone(self: &Arc<Self>, place: &Place) -> Result<Leaving, Error> {
        self.desk.connections.exists(place)?;
        if let Some(alone) = self.enter(place).await
            && self.claim(place).await?
        {
            return Ok(alone);
        }
        let message = "this connection's callbacks are being worked on; repeat it in a moment";
        Err(Error::new(Code::Conflict, message).because("busy"))
    }

    async fn gather(&self, place: &Place) -> Result<Gathered, Error> {
        self.gather_for(place, self.desk.config.pattern()).await
    }

    async fn gather_for(&self, place: &Place, door: Option<String>) -> Result<Gathered, Error> {
        let wanted = match &door {
            Some(address) => {
                let request = DesiredSubscriptionsRequest { address: Some(address.clone()) };
                self.run::<DesireSubscriptions>(place, &request).await?
            }
            None => DesiredSubscriptions::default(),
        };
        let rows = self.desk.store.subscriptions(place)?;
        // Where nothing is wanted and nothing is there, nobody is asked.
        let found =
            if wanted.items.is_empty() && rows.is_empty() { Vec::new() } else { self.registered(place).await? };
        let mut remote = Vec::with_capacity(found.len());
        for entry in found {
            // The same company's list shows what another connection of ours has registered: that is its own matter.
            let row = match token::anywhere(&entry.address) {
                Some(token) => self.desk.store.subscription_of(&token::digest(token))?,
                None => None,
            };
            if row.is_none_or(|row| row.place == *place) {
                remote.push(entry);
            }
        }
        let own = new_id(&*self.desk.random, "st_");
        let store = self.desk.store.found_meta(STORE_ID, &own).await?;
        Ok(Gathered { wanted, rows, remote, mark: format!("psa-bridge {store} "), door })
    }

    async fn registered(&self, place: &Place) -> Result<Vec<Subscription>, Error> {
        let mut all = Vec::new();
        let mut page = PageRequest::default();
        for _ in 0..PAGES_MAX {
            let found = self.run::<ListSubscriptions>(place, &ListSubscriptionsRequest { page }).await?;
            all.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest { cursor: Some(next), limit: None },
                None => return Ok(all),
            }
        }
        Err(Error::new(Code::Unavailable, "the list of registrations has no end").because("endless"))
    }

    async fn ensure(&self, place: &Place) -> Result<Comparison, Error> {
        let gathered = self.gather(place).await?;
        let plan = gathered.plan(self);
        for action in plan.actions.clone() {
            self.carry_out(place, action, &gathered.mark).await?;
        }
        Ok(gathered.comparison(&plan))
    }

    async fn carry_out(&self, place: &Place, action: Action, mark: &str) -> Result<(), Error> {
        let now = self.desk.clock.now_unix_ms();
        match action {
            Action::Create { row, wanted } => self.register(place, row, &wanted, mark).await,
            Action::Adopt { row, remote } => {
                let row = StoredSubscription { remote: Some(remote), state: SubscriptionState::Active, ..row };
                self.put(row, crate::activity::HOST, "subscription.registered").await
            }
            Action::Revive { row, by } => {
                let id = row.remote.clone().unwrap_or_default();
                let request = UpdateSubscriptionRequest { subscription: id, inactive: Some(false) };
                self.run::<UpdateSubscription>(place, &request).await?;
                let mut row = StoredSubscription { disabled_by: by, ..row };
                row.revived.push(now);
                // What is older says nothing about flapping.
                let surplus = row.revived.len().saturating_sub(16);
                row.revived.drain(..surplus);
                self.look_sooner(place, now).await?;
                self.put(row, crate::activity::HOST, "subscription.revived").await
            }
            Action::Flap { row, by } => {
                let row = StoredSubscription { state: SubscriptionState::Flapping, disabled_by: by, ..row };
                self.put(row, crate::activity::HOST, "subscription.flapping").await
            }
            Action::Replace { row } => {
                let row = StoredSubscription { state: SubscriptionState::Replaced, ..row };
                self.put(row, crate::activity::HOST, "subscription.replaced").await
            }
            Action::Remove { row } => self.remove(row).await,
            Action::RemoveStray { remote } => {
                let request = DeleteSubscriptionRequest { subscription: remote };
                self.run::<DeleteSubscription>(place, &request).await.map(drop)
            }
            Action::Forget { row } => self.forget(&row).await,
        }
    }

    async fn register(
        &self,
        place: &Place,
        row: Option<StoredSubscription>,
        wanted: &WantedSubscription,
        mark: &str,
    ) -> Result<(), Error> {
        let now = self.desk.clock.now_unix_ms();
        let token = token::fresh(&*self.desk.random);
        let WantedSubscription { kind, level, object, address } = wanted.clone();
        let fresh = || StoredSubscription {
            place: place.clone(),
            subscription: new_id(&*self.desk.random, "s_"),
            remote: None,
            kind: kind.clone(),
            level: level.clone(),
            object: object.clone(),
            token_hash: Vec::new(),
            state: SubscriptionState::Wanted,
            revived: Vec::new(),
            disabled_by: None,
            heard: None,
            created: now,
            changed: now,
        };
        let token_hash = token::digest(&token).to_vec();
        let row = row.unwrap_or_else(fresh);
        let row =
            StoredSubscription { token_hash, state: SubscriptionState::Wanted, remote: None, changed: now, ..row };
        self.desk.store.put_subscription(row.clone(), Record::default()).await?;
        let request = CreateSubscriptionRequest {
            description: format!("{mark}{}", row.subscription),
            subscription: WantedSubscription { kind, level, object, address: address.replace(TOKEN, &token) },
        };
        let made = self.run::<CreateSubscription>(place, &request).await?;
        let row = StoredSubscription { remote: Some(made.id), state: SubscriptionState::Active, ..row };
        // What has changed while nothing was told.
        self.look_sooner(place, now).await?;
        self.put(row, crate::activity::HOST, "subscription.registered").await
    }

    async fn look_sooner(&self, place: &Place, now: i64) -> Result<(), Error> {
        let sooner = Box::new(move |cursor: &mut Cursor| {
            cursor.poll_at = cursor.poll_at.min(now);
            true
        });
        Ok(self.desk.store.change_cursor(place, sooner).await?)
    }

    async fn put(&self, row: StoredSubscription, actor: &str, what: &'static str) -> Result<(), Error> {
        let row = StoredSubscription { changed: self.desk.clock.now_unix_ms(), ..row };
        let record = self.record(&row, actor, what)?;
        Ok(self.desk.store.put_subscription(row, record).await?)
    }

    fn record(&self, row: &StoredSubscription, actor: &str, what: &'static str) -> Result<Record, Error> {
        let body = json!({
            "connection": row.place.connection, "subscription": row.subscription, "kind": row.kind, "level": row.level,
            "object": row.object, "state": row.state, "disabled_by": row.disabled_by,
        });
        self.desk.scribe.both(&row.place, actor, what, Some(&row.subscription), body)
    }

    async fn remove(&self, row: StoredSubscription) -> Result<(), Error> {
        if let Some(remote) = row.remote.clone() {
            let request = DeleteSubscriptionRequest { subscription: remote };
            self.run::<DeleteSubscription>(&row.place, &request).await?;
        }
        self.forget(&row).await
    }

    async fn forget(&self, row: &StoredSubscription) -> Result<(), Error> {
        let record = self.record(row, crate::activity::HOST, "subscription.removed")?;
        self.desk.store.drop_subscription(&row.place, &row.subscription, record).await?;
        Ok(())
    }
}

/// Errors that go on until a person changes something.
fn is_a_persons(error: &Error) -> bool {
    matches!(error.code, Code::Forbidden | Code::Rejected | Code::InvalidArgument | Code::Unsupported | Code::NotFound)
}
