//! An answer of the store that may come later.
//!
//! Holds: [`Reply`].
//! Promises: what it says is durable when it says so.
//! Leaves to others: who waits how.

use super::StoreError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::oneshot;

/// The outcome of a unit of work; a future. Dropping it does not undo the work.
pub(crate) struct Reply<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Reply<T> {
    /// One that waits for the sender.
    pub(super) fn pending() -> (oneshot::Sender<Result<T, StoreError>>, Reply<T>) {
        let (send, receive) = oneshot::channel();
        (send, Reply(receive))
    }

    /// Waits on this thread, which must not be one that drives futures.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        struct Parked(std::thread::Thread);
        impl Wake for Parked {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Parked(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut reply = self;
        loop {
            match Pin::new(&mut reply).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A writer that is gone has kept nothing of it.
        Pin::new(&mut self.0).poll(context).map(|received| received.unwrap_or(Err(StoreError::Closed)))
    }
}
