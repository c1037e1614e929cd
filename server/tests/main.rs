//! The one integration binary: real PostgreSQL, the GitHub stand-in over HTTP, real git.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod cli;
mod cli_results;
mod code_host;
mod executor;
mod git;
mod jobs;
mod logs;
mod migrations;
mod postgres;
mod rewire;
mod scenarios;
mod store;
mod support;
mod tidy;
mod work_dir;
