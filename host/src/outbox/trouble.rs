//! Whose trouble it is: only what the PSA, the way to it or a plugin says is held against a connection.

use crate::store::StoreError;
use crate::vault::VaultError;
use psa_host_api::Error;

/// An error on the way of an operation.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The store's or the vault's: nothing is known about the connection.
    Ours(Error),
    /// Of a call.
    Theirs(Error),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Ours(error.into())
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Trouble {
        Trouble::Ours(error.into())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Theirs(error)
    }
}
