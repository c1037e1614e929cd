//! Mirrors, working copies, commits and pushes against real repositories.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing helper fails its test")]

mod hostile;
mod http;
mod publish;
mod steps;
mod support;
mod trees;
