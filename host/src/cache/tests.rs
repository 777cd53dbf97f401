//! A cache over virtual time, with many readers.

use std::sync::atomic::{AtomicUsize, Ordering};

use psa_host_api::Code;
use tokio::sync::Semaphore;

use super::*;
use crate::clock::VirtualClock;

fn cache() -> (Arc<VirtualClock>, Cache) {
    let clock = VirtualClock::at(1_700_000_000_000);
    (clock.clone(), Cache::new(clock))
}

fn text(value: Option<Bytes>) -> Option<String> {
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

/// Lets the other tasks run until the state is there.
async fn until(cache: &Cache, reached: impl Fn(Statistics) -> bool) {
    for _ in 0..100_000 {
        if reached(cache.statistics()) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never reached: {cache:?}");
}

/// A load that waits for a permit, and counts.
#[derive(Clone)]
struct Psa {
    open: Arc<Semaphore>,
    loads: Arc<AtomicUsize>,
}

impl Psa {
    fn new() -> Psa {
        Psa { open: Arc::new(Semaphore::new(0)), loads: Arc::default() }
    }

    fn answer(&self) {
        self.open.add_permits(1);
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// A reader in its own task.
    fn reader(
        &self,
        cache: &Cache,
        answer: Result<&'static str, Code>,
    ) -> tokio::task::JoinHandle<Result<Bytes, Error>> {
        let (psa, cache) = (self.clone(), cache.clone());
        tokio::spawn(async move {
            let load = || async move {
                psa.loads.fetch_add(1, Ordering::SeqCst);
                psa.open.acquire().await.map_err(|_| Error::internal("closed"))?.forget();
                answer.map(Bytes::from).map_err(|code| Error::new(code, "the PSA said so"))
            };
            cache.get_or_load(Key::ticket("7"), None, load).await
        })
    }
}

#[test]
fn a_value_read_without_pause_still_ends_at_its_time() {
    let (clock, cache) = cache();
    cache.put(Key::ticket("7"), b"v", None);
    for step in 0..30 {
        assert!(cache.get(&Key::ticket("7")).is_some(), "second {step}");
        clock.advance(1_000);
    }
    assert_eq!(cache.get(&Key::ticket("7")), None);
    let Statistics { hits, misses, expired, entries, bytes, .. } = cache.statistics();
    assert_eq!((hits, misses, expired, entries, bytes), (30, 1, 1, 0, 0));
}

#[test]
fn a_look_before_a_load_counts_as_one_read() {
    let (clock, cache) = cache();
    let key = Key::ticket("1");
    assert_eq!(cache.known(&key), None);
    assert_eq!(cache.get(&key), None);
    assert_eq!(cache.statistics().misses, 1);
    cache.put(key.clone(), b"kept", None);
    assert_eq!(text(cache.known(&key)).as_deref(), Some("kept"));
    clock.advance(Limits::of(Kind::Ticket).ttl_ms);
    assert_eq!(cache.known(&key), None);
    assert_eq!(cache.statistics().hits, 1);
}

#[test]
fn the_wall_clock_may_jump_without_ending_or_lengthening_a_life() {
    let (clock, cache) = cache();
    cache.put(Key::ticket("7"), b"v", None);
    clock.jump(3_600_000);
    assert!(cache.get(&Key::ticket("7")).is_some());
    clock.jump(-7_200_000);
    clock.advance(30_000);
    assert_eq!(cache.get(&Key::ticket("7")), None);
}

#[test]
fn each_kind_has_its_own_life() {
    let minute = 60_000;
    for (kind, asked_ms, lives_ms) in [
        (Kind::Catalog, None, 10 * minute),
        (Kind::Members, None, 10 * minute),
        (Kind::Ticket, None, 30_000),
        (Kind::Ticket, Some(5_000), 5_000),
        (Kind::Ticket, Some(10 * minute), 30_000), // cut
        (Kind::Plugin, None, 10 * minute),
        (Kind::Plugin, Some(0), 10 * minute), // 0 is the host's default
        (Kind::Plugin, Some(60 * minute), 60 * minute),
        (Kind::Plugin, Some(u64::MAX), 24 * 60 * minute),
        (Kind::Options, None, 24 * 60 * minute),
        (Kind::Ahead, None, 30_000),
    ] {
        let (clock, cache) = cache();
        let key = Key::new(kind, "e", "r");
        cache.put(key.clone(), b"v", asked_ms);
        clock.advance(lives_ms - 1);
        assert!(cache.get(&key).is_some(), "{kind:?} {asked_ms:?}");
        clock.advance(1);
        assert!(cache.get(&key).is_none(), "{kind:?} {asked_ms:?}");
    }
}

#[test]
fn a_plugin_puts_lists_and_removes_its_own_keys_only() {
    let (clock, cache) = cache();
    for name in ["page/2", "page/1", "other"] {
        cache.put(Key::plugin(name), name.as_bytes(), None);
    }
    cache.put(Key::plugin("page/short"), b"x", Some(1_000));
    cache.put(Key::new(Kind::Catalog, "", "page/catalog"), b"x", None);
    clock.advance(1_000);
    assert_eq!(cache.plugin_keys("page/"), ["page/1", "page/2"]);
    cache.remove(&Key::plugin("page/1"));
    assert_eq!(cache.plugin_keys(""), ["other", "page/2"]);
    assert_eq!(text(cache.get(&Key::plugin("page/2"))).as_deref(), Some("page/2"));
}

#[test]
fn connections_and_tenants_do_not_see_each_other() {
    let caches = Caches::new(VirtualClock::at(0));
    caches.of(b"acme", "c_1").put(Key::ticket("7"), b"acme", None);
    assert_eq!(caches.of(b"acme", "c_2").get(&Key::ticket("7")), None);
    assert_eq!(caches.of(b"umbrella", "c_1").get(&Key::ticket("7")), None);
    let handle = caches.of(b"acme", "c_1");
    assert_eq!(text(handle.get(&Key::ticket("7"))).as_deref(), Some("acme"));
    caches.forget(b"acme", "c_1");
    assert_eq!(handle.get(&Key::ticket("7")), None);
    assert_eq!(caches.of(b"acme", "c_1").get(&Key::ticket("7")), None);
}

#[test]
fn a_full_kind_does_not_push_out_another() {
    let clock = VirtualClock::at(0);
    let limits = |kind| Limits { entries_max: 8, bytes_max: 4_096, ..Limits::of(kind) };
    let cache = Cache::with_limits(clock, limits);
    cache.put(Key::ticket("7"), b"ticket", None);
    for number in 0..100 {
        cache.put(Key::plugin(number.to_string()), &[b'x'; 700], None);
        let Statistics { entries, bytes, .. } = cache.statistics();
        assert!(entries <= 16 && bytes <= 8_192, "{cache:?}");
    }
    assert!(cache.get(&Key::ticket("7")).is_some());
    assert!(cache.statistics().evictions > 80);
}

#[test]
fn values_are_not_printed() {
    let (_, cache) = cache();
    cache.put(Key::plugin("token"), b"s3cret", None);
    assert!(!format!("{cache:?}").contains("s3cret"));
}

#[test]
fn a_sweep_drops_what_nobody_asks_for() {
    let clock = VirtualClock::at(0);
    let caches = Caches::new(clock.clone());
    let cache = caches.of(b"acme", "c_1");
    cache.put(Key::ticket("7"), b"v", None);
    cache.put(Key::plugin("p"), b"v", None);
    clock.advance(30_000);
    assert_eq!(cache.statistics().entries, 2);
    caches.sweep();
    let Statistics { entries, expired, .. } = cache.statistics();
    assert_eq!((entries, expired), (1, 1));
}

#[tokio::test]
async fn a_life_counts_from_the_question_not_from_the_answer() {
    let (clock, cache) = cache();
    let psa = Psa::new();
    let reader = psa.reader(&cache, Ok("v"));
    until(&cache, |statistics| statistics.misses == 1).await;
    clock.advance(20_000);
    psa.answer();
    reader.await.unwrap().unwrap();
    clock.advance(9_999);
    assert!(cache.get(&Key::ticket("7")).is_some());
    clock.advance(1);
    assert_eq!(cache.get(&Key::ticket("7")), None);
}

#[tokio::test]
async fn fifty_readers_cause_one_load() {
    let (_, cache) = cache();
    let psa = Psa::new();
    let readers: Vec<_> = (0..50).map(|_| psa.reader(&cache, Ok("v"))).collect();
    until(&cache, |statistics| statistics.shared == 49).await;
    psa.answer();
    for reader in readers {
        assert_eq!(text(reader.await.unwrap().ok()).as_deref(), Some("v"));
    }
    assert_eq!((psa.loads(), cache.statistics().misses), (1, 1));
    assert!(cache.get(&Key::ticket("7")).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_on_many_threads_all_get_the_value() {
    let (_, cache) = cache();
    let psa = Psa::new();
    psa.answer(); // one permit: a second load would wait for ever
    let readers: Vec<_> = (0..200).map(|_| psa.reader(&cache, Ok("v"))).collect();
    for reader in readers {
        assert!(reader.await.unwrap().is_ok());
    }
    assert_eq!(psa.loads(), 1);
}

#[tokio::test]
async fn a_cancelled_leader_leaves_the_load_to_the_next_reader() {
    let (_, cache) = cache();
    let psa = Psa::new();
    let leader = psa.reader(&cache, Ok("first"));
    until(&cache, |statistics| statistics.misses == 1).await;
    let followers = [psa.reader(&cache, Ok("second")), psa.reader(&cache, Ok("second"))];
    until(&cache, |statistics| statistics.shared == 2).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    until(&cache, |statistics| statistics.misses == 2).await;
    psa.answer();
    for follower in followers {
        assert_eq!(text(follower.await.unwrap().ok()).as_deref(), Some("second"));
    }
    assert_eq!(psa.loads(), 2);
}

#[tokio::test]
async fn a_leader_at_its_own_deadline_harms_no_follower() {
    for code in [Code::Timeout, Code::Cancelled] {
        let (_, cache) = cache();
        let psa = Psa::new();
        let leader = psa.reader(&cache, Err(code));
        until(&cache, |statistics| statistics.misses == 1).await;
        let follower = psa.reader(&cache, Ok("v"));
        until(&cache, |statistics| statistics.shared == 1).await;
        psa.answer();
        assert_eq!(leader.await.unwrap().unwrap_err().code, code);
        psa.answer();
        assert_eq!(text(follower.await.unwrap().ok()).as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn a_cancelled_follower_harms_nobody() {
    let (_, cache) = cache();
    let psa = Psa::new();
    let leader = psa.reader(&cache, Ok("v"));
    until(&cache, |statistics| statistics.misses == 1).await;
    let follower = psa.reader(&cache, Ok("v"));
    until(&cache, |statistics| statistics.shared == 1).await;
    follower.abort();
    psa.answer();
    assert!(leader.await.unwrap().is_ok());
    assert_eq!(psa.loads(), 1);
}

#[tokio::test]
async fn an_error_goes_to_all_that_wait_and_is_not_kept() {
    let (_, cache) = cache();
    let psa = Psa::new();
    let readers = [psa.reader(&cache, Err(Code::Unavailable)), psa.reader(&cache, Ok("never asked"))];
    until(&cache, |statistics| statistics.shared == 1).await;
    psa.answer();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap_err().code, Code::Unavailable);
    }
    assert_eq!((psa.loads(), cache.statistics().entries), (1, 0));
    psa.answer();
    assert_eq!(text(psa.reader(&cache, Ok("later")).await.unwrap().ok()).as_deref(), Some("later"));
}

#[tokio::test]
async fn a_load_begun_before_an_invalidation_does_not_bring_the_old_value_back() {
    type Change = fn(&Cache);
    let changes: [(&str, Change); 5] = [
        ("invalidate", |cache| cache.invalidate(Kind::Ticket, "7")),
        ("invalidate_kind", |cache| cache.invalidate_kind(Kind::Ticket)),
        ("clear", Cache::clear),
        ("remove", |cache| cache.remove(&Key::ticket("7"))),
        ("another ticket", |cache| cache.invalidate(Kind::Ticket, "8")),
    ];
    for (name, change) in changes {
        let (_, cache) = cache();
        let psa = Psa::new();
        let reader = psa.reader(&cache, Ok("old"));
        until(&cache, |statistics| statistics.misses == 1).await;
        change(&cache);
        psa.answer();
        assert_eq!(text(reader.await.unwrap().ok()).as_deref(), Some("old"), "{name}: it asked before");
        assert_eq!(cache.get(&Key::ticket("7")).is_some(), name == "another ticket", "{name}");
        assert_eq!(cache.statistics().overtaken, u64::from(name != "another ticket"), "{name}");
    }
}

#[tokio::test]
async fn a_value_put_during_a_load_is_not_overwritten_by_it() {
    let (_, cache) = cache();
    let psa = Psa::new();
    let reader = psa.reader(&cache, Ok("old"));
    until(&cache, |statistics| statistics.misses == 1).await;
    cache.put(Key::ticket("7"), b"new", None);
    psa.answer();
    reader.await.unwrap().unwrap();
    assert_eq!(text(cache.get(&Key::ticket("7"))).as_deref(), Some("new"));
}

#[tokio::test]
async fn who_asks_after_an_invalidation_does_not_join_the_older_load() {
    let (_, cache) = cache();
    let (before, after) = (Psa::new(), Psa::new());
    let early = before.reader(&cache, Ok("old"));
    until(&cache, |statistics| statistics.misses == 1).await;
    cache.invalidate(Kind::Ticket, "7");
    let late = after.reader(&cache, Ok("new"));
    until(&cache, |statistics| statistics.misses == 2).await;
    before.answer();
    assert_eq!(text(early.await.unwrap().ok()).as_deref(), Some("old"));
    let joined = after.reader(&cache, Ok("never asked")); // the older leader must not have taken the younger flight away
    until(&cache, |statistics| statistics.shared == 1).await;
    after.answer();
    for reader in [late, joined] {
        assert_eq!(text(reader.await.unwrap().ok()).as_deref(), Some("new"));
    }
    assert_eq!(text(cache.get(&Key::ticket("7"))).as_deref(), Some("new"));
}

#[tokio::test]
async fn a_load_that_panics_leaves_the_way_free() {
    let (_, cache) = cache();
    let broken = cache.clone();
    let leader =
        tokio::spawn(async move { broken.get_or_load(Key::ticket("7"), None, || async { panic!("in a test") }).await });
    assert!(leader.await.unwrap_err().is_panic());
    let found = cache.get_or_load(Key::ticket("7"), None, || async { Ok(Bytes::from("v")) }).await;
    assert_eq!(text(found.ok()).as_deref(), Some("v"));
}
