//! What changed between two wishes.
//!
//! People edit pull requests on the code host. Drover writes a field only when the spec itself
//! changed it, so that their edits live until a spec says something new.

use super::spec::BranchSpec;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Title,
    Body,
    Base,
    Diff,
    Message,
    Author,
    Published,
}

/// The fields in which `current` differs from what was reached last; all of them when nothing
/// was reached yet.
#[must_use]
pub fn delta(previous: Option<&BranchSpec>, current: &BranchSpec) -> BTreeSet<Field> {
    let differs = |same: fn(&BranchSpec, &BranchSpec) -> bool| {
        previous.is_none_or(|previous| !same(previous, current))
    };
    [
        (Field::Title, differs(|a, b| a.title == b.title)),
        (Field::Body, differs(|a, b| a.body == b.body)),
        (Field::Base, differs(|a, b| a.base == b.base)),
        (Field::Diff, differs(|a, b| a.diff_digest == b.diff_digest)),
        (Field::Message, differs(|a, b| a.commit.message == b.commit.message)),
        (Field::Author, differs(|a, b| a.commit.author == b.commit.author)),
        (Field::Published, differs(|a, b| a.published == b.published)),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changeset::{Publication, spec::tests::branch_spec};

    fn check(change: impl Fn(&mut BranchSpec), expected: &[Field]) {
        let previous = branch_spec();
        let mut current = previous.clone();
        change(&mut current);
        assert_eq!(delta(Some(&previous), &current), expected.iter().copied().collect());
    }

    #[test]
    fn a_delta_names_what_changed() {
        check(|_| (), &[]);
        check(|spec| spec.title.push('x'), &[Field::Title]);
        check(|spec| spec.body.push('x'), &[Field::Body]);
        check(|spec| spec.base = "next".parse().unwrap(), &[Field::Base]);
        check(|spec| spec.diff_digest.push('0'), &[Field::Diff]);
        check(|spec| spec.commit.message.push('x'), &[Field::Message]);
        check(|spec| spec.commit.author.email.push('x'), &[Field::Author]);
        check(|spec| spec.published = Some(Publication::Draft), &[Field::Published]);
    }

    #[test]
    fn a_base_that_only_moved_on_is_no_change() {
        check(|spec| spec.base_commit = "b".repeat(40).parse().unwrap(), &[]);
    }

    #[test]
    fn everything_is_new_when_nothing_was_reached() {
        assert_eq!(delta(None, &branch_spec()).len(), 7);
    }
}
