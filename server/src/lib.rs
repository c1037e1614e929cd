//! The program `drover`: everything that touches the world.
//!
//! - [`serve`], [`demo`]: a server from its settings to its end
//! - [`web`], [`ui`], [`api`]: what is answered; [`cli`]: who asks
//! - [`commands`]: what people ask for, one function per use case
//! - [`handlers`], [`jobs`]: what goes on in the background, and how it is leased
//! - [`look`]: how things stand on the code hosts, read for many at once and written down
//! - [`store`], [`postgres`]: the database
//! - [`hosts`], [`code_host`], [`git`], [`executor`], [`work_dir`]: the world outside
//! - [`secret`], [`markdown`], [`diff_view`], [`clock`]: what many need
//!
//! Who may know whom is held by the `tidy` test.

pub mod accounts;
pub mod api;
pub mod cli;
pub mod clock;
pub mod code_host;
pub mod commands;
pub mod config;
pub mod demo;
pub mod diff_view;
pub mod executor;
pub mod git;
pub mod handlers;
pub mod highlight;
pub mod hosts;
pub mod jobs;
pub mod look;
pub mod markdown;
pub mod postgres;
pub mod secret;
pub mod serve;
pub mod state;
pub mod store;
pub mod ui;
pub mod web;
pub mod work_dir;
