//! The words for states and kinds, the same in Rust, SQL and JSON.
//!
//! Promises: a word never changes its meaning; the schema's CHECKs list the same ones.

use serde::{Deserialize, Serialize};

/// Words that are the same in Rust, SQL and JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)* }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        $(#[$doc])*
        pub enum $name { $($(#[$what])* #[serde(rename = $word)] $variant,)* }

        #[allow(dead_code, reason = "not all words are read back")]
        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word.
            pub const fn word(self) -> &'static str { match self { $($name::$variant => $word,)* } }

            /// The one of a word.
            pub fn of(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// Where a connection is in its life.
    ConnectionState {
        /// No test has passed yet.
        Setup = "setup",
        /// In use.
        Active = "active",
        /// Not in use; `reason` says why.
        Stopped = "stopped",
    }
}

words! {
    /// Why a connection is stopped.
    StopReason {
        /// A person paused it.
        Paused = "paused",
        /// The PSA refused the credentials.
        SignIn = "sign_in",
        /// Its credentials cannot be decrypted.
        Unreadable = "unreadable",
        /// The PSA showed an internal note to others.
        Visibility = "visibility",
        /// The database is a copy that belongs to another environment.
        Environment = "environment",
        /// Its plugin is not loaded.
        PluginMissing = "plugin_missing",
        /// Its plugin hangs.
        PluginStalled = "plugin_stalled",
        /// Its settings changed so that its credentials are not to be sent any more.
        Settings = "settings",
        /// It was disconnected; its credentials are gone.
        Disabled = "disabled",
    }
}

words! {
    /// Where an operation is.
    State {
        /// Nothing of it can be in the PSA.
        Queued = "queued",
        /// Something of it may be.
        InDoubt = "in_doubt",
        /// It needs a person or a mapping.
        Held = "held",
        /// It is there.
        Delivered = "delivered",
        /// The PSA or a rule said no.
        Refused = "refused",
        /// Dropped by a person or an erasure.
        Discarded = "discarded",
    }
}

impl State {
    /// Whether it can never change again.
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Delivered | State::Refused | State::Discarded)
    }
}

words! {
    /// What an operation does.
    Kind {
        /// Adds a note.
        Note = "note",
        /// Creates a ticket.
        Ticket = "ticket",
        /// Moves a ticket to another status.
        Status = "status",
        /// Changes other things of a ticket.
        Update = "update",
        /// Adds time to a ticket.
        Time = "time",
    }
}

words! {
    /// How a delivered operation came to its end.
    Outcome {
        /// The PSA applied it.
        Applied = "applied",
        /// The PSA applied it, and a rule of its own moved the ticket on.
        AppliedThenChanged = "applied_then_changed",
        /// It was so already.
        Already = "already",
        /// A look found it.
        Found = "found",
        /// A person said which entity it is.
        Adopted = "adopted",
    }
}

words! {
    /// How an attempt ended.
    AttemptEnd {
        /// It is there.
        Delivered = "delivered",
        /// The PSA said no.
        Refused = "refused",
        /// Nothing was applied; it may be tried again.
        Back = "back",
        /// Nobody knows.
        InDoubt = "in_doubt",
    }
}

words! {
    /// Where a ticket link is in its life.
    LinkState {
        /// Its ticket is being created.
        Creating = "creating",
        /// Both tickets are there.
        Linked = "linked",
        /// Its ticket could not be created.
        Failed = "failed",
        /// A person took it apart.
        Unlinked = "unlinked",
    }
}

words! {
    /// Where a subscription is.
    SubscriptionState {
        /// To be registered.
        Wanted = "wanted",
        /// Registered.
        Active = "active",
        /// Another one has taken its place; it still may deliver.
        Replaced = "replaced",
        /// The PSA disables it again and again: a person is needed.
        Flapping = "flapping",
    }
}

words! {
    /// Where a delivery is.
    #[schemars(rename = "DeliveryState")]
    CallbackState {
        /// Kept, not yet judged.
        Received = "received",
        /// It comes from the PSA and speaks of this connection.
        Verified = "verified",
        /// It could not be told.
        Unverified = "unverified",
        /// It does not.
        Refused = "refused",
    }
}

words! {
    /// How it was found that something has to be read again.
    DirtySource {
        /// A verified callback said so.
        Callback = "callback",
        /// It was in a window of changes.
        Poll = "poll",
        /// It was its turn.
        Sweep = "sweep",
    }
}

words! {
    /// What a mapping of an agent says.
    MappingState {
        /// This member stands for the agent.
        Mapped = "mapped",
        /// Nobody does, on purpose.
        Ignored = "ignored",
        /// The member has gone.
        Broken = "broken",
    }
}

words! {
    /// How it was found out what stands for what.
    MappingWay {
        /// They share an address.
        Email = "email",
        /// The address of one begins with the login name of the other.
        Identifier = "identifier",
        /// They have the same name.
        Name = "name",
        /// Somebody has said so.
        Person = "person",
    }
}

words! {
    /// What a product has.
    ValueKind {
        /// Somebody who answers tickets.
        Agent = "agent",
        /// Where a ticket stands.
        Status = "status",
        /// How urgent it is.
        Priority = "priority",
        /// Who works on it.
        Team = "team",
        /// For whom.
        Company = "company",
        /// What it is about.
        Category = "category",
    }
}
