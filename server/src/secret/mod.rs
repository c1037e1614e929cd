//! Secrets at rest: sealed with a key that is not in the database.
//!
//! - [`token`]: access tokens of people and programs, of which only a digest is stored
//! - [`redact`]: secrets taken out of words that others wrote
//!
//! Nothing here knows the database. A dump of it, without the key, holds no secret.

pub mod redact;
pub mod token;
