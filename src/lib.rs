//! Drover: campaigns over many repositories, and a merge queue.

pub mod campaign;
pub mod changeset;
pub mod diff;
pub mod id;
pub mod merge_queue;
pub mod names;
pub mod time;
pub mod view;
pub mod viewer;
