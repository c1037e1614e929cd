//! Secrets at rest: sealed with a key that is not in the database.
//!
//! - [`seal`]: a secret as it stands in a row, to be opened with the key and in that row only
//! - [`key`]: where the key comes from: the environment, or the data directory
//! - [`token`]: access tokens of people and programs, of which only a digest is stored
//! - [`redact`]: secrets taken out of words that others wrote
//!
//! Nothing here knows the database. A dump of it, without the key, holds no secret.

pub mod key;
pub mod redact;
pub mod seal;
pub mod token;
