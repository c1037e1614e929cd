//! The code that runs in the browser, beside [`crate::live`].
//!
//! - [`editor`]: the spec's text, checked while it is written
//! - [`log_tail`]: the lines that a workspace writes after the page was sent
//! - [`theme`]: light, dark, or as the system has it
//! - [`times`]: "3 min ago", kept true
//! - [`unfold`]: diffs of a preview, loaded when somebody opens them
//! - [`dom`]: the few calls into the browser that they share
//!
//! An island adds; nothing here is needed to use a page. Effects do not run on the server, so no
//! island asks where it runs.

mod dom;
pub mod editor;
pub mod log_tail;
pub mod theme;
pub mod times;
pub mod unfold;

pub(crate) use dom::{fetch_page, on_hint, send_hint};
