//! What a turn comes to, and what is remembered between turns.

/// What a lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its head has moved on: look again.
    Again,
    /// Nothing to do for so many milliseconds.
    Later(u64),
    /// The connection failed under it, and is closed for so many milliseconds.
    Failed(u64),
    /// Another process has it.
    Contested,
    /// Nothing waits in it.
    Empty,
}

/// What a process remembers of a lane between its notes.
#[derive(Debug, Default, Clone)]
pub(super) struct LaneMemory {
    /// A look since this host was opened has found nothing of ours: sends need no look of their own.
    pub(super) looked: bool,
    /// The last note of the ticket that was seen.
    pub(super) fence: Option<String>,
    /// How often the connection has failed under it in a row.
    pub(super) failures: u32,
}
