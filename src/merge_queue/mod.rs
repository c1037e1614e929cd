//! The merge queue: a pure machine that decides what is tested and what lands.
//!
#![doc = include_str!("overview.md")]
#![doc = include_str!("figures.md")]

mod batching;
mod bugs;
mod build;
pub mod campaign;
pub mod candidate;
pub mod chance;
mod command;
pub mod config;
pub mod effect;
pub mod entry;
pub mod estimates;
pub mod event;
mod evidence;
pub mod gate;
pub mod id;
mod isolation;
pub mod landing;
mod order;
pub mod outage;
mod pipeline;
mod proofs;
pub mod pull;
mod pulls;
pub mod queue;
mod run;
mod serial;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod status;
#[cfg(test)]
mod tests;
mod tries;

pub use self::queue::MergeQueue;
