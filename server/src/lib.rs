//! The program `drover`.

pub mod clock;
pub mod api;
pub mod cli;
pub mod code_host;
pub mod executor;
pub mod git;
pub mod jobs;
pub mod markdown;
pub mod postgres;
pub mod secret;
pub mod store;
