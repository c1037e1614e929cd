//! What pages are put together from. Components show what they are given and load nothing.
//!
//! On native HTML: details fold, forms post, links lead. Colour never speaks alone: every tone
//! has a word beside it.

pub mod alert;
pub mod badge;
pub mod changeset_table;
pub mod diff;
pub mod diff_lines;
pub mod empty;
pub mod log_line;
pub mod operations;
pub mod pager;
pub mod post;
pub mod progress;
pub mod said;
pub mod spec_problem;
pub mod stat;
pub mod text;
pub mod time;
pub mod timeline;
pub mod workspace_table;
