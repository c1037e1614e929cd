//! The one integration binary: real PostgreSQL, the GitHub stand-in over HTTP, real git.

mod jobs;
mod migrations;
mod postgres;
mod rewire;
mod store;
mod support;
