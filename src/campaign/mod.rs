//! A campaign: a named change in a namespace.
//!
//! - [`spec`]: the text that people write, parsed with all its problems at once

pub mod spec;
