//! What people ask for: one function per use case.
//!
//! - [`specs`]: start to preview a spec, cancel its execution
//! - [`apply`]: accept a plan
//! - [`changesets`]: what people choose for one changeset
//! - [`plans`]: what apply would do, read for the preview and for apply alike
//!
//! Each checks what the viewer may do, loads, asks the domain, and saves the state with its
//! jobs in one transaction. Pages, API and CLI all come through here.

pub mod apply;
pub mod changesets;
pub mod plans;
pub mod specs;

mod error;

pub use error::{Answer, chain, internal};
