//! Waiting for a method: on a thread of the product, or on one of ours.
//!
//! Not the runtime's own `block_on`: that one refuses to work on a thread of another runtime, and a product may have
//! one.

use psa_host_api::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How often the caller is asked whether it still wants to wait.
const TICK: Duration = Duration::from_millis(50);

/// How often a caller looks whether it is woken before it sleeps: some microseconds.
const LOOKS: u32 = 500;

struct Waiting {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Waiting {
    /// Waits to be woken, or for a tick. An answer that needs no network is there sooner than a thread falls asleep.
    fn wait(&self) {
        let woken = (0..LOOKS).any(|_| {
            std::hint::spin_loop();
            self.woken.load(Ordering::Acquire)
        });
        if !woken {
            std::thread::park_timeout(TICK);
        }
        // Who polls after this sees whatever a wake in between was about.
        self.woken.store(false, Ordering::Release);
    }
}

/// A panic of ours must still end the call it belongs to.
pub(super) async fn caught<T>(
    mut answer: Pin<Box<dyn Future<Output = Result<T, Error>> + Send + '_>>,
) -> Result<T, Error> {
    let polled = std::future::poll_fn(|context| {
        let poll = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        poll.unwrap_or_else(|_| {
            Poll::Ready(Err(
                Error::internal("the method panicked; this is a defect of the host").because("host_panicked")
            ))
        })
    });
    polled.await
}

/// Waits for a future.
pub(super) fn wait<T>(future: impl Future<Output = T> + Send) -> T {
    on(Box::pin(future), || {})
}

/// Waits for `future`; `tick` runs about every 50 ms meanwhile.
pub(super) fn on<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>, mut tick: impl FnMut()) -> T {
    let waiting = Arc::new(Waiting { thread: std::thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(waiting.clone());
    let mut context = Context::from_waker(&waker);
    let mut asked = Instant::now();
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        waiting.wait();
        if asked.elapsed() >= TICK {
            tick();
            asked = Instant::now();
        }
    }
}
