//! Where a sealed value belongs.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// First byte of what is sealed: the form of the rest.
const FORM: u8 = 1;
const DIGEST: usize = 32;

/// The place of a value. It is sealed with the value, so that it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealPlace<'a> {
    pub(crate) table: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: i64,
    /// What else it must not be used without.
    pub(crate) bound: &'a str,
}

impl<'a> SealPlace<'a> {
    /// Something of the database as a whole.
    pub(crate) fn meta(name: &'a str) -> SealPlace<'a> {
        SealPlace { table: "meta", tenant: "", connection: "", name, version: 1, bound: "" }
    }

    fn digest(&self) -> [u8; DIGEST] {
        let mut digest = Sha256::new();
        for part in [self.table, self.tenant, self.connection, self.name, self.bound] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(self.version.to_be_bytes());
        digest.finalize().into()
    }

    /// The value with its place.
    pub(super) fn wrap(&self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut content = Zeroizing::new(Vec::with_capacity(1 + DIGEST + value.len()));
        content.push(FORM);
        content.extend_from_slice(&self.digest());
        content.extend_from_slice(value);
        content
    }

    /// The value, if its place is this one.
    pub(super) fn unwrap(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (form, rest) = content.split_first()?;
        let (digest, value) = rest.split_at_checked(DIGEST)?;
        (*form == FORM && digest == self.digest()).then(|| Zeroizing::new(value.to_vec()))
    }
}
