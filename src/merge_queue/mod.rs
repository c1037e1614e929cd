//! The merge queue: a pure machine that decides what is tested and what lands.
//!
#![doc = include_str!("overview.md")]
#![doc = include_str!("figures.md")]

mod batching;
mod breakdown;
mod bugs;
mod build;
pub mod campaign;
pub mod candidate;
pub mod chance;
mod command;
pub mod config;
pub mod effect;
pub mod entry;
pub mod estimate;
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
mod preemption;
mod proofs;
pub mod publish;
pub mod pull;
mod pulls;
pub mod queue;
mod run;
mod serial;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod status;
pub mod target;
#[cfg(test)]
mod tests;
mod ticks;
mod tries;
mod why;

pub use self::queue::MergeQueue;
