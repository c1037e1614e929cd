//! A campaign: a named change in a namespace.
//!
//! - [`spec`]: the text that people write, parsed with all its problems at once
//! - [`outcome`]: what came of running a spec, repository by repository
//! - [`rewire`]: what applying a spec does to the changesets of a campaign
//! - [`plan_hash`]: what a preview was made from, and which of it moved since
//! - [`schema()`]: the same language as a JSON Schema, for editors
//! - [`SAMPLE`]: a spec to start from

pub mod outcome;
pub mod plan_hash;
pub mod rewire;
mod sample;
mod schema;
pub mod spec;

pub use sample::SAMPLE;
pub use schema::schema;
