//! The one place that asks for the time.

use chrono::{DateTime, SubsecRound, Utc};

/// The time now, in whole seconds as GitHub tells it.
#[expect(clippy::disallowed_methods, reason = "this is the stand-in's clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}
