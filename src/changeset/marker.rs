//! The mark that Drover leaves in a pull request's body, so that it knows its own again.
//!
//! When the answer to "open this pull request" is lost, nothing but the code host knows whether
//! it was opened. The mark answers that: a pull request from our branch that carries the mark of
//! the changeset is ours, any other is somebody else's.

use crate::id::ChangesetId;

const PREFIX: &str = "<!-- drover: changeset ";
const SUFFIX: &str = " -->";

/// Adds the mark to a body. Marks that the body carries already give way to this one.
#[must_use]
pub fn mark(body: &str, changeset: ChangesetId) -> String {
    let text = unmark(body);
    let gap = if text.is_empty() { "" } else { "\n\n" };
    format!("{text}{gap}{PREFIX}{changeset}{SUFFIX}")
}

/// The body as people wrote it, without marks.
#[must_use]
pub fn unmark(body: &str) -> String {
    let mut text = body.to_owned();
    while let Some((start, end, _)) = find(&text) {
        text.replace_range(start..end, "");
    }
    text.trim_end().to_owned()
}

/// The changeset that a body is marked with: the last mark counts, for it is the one Drover adds.
#[must_use]
pub fn marked(body: &str) -> Option<ChangesetId> {
    find(body).map(|(_, _, changeset)| changeset)
}

/// The last well-formed mark: where it starts, where it ends, and what it says.
fn find(body: &str) -> Option<(usize, usize, ChangesetId)> {
    body.rmatch_indices(PREFIX).find_map(|(start, _)| {
        let rest = &body[start + PREFIX.len()..];
        let (id, _) = rest.split_once(SUFFIX)?;
        let end = start + PREFIX.len() + id.len() + SUFFIX.len();
        Some((start, end, id.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0191a0a0-0000-7000-8000-000000000001";
    const TWO: &str = "0191a0a0-0000-7000-8000-000000000002";

    fn id(text: &str) -> ChangesetId {
        text.parse().unwrap()
    }

    fn check(body: &str, expected: &str) {
        let body_marked = mark(body, id(ONE));
        assert_eq!(body_marked, expected, "marking {body:?}");
        assert_eq!(marked(&body_marked), Some(id(ONE)));
        assert_eq!(mark(&body_marked, id(ONE)), body_marked, "marking is repeatable");
    }

    #[test]
    fn a_body_gets_exactly_one_mark() {
        let own = format!("<!-- drover: changeset {ONE} -->");
        let other = format!("<!-- drover: changeset {TWO} -->");
        check("", &own);
        check("Why.\n", &format!("Why.\n\n{own}"));
        check(&format!("Why.\n\n{other}"), &format!("Why.\n\n{own}"));
        check(&format!("{other}{other}"), &own);
        check("<!-- note -->", &format!("<!-- note -->\n\n{own}"));
    }

    #[test]
    fn only_a_whole_mark_counts() {
        for body in [
            "",
            "<!-- drover: changeset -->",
            "<!-- drover: changeset 7 -->",
            "<!-- drover: changeset 0191a0a0-0000-7000-8000-000000000001",
            "drover: changeset 0191a0a0-0000-7000-8000-000000000001 -->",
        ] {
            assert_eq!(marked(body), None, "{body:?}");
            assert_eq!(unmark(body), body);
        }
    }

    #[test]
    fn the_last_mark_counts() {
        let body = format!("<!-- drover: changeset {TWO} -->\n<!-- drover: changeset {ONE} -->");
        assert_eq!(marked(&body), Some(id(ONE)));
    }
}
