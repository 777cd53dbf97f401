//! The one thread that writes.
//!
//! Holds: [`Writer`]: units of work in, group commits out.
//! Promises: a unit is kept whole or not at all, and its reply comes after the commit; what fails takes no other unit
//! of its group with it; a process that a newer library has overtaken writes nothing.
//! Leaves to others: what the units do.

use super::{WRITER, mapped};
use crate::store::{Reply, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Units in one commit at most.
const GROUP_MAX: usize = 256;

/// Takes units of work. Cheap to share.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Box<dyn Unit>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    trouble: Arc<Mutex<Option<StoreError>>>,
}

trait Unit: Send {
    fn run(&mut self, transaction: &mut Transaction<'_>);
    /// What went wrong in it, if that is about the database and not about the unit.
    fn trouble(&self) -> Option<StoreError>;
    fn end(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    send: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F> Unit for Work<T, F>
where
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) {
        let Some(work) = self.work.take() else { return };
        let inside = || {
            let savepoint = transaction.savepoint().map_err(mapped)?;
            let result = work(&savepoint);
            match result {
                Ok(value) => savepoint.commit().map_err(mapped).map(|()| value),
                // Dropping it rolls back to where it began.
                Err(error) => Err(error),
            }
        };
        self.result = Some(inside());
    }

    fn trouble(&self) -> Option<StoreError> {
        let error = self.result.as_ref()?.as_ref().err()?;
        (!matches!(error, StoreError::Conflict(_))).then(|| error.clone())
    }

    fn end(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        let _ = self.send.send(result);
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Writer, StoreError> {
        let (jobs, queue) = channel();
        let trouble: Arc<Mutex<Option<StoreError>>> = Arc::default();
        let told = trouble.clone();
        let thread = std::thread::Builder::new()
            .name("psa-store".to_owned())
            .spawn(move || {
                crate::plugin::block_signals();
                write(connection, &queue, &told);
            })
            .map_err(|error| StoreError::Other(format!("its thread could not be started: {error}")))?;
        Ok(Writer { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)), trouble })
    }

    /// Hands in a unit of work.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<T> {
        let (send, reply) = Reply::pending();
        let unit = Box::new(Work { work: Some(work), result: None, send });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match &*jobs {
            Some(jobs) => drop(jobs.send(unit)),
            None => unit.end(Err(StoreError::Closed)),
        }
        reply
    }

    /// Why the last write failed, until one has worked again.
    pub(super) fn trouble(&self) -> Option<StoreError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread, after all that was handed in.
    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn write(mut connection: Connection, queue: &Receiver<Box<dyn Unit>>, trouble: &Mutex<Option<StoreError>>) {
    while let Ok(first) = queue.recv() {
        let mut units = Vec::with_capacity(8);
        let outcome = group(&mut connection, first, queue, &mut units);
        let found = outcome.as_ref().err().cloned().or_else(|| units.iter().find_map(|unit| unit.trouble()));
        *trouble.lock().unwrap_or_else(PoisonError::into_inner) = found;
        for unit in units {
            unit.end(outcome.clone());
        }
    }
}

/// One transaction with all that is there.
fn group(
    connection: &mut Connection,
    first: Box<dyn Unit>,
    queue: &Receiver<Box<dyn Unit>>,
    units: &mut Vec<Box<dyn Unit>>,
) -> Result<(), StoreError> {
    units.push(first);
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(mapped)?;
    check_writer(&transaction)?;
    let mut next = 0;
    while let Some(unit) = units.get_mut(next) {
        unit.run(&mut transaction);
        if transaction.is_autocommit() {
            // A full disk within a statement takes the whole transaction back: nothing of this group was kept, and
            // what is left of it must not run outside of one.
            return Err(unit.trouble().unwrap_or(StoreError::Full));
        }
        next += 1;
        if units.len() < GROUP_MAX {
            units.extend(queue.try_recv());
        }
    }
    transaction.commit().map_err(mapped)
}

/// An old process must not write into what it does not understand any more.
fn check_writer(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(super::meta::MIN_WRITER).map_err(mapped)?;
    let least: i64 = statement.query_row([], |row| row.get(0)).map_err(mapped)?;
    if least > WRITER { Err(StoreError::Newer) } else { Ok(()) }
}
