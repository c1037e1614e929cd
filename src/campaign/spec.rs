//! The text that people write.

use serde::{Deserialize, Serialize};

/// The longest spec, in bytes.
pub const SPEC_BYTES_MAX: usize = 1 << 20;

/// One thing that is wrong with a spec: what, where, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecProblem {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The key, such as `steps[0].run`; empty for the text as a whole.
    pub path: String,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
