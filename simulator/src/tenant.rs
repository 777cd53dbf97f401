//! Companies that share a host: on the vendor's cloud thousands do. Source: facts 11.7, "bind to the tenant".
//!
//! Holds: what belongs to one company, and the way to work as one of them.
//! Promises: nothing of a company is seen or changed by the keys of another; the data of the first one does not depend
//! on its neighbours.

use crate::callbacks::registry::Registry;
use crate::connectwise::State;
use crate::world::{Account, World};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Who else is there.
const NEIGHBOURS: [&str; 2] = ["contoso", "fabrikam"];
/// They are small.
const TICKETS: usize = 5;

/// A company that is not the one being worked for.
pub(crate) struct Tenant {
    pub(crate) account: Account,
    state: State,
    pub(crate) registry: Registry,
}

/// The neighbours at the start.
pub(crate) fn neighbours(seed: u64, now: Timestamp, client_id: &str) -> Vec<Tenant> {
    let of = |(number, company): (usize, &&str)| {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number as u64 + 1));
        let account = Account::new(company, client_id, &mut random);
        let state = State::seeded(&mut random, (TICKETS, 0), now);
        Tenant { account, state, registry: Registry::seeded(&mut random) }
    };
    NEIGHBOURS.iter().enumerate().map(of).collect()
}

impl World {
    /// Works as the company of this name, which is matched in any case as at the login. `None`: there is none.
    pub(crate) fn as_company<T>(&mut self, company: &str, work: impl FnOnce(&mut World) -> T) -> Option<T> {
        if company.eq_ignore_ascii_case(&self.account.company) {
            return Some(work(self));
        }
        let named = |tenant: &Tenant| tenant.account.company.eq_ignore_ascii_case(company);
        let position = self.neighbours.iter().position(named)?;
        self.swap(position);
        let done = work(self);
        self.swap(position);
        Some(done)
    }

    fn swap(&mut self, position: usize) {
        let Some(tenant) = self.neighbours.get_mut(position) else { return };
        std::mem::swap(&mut self.account, &mut tenant.account);
        std::mem::swap(&mut self.state, &mut tenant.state);
        std::mem::swap(&mut self.registry, &mut tenant.registry);
    }

    /// The neighbours' names and API keys, for the line that is printed at the start.
    pub(crate) fn neighbours_shown(&self) -> Value {
        let accounts = self.neighbours.iter().map(|tenant| &tenant.account);
        let shown = accounts.map(|account| {
            json!({"company": account.company, "public_key": account.public_key, "private_key": account.private_key})
        });
        shown.collect()
    }
}
