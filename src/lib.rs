//! Drover: campaigns over many repositories, and a merge queue.

pub mod campaign;
pub mod changeset;
pub mod diff;
pub mod id;
pub mod names;
#[cfg(test)]
mod random;
pub mod time;
pub mod view;
pub mod viewer;
