//! Runs the queue against made-up worlds.

pub mod cost;
pub mod figures;
pub mod lab;
pub mod names;
pub mod ours;
pub mod random;
pub mod report;
pub mod rivals;
pub mod safety;
pub mod workload;
