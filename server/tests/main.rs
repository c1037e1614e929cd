//! The one integration binary: real PostgreSQL, the GitHub stand-in over HTTP, real git.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise; clippy takes functions beside tests for code"
)]

mod cli;
mod code_host;
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod executor;
mod git;
mod jobs;
mod migrations;
mod postgres;
mod rewire;
mod store;
mod support;
mod tidy;
