//! The program `drover`.

pub mod clock;
pub mod api;
pub mod cli;
pub mod code_host;
pub mod diff_view;
pub mod executor;
pub mod git;
pub mod highlight;
pub mod jobs;
pub mod markdown;
pub mod postgres;
pub mod secret;
pub mod store;
