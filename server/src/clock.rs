//! The one place that asks for the time of this machine.
//!
//! It serves pages and logs. Leases, windows and expiry go by the database's clock, which all
//! servers share.

use drover::time::Timestamp;

/// The time of this machine.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks for the time")]
    let now = chrono::Utc::now();
    Timestamp(now.timestamp_millis())
}
