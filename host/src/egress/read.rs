//! Sending a read: repeated while nothing was answered, redirected within its own origin.
//!
//! Holds: [`send`], the backoff, the redirect rules.
//! Promises: at most two repeats per hop, each after a jittered wait, none past the deadline and none after an HTTP
//! status; at most three redirects, never to another scheme, host or port.
//! Leaves to others: one exchange (`exchange`).

use super::answer::Answer;
use super::exchange::Exchange;
use super::failure::{Failure, Trouble};
use super::request::{Kind, origin_of};
use super::witness::{Witness, WitnessState};
use super::{Ends, Inner, Prepared, fill};
use psa_host_api::Code;
use reqwest::Method;
use std::sync::Arc;
use url::Url;

const REPEATS_MAX: u32 = 2;
const REDIRECTS_MAX: u32 = 3;
/// Doubled for each repeat; half of it is chance.
const BACKOFF_MS: u64 = 250;

pub(super) async fn send(prepared: &Prepared, ends: &mut Ends) -> Result<Answer, Failure> {
    let deadline = prepared.deadline();
    let mut url = prepared.plan.url.clone();
    for _ in 0..=REDIRECTS_MAX {
        let answer = hop(prepared, &url, deadline, ends).await?;
        match redirect(prepared, &url, &answer)? {
            Some(next) => url = next,
            None => return Ok(answer),
        }
    }
    let what = format!("it redirects more than {REDIRECTS_MAX} times. Check the address of the PSA.");
    Err(failed(prepared, Trouble::new(Code::Unavailable, "egress_redirect", what)))
}

/// One address, up to three tries.
async fn hop(prepared: &Prepared, url: &Url, deadline: u64, ends: &mut Ends) -> Result<Answer, Failure> {
    let Prepared { inner, plan, secrets, .. } = prepared;
    let mut repeats = 0;
    loop {
        let filled = fill::fill(plan, &**secrets)?;
        let of_try = Learn { whole: &prepared.witness, of_try: Arc::default() };
        let exchange = Exchange { inner, client: &inner.clients.read, plan, url, deadline, witness: &of_try.of_try };
        let trouble = match exchange.run(filled, ends).await {
            Ok(answer) => return Ok(answer),
            Err(trouble) => trouble,
        };
        let wait = backoff_ms(inner, repeats);
        let in_time = inner.clock.boot_ms().saturating_add(wait) < deadline;
        let state = of_try.of_try.state();
        drop(of_try);
        if repeats == REPEATS_MAX || !in_time || !may_repeat(plan.kind, &trouble, state) {
            return Err(failed(prepared, trouble));
        }
        repeats += 1;
        inner.clock.sleep(wait).await;
    }
}

/// Passes on what a try's witness saw, also when the future is dropped.
struct Learn<'a> {
    whole: &'a Witness,
    of_try: Arc<Witness>,
}

impl Drop for Learn<'_> {
    fn drop(&mut self) {
        self.whole.learn(self.of_try.seal());
    }
}

/// Only what never reached an answer; a token request only if it cannot have arrived, because a token for renewal
/// may be good for one use.
fn may_repeat(kind: Kind, trouble: &Trouble, state: WitnessState) -> bool {
    match (trouble.reason, state) {
        (_, WitnessState::Answered(_)) => false,
        ("egress_connect" | "egress_reset", WitnessState::NotSent) => true,
        ("egress_reset", WitnessState::InDoubt) => kind != Kind::Auth,
        _ => false,
    }
}

fn backoff_ms(inner: &Inner, repeats: u32) -> u64 {
    let mut chance = [0; 2];
    inner.random.fill(&mut chance);
    let full = BACKOFF_MS << repeats;
    full / 2 + full / 2 * u64::from(u16::from_le_bytes(chance)) / u64::from(u16::MAX)
}

/// Where to go next; None: this is the answer.
fn redirect(prepared: &Prepared, from: &Url, answer: &Answer) -> Result<Option<Url>, Failure> {
    let as_it_was = matches!(answer.status, 307 | 308);
    let as_get = matches!(answer.status, 301..=303) && matches!(prepared.plan.method, Method::GET | Method::HEAD);
    let Some(location) = answer.header("location").filter(|_| as_it_was || as_get) else { return Ok(None) };
    let refused = |what: String| failed(prepared, Trouble::new(Code::Forbidden, "egress_redirect", what));
    let Ok(mut to) = from.join(location) else {
        return Err(refused("it redirects to something that is no address.".into()));
    };
    let same = to.scheme() == from.scheme()
        && to.host() == from.host()
        && to.port_or_known_default() == from.port_or_known_default();
    if !same || !to.username().is_empty() || to.password().is_some() {
        let what = format!(
            "it redirects to {}://{}, another address. If that is the PSA, enter it in the settings.",
            to.scheme(),
            origin_of(&to)
        );
        return Err(refused(what));
    }
    to.set_fragment(None);
    Ok(Some(to))
}

fn failed(prepared: &Prepared, trouble: Trouble) -> Failure {
    trouble.of(&prepared.plan.origin(), false, prepared.witness.state())
}
