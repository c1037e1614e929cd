//! A campaign: a named change in a namespace.
//!
//! - [`spec`]: the text that people write, parsed with all its problems at once
//! - [`schema`]: the same language as a JSON Schema, for editors
//! - [`SAMPLE`]: a spec to start from

mod sample;
mod schema;
pub mod spec;

pub use sample::SAMPLE;
pub use schema::schema;
