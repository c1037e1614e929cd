//! Whose words a pull request holds: those of its spec, or a person's.
//!
//! People edit titles and bodies on the code host. Drover writes a field only when the spec
//! itself changed it, and only that field. But the words of an update whose answer was lost, and
//! that arrive late, are Drover's own and nobody's edit.

use super::{
    Pull,
    delta::{Field, delta},
    spec::BranchSpec,
};
use crate::names::BranchName;
use serde::{Deserialize, Serialize};

/// What is written to a pull request. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub title: Option<String>,
    /// Without the mark that Drover adds.
    pub body: Option<String>,
    pub base: Option<BranchName>,
}

impl Words {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { title, body, base } = self;
        title.is_none() && body.is_none() && base.is_none()
    }

    /// Whether a pull request holds all of these words.
    #[must_use]
    pub fn are_in(&self, pull: &Pull) -> bool {
        let Self { title, body, base } = self;
        title.as_ref().is_none_or(|it| same_title(it, &pull.title))
            && body.as_ref().is_none_or(|it| same_body(it, &pull.body))
            && base.as_ref().is_none_or(|it| *it == pull.base)
    }
}

/// What an update has to write: the fields that the spec changed since the one that was in place,
/// and that the code host has otherwise.
#[must_use]
pub fn missing(previous: Option<&BranchSpec>, current: &BranchSpec, pull: &Pull) -> Words {
    let changed = delta(previous, current);
    let wanted = |field: Field, same: bool| changed.contains(&field) && !same;
    Words {
        title: wanted(Field::Title, same_title(&pull.title, &current.title))
            .then(|| current.title.clone()),
        body: wanted(Field::Body, same_body(&pull.body, &current.body))
            .then(|| current.body.clone()),
        base: wanted(Field::Base, pull.base == current.base).then(|| current.base.clone()),
    }
}

/// The spec whose words are in place: the one that was reached last, but with those words that
/// Drover sent since and that the pull request holds. So they are no person's words.
#[must_use]
pub fn in_place(reached: &BranchSpec, sent: &[Words], pull: &Pull) -> BranchSpec {
    let mut spec = reached.clone();
    for Words { title, body, base } in sent {
        if let Some(title) = title.as_ref().filter(|it| same_title(it, &pull.title)) {
            spec.title.clone_from(title);
        }
        if let Some(body) = body.as_ref().filter(|it| same_body(it, &pull.body)) {
            spec.body.clone_from(body);
        }
        if let Some(base) = base.as_ref().filter(|it| **it == pull.base) {
            spec.base.clone_from(base);
        }
    }
    spec
}

fn same_title(one: &str, other: &str) -> bool {
    one.trim() == other.trim()
}

/// Code hosts change line ends and trailing space; that is no difference to be mended for ever.
fn same_body(one: &str, other: &str) -> bool {
    let normal = |body: &str| body.replace("\r\n", "\n").trim_end().to_owned();
    normal(one) == normal(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changeset::{PullState, spec::tests::branch_spec};
    use crate::names::PullNumber;

    fn pull(title: &str, body: &str) -> Pull {
        Pull {
            number: PullNumber(1),
            state: PullState::Open,
            title: title.to_owned(),
            body: body.to_owned(),
            base: "main".parse().unwrap(),
            head: "a".repeat(40).parse().unwrap(),
            merged_at: None,
        }
    }

    fn spec(title: &str, body: &str) -> BranchSpec {
        BranchSpec { title: title.to_owned(), body: body.to_owned(), ..branch_spec() }
    }

    fn words(title: Option<&str>, body: Option<&str>) -> Words {
        Words { title: title.map(str::to_owned), body: body.map(str::to_owned), base: None }
    }

    /// The spec in place, the spec wanted, what the code host has; each as title and body.
    #[track_caller]
    fn check(
        before: Option<(&str, &str)>,
        wanted: (&str, &str),
        there: (&str, &str),
        expected: &Words,
    ) {
        let before = before.map(|(title, body)| spec(title, body));
        let wanted = spec(wanted.0, wanted.1);
        assert_eq!(missing(before.as_ref(), &wanted, &pull(there.0, there.1)), *expected);
    }

    #[test]
    fn only_what_the_spec_changed_is_written() {
        check(Some(("A", "a")), ("A", "b"), ("Bea's", "a"), &words(None, Some("b")));
        check(Some(("A", "a")), ("B", "a"), ("A", "Bea's"), &words(Some("B"), None));
        check(Some(("A", "a")), ("B", "b"), ("B", "a\r\n"), &words(None, Some("b")));
        check(Some(("A", "a")), ("A", "a"), ("Bea's", "Bea's"), &Words::default());
        check(None, ("A", "a"), ("B", "b"), &words(Some("A"), Some("a")));
    }

    #[test]
    fn late_words_of_ours_are_not_taken_for_a_persons() {
        let (reached, late) = (spec("C", "c"), words(Some("B"), Some("b")));
        let there = pull("B", "Bea's");
        let before = in_place(&reached, std::slice::from_ref(&late), &there);
        assert_eq!((before.title.as_str(), before.body.as_str()), ("B", "c"));
        // The title is put right, and Bea's body stays.
        assert_eq!(missing(Some(&before), &reached, &there), words(Some("C"), None));
        assert_eq!(in_place(&reached, &[late], &pull("Bea's", "c")), reached);
    }

    #[test]
    fn words_are_there_when_all_of_them_are() {
        assert!(words(Some("A"), None).are_in(&pull("A ", "x")));
        assert!(!words(Some("A"), Some("a")).are_in(&pull("A", "x")));
    }
}
