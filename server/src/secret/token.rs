//! Access tokens of people and programs.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// How a token begins, so that scanners for leaked secrets know it.
pub const PREFIX: &str = "drv_";
const RANDOM_BYTES: usize = 32;

/// A token as its owner holds it. It is shown once and not stored.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

/// What is stored of a token. With 256 random bits there is nothing to guess, so a plain
/// digest does, and a row is found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no access token of Drover: those are `{PREFIX}` and 43 characters")]
pub struct TokenError;

impl Token {
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; RANDOM_BYTES];
        rng.fill_bytes(&mut bytes);
        Self(SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Reads what a client sent. Anything else than a token is refused before the database
    /// is asked.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let random = text.strip_prefix(PREFIX).ok_or(TokenError)?;
        let bytes = URL_SAFE_NO_PAD.decode(random).map_err(|_| TokenError)?;
        if bytes.len() != RANDOM_BYTES {
            return Err(TokenError);
        }
        Ok(Self(SecretString::from(text)))
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.expose_secret()).into())
    }
}

impl ExposeSecret<str> for Token {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_token_is_found_by_its_digest() {
        let mut rng = StdRng::seed_from_u64(7);
        let (one, two) = (Token::new(&mut rng), Token::new(&mut rng));
        let again = Token::parse(one.expose_secret()).unwrap();
        assert_eq!(one.hash(), again.hash());
        assert_ne!(one.hash(), two.hash());
        assert_eq!(one.expose_secret().len(), PREFIX.len() + 43);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = Token::new(&mut StdRng::seed_from_u64(7));
        let text = token.expose_secret();
        for text in
            ["", "drv_", "ghp_abc", &text[1..], &text[..text.len() - 1], &format!("{text}A")]
        {
            assert!(Token::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn debug_output_shows_no_token() {
        let token = Token::new(&mut StdRng::seed_from_u64(7));
        assert!(!format!("{token:?}").contains(token.expose_secret()));
    }
}
