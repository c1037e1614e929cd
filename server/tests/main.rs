//! The one integration binary: real PostgreSQL, the GitHub stand-in over HTTP, real git.

mod git;
mod tidy;
