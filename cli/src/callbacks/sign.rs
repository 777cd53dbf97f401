//! How ConnectWise signs. Source: the vendor's page on callbacks, "Verifying the Callback Source".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// The header it stands in.
pub(crate) const HEADER: &str = "x-content-signature";

fn mac(key: &str, body: &[u8]) -> Hmac<Sha256> {
    // The key itself is hashed first; what comes of it is the HMAC's key.
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new(&block(&Sha256::digest(key)));
    mac.update(body);
    mac
}

/// A key of one block, which is used as it is: 32 bytes and zeros behind them.
fn block(key: &[u8]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..key.len()].copy_from_slice(key);
    block
}

/// The signature of a body.
pub(crate) fn signature(key: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(key, body).finalize().into_bytes())
}

/// Whether a signature is that of a body.
pub(super) fn is_right(key: &str, body: &[u8], signature: &str) -> bool {
    STANDARD.decode(signature).is_ok_and(|bytes| mac(key, body).verify_slice(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector B of the facts, 11.8: computed with another implementation.
    #[test]
    fn a_body_is_signed_as_the_vendor_says() {
        let right = "RRQJ5sboyQMYZ2MN+3h4IqG1B8bomsJpfVwCi3nV1hM=";
        assert_eq!(signature("abc", b"{}"), right);
        assert!(is_right("abc", b"{}", right));
        for (key, body, signature) in
            [("abd", &b"{}"[..], right), ("abc", b"{ }", right), ("abc", b"{}", ""), ("abc", b"{}", "RRQJ")]
        {
            assert!(!is_right(key, body, signature));
        }
    }
}
