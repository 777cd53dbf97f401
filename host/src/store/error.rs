//! What can go wrong with a store.
//!
//! Holds: [`StoreError`] and what it becomes at the boundary.
//! Promises: no message holds a value of a row.
//! Leaves to others: telling an engine's errors apart (`sqlite`).

use psa_host_api::{Code, Error};

/// Why the store did not do it. Nothing of the unit of work it belongs to was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the disk is full. Free some space; work goes on by itself")]
    Full,
    #[error("the database cannot be written: {0}. Look at the rights of the file and its folder")]
    ReadOnly(String),
    #[error("no backup can be made at {0}. Name a file that is not there yet, in a folder that can be written")]
    BackupTarget(String),
    #[error("the database is damaged: {0}. Restore a backup; psa doctor says more")]
    Damaged(String),
    #[error("the database was migrated by a newer library. Restart this process with the new one")]
    Newer,
    #[error("another process holds the database: {0}")]
    Busy(String),
    #[error("the database is on a network file system ({0}), where several processes would damage it. Move data_dir")]
    Network(String),
    #[error("the store is closed")]
    Closed,
    #[error("{0}")]
    Conflict(Conflict),
    #[error("the database: {0}")]
    Other(String),
}

/// What a unit of work ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Conflict {
    #[error(
        "this tenant has connected the same account already: use that connection (connections.list has it), or delete it first"
    )]
    SameAccount,
    #[error("this ticket of the product, or this ticket of the PSA, is linked already through this connection")]
    SameLink,
    #[error("the key was used for something else before; use a new client_key")]
    ClientKey,
    #[error("what the PSA answered with belongs to another operation already")]
    RemoteTaken,
    #[error("the connection was deleted meanwhile")]
    ConnectionGone,
    #[error("the product values are older than those that are here")]
    OldRevision,
    #[error("a limit of rows is reached")]
    Limit,
    #[error("the vault's key was changed meanwhile; repeat it")]
    KeyChanged,
    #[error("operations of this connection were accepted or have ended meanwhile; look again")]
    Waiting,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        let (code, reason) = match &error {
            StoreError::Full => (Code::Storage, "disk_full"),
            StoreError::ReadOnly(_) => (Code::Storage, "read_only"),
            StoreError::BackupTarget(_) => (Code::InvalidArgument, "backup_target"),
            StoreError::Damaged(_) => (Code::Storage, "damaged"),
            StoreError::Newer => (Code::Storage, "store_newer"),
            StoreError::Busy(_) => (Code::Storage, "busy"),
            StoreError::Network(_) => (Code::Storage, "network_file_system"),
            StoreError::Closed => (Code::Closed, "closed"),
            StoreError::Other(_) => (Code::Storage, "database"),
            StoreError::Conflict(conflict) => match conflict {
                Conflict::SameAccount => (Code::Conflict, "same_account"),
                Conflict::SameLink => (Code::Conflict, "linked_already"),
                Conflict::ClientKey => (Code::Conflict, "client_key"),
                Conflict::RemoteTaken => (Code::Conflict, "remote_taken"),
                Conflict::ConnectionGone => (Code::NotFound, "connection_missing"),
                Conflict::OldRevision => (Code::Conflict, "old_revision"),
                Conflict::KeyChanged => (Code::Conflict, "key_changed"),
                Conflict::Waiting => (Code::Conflict, "waiting"),
                Conflict::Limit => (Code::TooLarge, "limit"),
            },
        };
        Error::new(code, error.to_string()).because(reason)
    }
}
