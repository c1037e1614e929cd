//! Ids that nobody has seen before, for requests and deliveries.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

/// Random enough to be unique, which is all that these ids promise.
fn word() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// In the form of GitHub's `x-github-request-id`.
pub(crate) fn request_id() -> String {
    let (a, b) = (word(), word());
    format!("{:04X}:{:04X}:{:08X}", a & 0xffff, (a >> 16) & 0xffff, b & 0xffff_ffff)
}

/// In the form of GitHub's `X-GitHub-Delivery`.
pub(crate) fn delivery_id() -> String {
    let text = format!("{:016x}{:016x}", word(), word());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
