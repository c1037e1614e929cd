//! Server functions: the doorways that forms post to and islands call.
//!
//! Each takes the viewer, makes one call and answers. No rule, no query, no text. Those that
//! forms post to always redirect, to the next page or back with the error ([`crate::flash`]), so
//! they work without JavaScript; `validate` and `log` answer the islands.
//!
//! All are public: `Backend` checks what the viewer may do. The server refuses requests whose
//! `Origin` is not its own.

pub mod campaigns;
pub mod changesets;
pub mod executions;
pub mod previews;
pub mod session;
