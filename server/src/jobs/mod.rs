//! The queue: who works jobs off, when, and what happens when a server dies at it.
//!
//! - [`worker`]: claims jobs with a lease, runs them, renews the leases, ends the holds
//! - [`rescuer`]: takes jobs back from servers that are gone
//! - [`hints`]: one LISTEN connection that wakes workers and pages
//!
//! A job is a row (`store::jobs`), queued in the transaction that makes it necessary. It carries
//! ids only and its handler reads the truth, so a job that runs twice does no harm. A lease is
//! at most [`LEASE`] long and goes by the database's clock. Every claim has a larger fence than
//! the one before; what a handler writes, it writes under `store::jobs::hold`, so that one who
//! was thought dead can do no harm either.
//!
//! It does not know what jobs do: the handler is an argument.
//!
//! [`LEASE`]: drover::job::LEASE

pub mod hints;
pub mod rescuer;
pub mod worker;

pub use crate::store::jobs::{
    Ask, ClaimedJob, Fence, Finish, NewJob, enqueue, hold, retry_now, wake_waiting,
};
pub use hints::{Hints, Topic};
pub use worker::{Limits, Worker};
