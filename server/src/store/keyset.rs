//! Lists by key: a page, and the key with which the next one starts.

use super::StoreError;
use drover::view::{PAGE_ROWS_MAX, Page};
use uuid::Uuid;

/// One row more than a page holds: its presence says that there is a next page.
pub(crate) const ROWS_WANTED: i64 = PAGE_ROWS_MAX as i64 + 1;

/// Cuts rows that were read up to [`ROWS_WANTED`] to a page.
pub(crate) fn page<R, T: From<R>>(mut rows: Vec<R>, key: impl Fn(&R) -> String) -> Page<T> {
    let more = rows.len() > PAGE_ROWS_MAX as usize;
    rows.truncate(PAGE_ROWS_MAX as usize);
    let next = rows.last().filter(|_| more).map(key);
    Page { rows: rows.into_iter().map(T::from).collect(), next }
}

/// Reads a key that is an id. It stands in URLs, so it may be anything.
pub(crate) fn id_key(after: Option<&str>) -> Result<Option<Uuid>, StoreError> {
    after.map(str::parse).transpose().map_err(|_| StoreError::NotFound { what: "page" })
}

/// Reads a key of a time in microseconds and an id.
pub(crate) fn time_key(after: Option<&str>) -> Result<Option<(i64, Uuid)>, StoreError> {
    let parse = |key: &str| {
        let (micros, id) = key.split_once('.')?;
        Some((micros.parse().ok()?, id.parse().ok()?))
    };
    after.map(|key| parse(key).ok_or(StoreError::NotFound { what: "page" })).transpose()
}
