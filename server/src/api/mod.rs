//! The JSON API of the command line and of programs.
//!
//! - [`wire`]: paths and bodies, for the side that serves and the side that asks
//!
//! Reads answer with the same views as the pages, so there is no second model to keep in step.

pub mod wire;
