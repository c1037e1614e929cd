//! A secret as it stands in a row: AES-256-GCM, bound to its place.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use drover::id::{CodeHostId, UserId};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;

/// The length of a key, in bytes.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// Of the digest that names a key: enough to tell keys apart, useless to find one.
const KEY_ID_BYTES: usize = 8;

/// The key that seals and opens.
pub struct SealKey {
    id: KeyId,
    cipher: Aes256Gcm,
}

/// The name of a key, in hexadecimal. It is a digest, so it tells nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(pub String);

/// A sealed secret and the name of the key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub key_id: KeyId,
    pub bytes: Vec<u8>,
}

/// The place of a sealed secret. Moved to another row or column, it opens no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    column: &'static str,
    row: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error(
        "a secret was sealed with the key {}, and this server has the key {}: \
         give it that key again, or store the secret anew",
        sealed_with.0, ours.0
    )]
    WrongKey { sealed_with: KeyId, ours: KeyId },
    #[error("a sealed secret was changed, or moved from another row: store the secret anew")]
    Changed,
}

impl Place {
    /// A code host's credential. Its row is named by what does not change when the secret is
    /// replaced: the code host and the owner.
    #[must_use]
    pub fn credential(code_host: CodeHostId, owner: Option<UserId>) -> Self {
        let owner = owner.map_or_else(|| "server".to_owned(), |owner| owner.to_string());
        Self { column: "credentials.sealed", row: format!("{code_host}/{owner}") }
    }

    fn associated_data(&self) -> Vec<u8> {
        format!("{}\0{}", self.column, self.row).into_bytes()
    }
}

impl SealKey {
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"drover key id\0").chain_update(bytes).finalize();
        let id = KeyId(hex::encode(&digest[..KEY_ID_BYTES]));
        Self { id, cipher: Aes256Gcm::new(bytes.into()) }
    }

    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    pub fn seal(&self, secret: &SecretString, place: &Place, rng: &mut impl CryptoRng) -> Sealed {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let aad = place.associated_data();
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &aad };
        #[expect(clippy::expect_used, reason = "fails for texts of 64 GiB only")]
        let ciphertext =
            self.cipher.encrypt(Nonce::from_slice(&nonce), payload).expect("a short text");
        Sealed { key_id: self.id.clone(), bytes: [nonce.as_slice(), &ciphertext].concat() }
    }

    pub fn open(&self, sealed: &Sealed, place: &Place) -> Result<SecretString, OpenError> {
        let Sealed { key_id, bytes } = sealed;
        if *key_id != self.id {
            let (sealed_with, ours) = (key_id.clone(), self.id.clone());
            return Err(OpenError::WrongKey { sealed_with, ours });
        }
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(OpenError::Changed)?;
        let aad = place.associated_data();
        let payload = Payload { msg: ciphertext, aad: &aad };
        let plain = self
            .cipher
            .decrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_| OpenError::Changed)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| OpenError::Changed)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    const SECRET: &str = "ghp_canary";

    fn key() -> SealKey {
        SealKey::new(&[7; KEY_BYTES])
    }

    fn id<T: std::str::FromStr<Err: fmt::Debug>>(last: u8) -> T {
        format!("0191a0a0-0000-7000-8000-0000000000{last:02}").parse().unwrap()
    }

    fn place() -> Place {
        Place::credential(id(1), Some(id(2)))
    }

    fn sealed() -> Sealed {
        key().seal(&SECRET.into(), &place(), &mut StdRng::seed_from_u64(7))
    }

    #[test]
    fn a_secret_opens_in_its_place() {
        assert_eq!(key().open(&sealed(), &place()).unwrap().expose_secret(), SECRET);
    }

    #[test]
    fn in_another_place_it_does_not_open() {
        for place in [
            Place::credential(id(1), Some(id(3))),
            Place::credential(id(2), Some(id(2))),
            Place::credential(id(1), None),
            Place { column: "credentials.other", ..place() },
        ] {
            let refused = key().open(&sealed(), &place).unwrap_err();
            assert_eq!(refused, OpenError::Changed, "{place:?}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let whole = sealed();
        for at in 0..whole.bytes.len() {
            let mut changed = whole.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(key().open(&changed, &place()).unwrap_err(), OpenError::Changed, "{at}");
        }
        for len in [0, 1, NONCE_BYTES, whole.bytes.len() - 1] {
            let cut = Sealed { bytes: whole.bytes[..len].to_vec(), ..whole.clone() };
            assert_eq!(key().open(&cut, &place()).unwrap_err(), OpenError::Changed, "{len}");
        }
    }

    #[test]
    fn another_key_is_named() {
        let other = SealKey::new(&[8; KEY_BYTES]);
        let error = other.open(&sealed(), &place()).unwrap_err();
        let (sealed_with, ours) = (key().id().clone(), other.id().clone());
        assert_ne!(sealed_with, ours);
        let text = error.to_string();
        assert!(text.contains(&sealed_with.0) && text.contains(&ours.0), "{text}");
        assert_eq!(error, OpenError::WrongKey { sealed_with, ours });
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut seal = || key().seal(&SECRET.into(), &place(), &mut rng);
        assert_ne!(seal().bytes, seal().bytes);
        let contains = |hay: &[u8]| hay.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!contains(&seal().bytes));
    }

    #[test]
    fn debug_output_shows_no_key() {
        let text = format!("{:?}", key());
        assert!(text.contains(&key().id().0) && !text.contains("7, 7"), "{text}");
    }
}
