//! What is remembered, and how much of it.
//!
//! Holds: [`Kind`] with its [`Limits`], and [`Key`], the name of a value.
//! Promises: kinds do not share their room.
//! Leaves to others: values.

/// What a value is about; each kind has its own bounds, so that none pushes out another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Boards, statuses, priorities, types: a page of a list.
    Catalog,
    /// The people of the PSA: a page of the list.
    Members,
    /// One ticket.
    Ticket,
    /// What a plugin put itself.
    Plugin,
    /// What can be chosen in a field, as it was shown last: shown again while it is read anew.
    Options,
    /// A page of a list, read before it was asked for: given out once.
    Ahead,
}

impl Kind {
    pub(super) const ALL: [Kind; 6] =
        [Kind::Catalog, Kind::Members, Kind::Ticket, Kind::Plugin, Kind::Options, Kind::Ahead];
}

/// Names a value within one connection: what it is, whom it is about, and the rest, such as a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub(super) kind: Kind,
    pub(super) entity: String,
    pub(super) rest: String,
}

impl Key {
    /// A page of a list; all of them are about the same.
    pub(crate) fn ahead(rest: impl Into<String>) -> Key {
        Key::new(Kind::Ahead, "list", rest)
    }

    /// `entity` is what will be invalidated as a whole: the id of a ticket, the name of a catalogue.
    pub fn new(kind: Kind, entity: impl Into<String>, rest: impl Into<String>) -> Key {
        Key { kind, entity: entity.into(), rest: rest.into() }
    }

    /// A key of the plugin's own space.
    pub fn plugin(name: impl Into<String>) -> Key {
        Key::new(Kind::Plugin, "", name)
    }

    /// One ticket.
    pub fn ticket(id: impl Into<String>) -> Key {
        Key::new(Kind::Ticket, id, "")
    }
}

/// The bounds of one kind within one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a value lives when nobody says, in milliseconds.
    pub ttl_ms: u64,
    /// The longest life that can be asked for, in milliseconds.
    pub ttl_ms_max: u64,
    /// How many values.
    pub entries_max: usize,
    /// How many bytes, keys and bookkeeping included.
    pub bytes_max: usize,
}

impl Limits {
    /// Five MiB in all for a connection; one more for what its forms offer, and sixteen while lists are read ahead.
    pub const fn of(kind: Kind) -> Limits {
        const MINUTE_MS: u64 = 60_000;
        const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
        const MIB: usize = 1024 * 1024;
        match kind {
            Kind::Catalog => {
                Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: 10 * MINUTE_MS, entries_max: 256, bytes_max: MIB }
            }
            Kind::Members => {
                Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: 10 * MINUTE_MS, entries_max: 128, bytes_max: MIB }
            }
            Kind::Ticket => Limits { ttl_ms: 30_000, ttl_ms_max: 30_000, entries_max: 512, bytes_max: 2 * MIB },
            // Something small of each linked ticket has room.
            Kind::Plugin => Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: DAY_MS, entries_max: 4_096, bytes_max: MIB },
            Kind::Options => Limits { ttl_ms: DAY_MS, ttl_ms_max: DAY_MS, entries_max: 64, bytes_max: MIB },
            Kind::Ahead => Limits { ttl_ms: 30_000, ttl_ms_max: 30_000, entries_max: 64, bytes_max: 16 * MIB },
        }
    }
}
