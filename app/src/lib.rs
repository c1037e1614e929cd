//! Drover's pages.

#[cfg(feature = "ssr")]
pub mod backend;
pub mod error;
