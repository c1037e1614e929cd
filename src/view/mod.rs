//! Read models: what pages, the API and the CLI show.
//!
//! - [`campaign`]: home and one campaign
//! - [`changeset`]: one changeset, its row in lists
//! - [`diff`]: a diff ready to be shown
//! - [`execution`]: the running of a spec
//! - [`preview`]: what apply would do
//!
//! They hold no rule. Sizes that cross to the browser are fixed: no `usize`, which differs
//! between a server and WASM.

pub mod campaign;
pub mod changeset;
pub mod diff;
pub mod execution;
pub mod preview;

use serde::{Deserialize, Serialize};

/// One page of a list that is read by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Where the next page starts; pass it back as `after`. `None` on the last page.
    pub next: Option<String>,
}

/// The rows of a page, at most.
pub const PAGE_ROWS_MAX: u32 = 200;
