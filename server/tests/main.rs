//! The one integration binary: real PostgreSQL, the GitHub stand-in over HTTP, real git.

mod executor;
mod git;
mod tidy;
mod cli;
mod code_host;
mod jobs;
mod migrations;
mod postgres;
mod rewire;
mod store;
mod support;
