//! Mirrors, working copies, commits and pushes against real repositories.

mod publish;
mod steps;
mod support;
