//! The proof: whether a callback comes from the PSA and speaks of this connection.
//!
//! Promises: the plugin judges the bytes as they came; what it cannot tell now waits, and does not hold up reading; what
//! waits too long is unverified, which makes the next look come sooner and nothing else.

use super::receive::seal_place;
use super::{Callbacks, is_ending};
use crate::store::{DirtySource, Judged, NewDirty, Place, WaitingCallback};
use crate::vault::VaultError;
use psa_host_api::Error;
use psa_host_api::model::{CallbackReceipt, ChangeEvent, Verdict};
use psa_host_api::ops::{ReceiveCallback, ReceiveCallbackRequest};

/// Judged in one go.
const BATCH: usize = 100;
/// What could not be proved by then is not proved any more, in milliseconds.
const GIVE_UP_MS: i64 = 24 * 3_600_000;
/// The longest sentence and the longest word of a plugin that are kept, in characters.
const DETAIL_CHARS_MAX: usize = 300;
const WORD_CHARS_MAX: usize = 64;

impl Callbacks {
    /// Judges everything that waited when it began, and is due; what comes meanwhile is gathered for the next round.
    pub(super) async fn prove_all(&self, place: &Place) -> Result<(), Error> {
        let Some(last) = self.desk.store.list_callbacks(place, 0, 1)?.into_iter().next() else { return Ok(()) };
        loop {
            let boot = self.desk.clock.boot_ms();
            if self.is_closing() || self.memory(place).proof_rests_until > boot {
                return Ok(());
            }
            let now = self.desk.clock.now_unix_ms();
            let waiting = self.desk.store.waiting_callbacks(place, now, BATCH)?;
            let waited = waiting.iter().any(|callback| callback.id <= last.id);
            if !waited || !self.claim(place).await? {
                return Ok(());
            }
            self.prove(place, waiting).await?;
        }
    }

    async fn prove(&self, place: &Place, waiting: Vec<WaitingCallback>) -> Result<(), Error> {
        let mut judged = Vec::with_capacity(waiting.len());
        let mut failed = None;
        for callback in waiting {
            match self.ask(place, &callback).await {
                Ok(receipt) => judged.push(self.judgement(place, &callback, receipt)),
                Err(error) if is_ending(&error) => break,
                Err(error) => {
                    let too_late = callback.received.saturating_add(GIVE_UP_MS) <= self.desk.clock.now_unix_ms();
                    if too_late {
                        judged.push(self.judgement(place, &callback, given_up(&error)));
                        continue;
                    }
                    failed = Some((callback.id, error));
                    break;
                }
            }
        }
        if !judged.is_empty() {
            self.remember(place, |memory| memory.proof_failures = 0);
            self.desk.store.judged(judged).await?;
        }
        let Some((id, error)) = failed else { return Ok(()) };
        // The one that failed goes behind the others: if it alone is the reason, they are not held up by it.
        let wait = self.rest_proofs(place, &error);
        let next_at = self.desk.clock.now_unix_ms().saturating_add(wait as i64);
        self.desk.store.judge_later(place, vec![id], clip(&error.message, DETAIL_CHARS_MAX), next_at).await?;
        // Somebody says that something has changed. It is not believed, and it is looked at sooner.
        let now = self.desk.clock.now_unix_ms();
        let sooner = Box::new(move |cursor: &mut crate::store::Cursor| {
            let later = cursor.poll_at > now;
            cursor.poll_at = cursor.poll_at.min(now);
            later
        });
        Ok(self.desk.store.change_cursor(place, sooner).await?)
    }

    async fn ask(&self, place: &Place, callback: &WaitingCallback) -> Result<CallbackReceipt, Error> {
        let id = &callback.subscription.subscription;
        let opened = self.desk.vault.open_sealed(&seal_place(&place.tenant, &place.connection, id), &callback.sealed);
        let text = match opened {
            Ok(text) => text,
            Err(VaultError::Tampered) => return Ok(unreadable()),
            Err(error) => return Err(error.into()),
        };
        let Ok(request) = serde_json::from_slice::<ReceiveCallbackRequest>(&text) else { return Ok(unreadable()) };
        self.run::<ReceiveCallback>(place, &request).await
    }

    fn judgement(&self, place: &Place, callback: &WaitingCallback, receipt: CallbackReceipt) -> Judged {
        let CallbackReceipt { verdict, reason, message, message_id, changes } = receipt;
        let verified = verdict == Verdict::Verified;
        let now = self.desk.clock.now_unix_ms();
        let dirty = changes.into_iter().filter(|_| verified).map(dirty_of).collect();
        Judged {
            place: place.clone(),
            id: callback.id,
            subscription: callback.subscription.subscription.clone(),
            verdict,
            reason: reason.map(|reason| clip(&reason, WORD_CHARS_MAX)),
            detail: message.map(|message| clip(&message, DETAIL_CHARS_MAX)),
            // Only a proved one says which message it is: a forged one must not make the true one a repeat.
            message: message_id.filter(|_| verified).map(|id| clip(&id, WORD_CHARS_MAX * 2)),
            dirty,
            // A burst is one reading, a little later.
            read_at: now.saturating_add(self.desk.config.settle_ms as i64),
            now,
        }
    }

    /// How long no proof is asked for, in milliseconds.
    fn rest_proofs(&self, place: &Place, error: &Error) -> u64 {
        let boot = self.desk.clock.boot_ms();
        let mut wait = 0;
        self.remember(place, |memory| {
            wait = self.backoff(memory.proof_failures).max(error.retry_after_ms.unwrap_or(0));
            memory.proof_failures = memory.proof_failures.saturating_add(1);
            memory.proof_rests_until = boot.saturating_add(wait);
        });
        wait
    }
}

fn dirty_of(change: ChangeEvent) -> NewDirty {
    let ChangeEvent { entity, id, action, by } = change;
    let by = by.map(|by| clip(&by, WORD_CHARS_MAX));
    NewDirty {
        kind: clip(&entity, WORD_CHARS_MAX),
        entity: clip(&id, WORD_CHARS_MAX),
        action,
        by,
        source: DirtySource::Callback,
    }
}

fn given_up(error: &Error) -> CallbackReceipt {
    receipt(Verdict::Unverified, "not_proved_in_time", &format!("It could not be proved within a day: {error}"))
}

fn unreadable() -> CallbackReceipt {
    receipt(Verdict::Unverified, "unreadable", "What was kept of it cannot be read any more.")
}

fn receipt(verdict: Verdict, reason: &str, message: &str) -> CallbackReceipt {
    CallbackReceipt {
        verdict,
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        message_id: None,
        changes: Vec::new(),
    }
}

fn clip(text: &str, max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect()
}
