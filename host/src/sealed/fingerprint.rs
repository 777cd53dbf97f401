//! What tells one secret from another without telling either.

use crate::store::Place;
use crate::vault::{Vault, VaultError};

/// Digits and letters that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Eight signs in two groups, `k7qd-2fm9`: the same for the same value in the same place, and nothing to guess from for
/// who has not the store's own secret. No end of the value: of a short one that would be half of it.
pub(crate) fn fingerprint(vault: &Vault, place: &Place, name: &str, value: &[u8]) -> Result<String, VaultError> {
    let parts = [place.tenant.as_bytes(), place.connection.as_bytes(), name.as_bytes(), value];
    let digest = vault.digest("fingerprint", &parts)?;
    let bits = digest[..5].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut signs: Vec<u8> = (0..8).rev().map(|sign| LETTERS[(bits >> (5 * sign) & 31) as usize]).collect();
    signs.insert(4, b'-');
    Ok(signs.into_iter().map(char::from).collect())
}
