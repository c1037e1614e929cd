//! Lists in pages: `first` and `last`, cursors, and GitHub's refusals.

use super::{
    refusal::Refusal,
    thing::{Args, Asked, Reply, Source, Thing},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub's own limit.
pub(super) const PAGE_SIZE_MAX: i64 = 100;

/// A list's names in the schema.
pub(super) struct Paged {
    /// The field, as refusals name it.
    pub(super) field: &'static str,
    pub(super) connection: &'static str,
    pub(super) edge: &'static str,
}

/// The items of one page, and where it begins.
#[derive(Clone)]
pub(super) struct Slice {
    items: Vec<Thing>,
    begin: usize,
    total: usize,
    edge: &'static str,
}

/// Shows the page of a list that the arguments ask for.
pub(super) fn page<T>(
    asked: &Arc<Asked>,
    paged: &Paged,
    args: &Args<'_>,
    items: &[T],
    show: impl FnMut(&T) -> Thing,
) -> Result<Reply, Refusal> {
    let (begin, end) = bounds(paged, args, items.len())?;
    let shown = items.get(begin..end).unwrap_or_default().iter().map(show).collect();
    let facts = json!({ "totalCount": items.len() });
    Ok(cut(asked, paged, facts, shown, (begin, items.len())))
}

/// A page that was read alone, of a list with facts of its own.
pub(super) fn cut(
    asked: &Arc<Asked>,
    paged: &Paged,
    facts: Value,
    items: Vec<Thing>,
    (begin, total): (usize, usize),
) -> Reply {
    let slice = Slice { items, begin, total, edge: paged.edge };
    Reply::one(Thing::new(asked, paged.connection, facts, Source::Page(slice)))
}

/// From which item to which one the arguments ask.
pub(super) fn bounds(
    paged: &Paged,
    args: &Args<'_>,
    total: usize,
) -> Result<(usize, usize), Refusal> {
    let (first, last) = (count(paged, args, "first")?, count(paged, args, "last")?);
    let after = args.text("after").and_then(position).map_or(0, |at| at + 1).min(total);
    let before = args.text("before").and_then(position).unwrap_or(total).clamp(after, total);
    match (first, last) {
        (Some(first), _) => Ok((after, before.min(after.saturating_add(first)))),
        (None, Some(last)) => Ok((after.max(before.saturating_sub(last)), before)),
        (None, None) => Err(Refusal::no_bounds(paged.field)),
    }
}

fn count(paged: &Paged, args: &Args<'_>, name: &str) -> Result<Option<usize>, Refusal> {
    let Some(count) = args.number(name) else { return Ok(None) };
    if count > PAGE_SIZE_MAX {
        return Err(Refusal::too_many(paged.field, name, count, PAGE_SIZE_MAX));
    }
    usize::try_from(count).map(Some).map_err(|_| Refusal::negative(paged.field, name))
}

fn cursor(position: usize) -> String {
    BASE64_STANDARD.encode(format!("cursor:v2:{position}"))
}

fn position(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64_STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("cursor:v2:")?.parse().ok()
}

impl Slice {
    pub(super) fn resolve(&self, asked: &Arc<Asked>, field: &str) -> Option<Reply> {
        let cursor_at = |index: usize| cursor(self.begin + index);
        match field {
            "nodes" => Some(Reply::many(self.items.iter().cloned())),
            "edges" => {
                let edges = self.items.iter().enumerate().map(|(index, item)| {
                    let node = ("node", Reply::one(item.clone()));
                    Thing::known(asked, self.edge, json!({ "cursor": cursor_at(index) }), [node])
                });
                Some(Reply::many(edges))
            }
            "pageInfo" => {
                let end = self.begin + self.items.len();
                let last = self.items.len().checked_sub(1);
                let facts = json!({
                    "startCursor": last.map(|_| cursor_at(0)),
                    "endCursor": last.map(cursor_at),
                    "hasPreviousPage": self.begin > 0,
                    "hasNextPage": end < self.total,
                });
                Some(Reply::one(Thing::known(asked, "PageInfo", facts, [])))
            }
            _ => None,
        }
    }
}
