//! A GitHub that Drover's demo and all tests talk to.
//!
//! It is one program over bare repositories on disk: clone and push go through `git http-backend`,
//! merges through `git merge-tree`, so that what a test sees is what git does. Around that stand
//! the REST API, webhooks, and small pages. It refuses to be a code host for people: no sign-up,
//! no forks, no issues of their own, no roles beyond read and write.
//!
//! Tests run it in their own process: [`StandIn::start`] gives a handle with the address, and
//! [`Control`] to make repositories, act as somebody else, order faults and read what was asked.
//!
//! | module | idea |
//! |---|---|
//! | `state` | accounts and repositories, in memory and as JSON files |
//! | `git` | refs, commits, diffs and merges by the git program |
//! | `git_http` | clone and push |
//! | `call` | who calls, and what he may see |
//! | `rest`, `graphql`, `json` | GitHub's API and its bodies |
//! | `repos`, `pulls` | what happens to a whole repository, and what git says of pull requests |
//! | `pushes`, `hooks` | what follows when a branch moves, and who is told |
//! | `hosts` | for which hosts requests are taken |
//! | `observe`, `faults`, `requests` | what happens around each request |
//! | `conformance` | holds every exchange against GitHub's OpenAPI description |
//! | `control`, `fixtures` | acting from outside, and the demo's repositories |
//! | `pages` | HTML for people |

mod call;
mod clock;
mod config;
#[cfg(feature = "conformance")]
mod conformance;
mod control;
mod error;
mod faults;
pub mod fixtures;
mod git;
mod git_http;
mod github;
mod graphql;
mod hooks;
mod hosts;
mod identity;
mod json;
mod observe;
mod pages;
mod pulls;
mod pushes;
mod quota;
mod repos;
mod requests;
mod rest;
mod router;
mod stand_in;
mod state;
mod unique;
mod wire;

pub use config::{Config, DataDir};
#[cfg(feature = "conformance")]
pub use conformance::{SpecError, Violation};
pub use control::{Action, Control, ControlError, FileContent, NewCommit, NewRepo, PullSummary};
pub use faults::{DeliveryFault, DeliveryRule, Fault, Rule};
pub use hooks::{Delivery, Outcome};
pub use quota::{Resource, Strictness};
pub use requests::{Class, Exchange};
pub use stand_in::{StandIn, StartError};
pub use state::{Access, Protection, Visibility};
