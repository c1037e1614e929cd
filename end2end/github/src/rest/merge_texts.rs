//! What a merge says, and who made it: by the repository's settings, as GitHub's buttons do.

use crate::{
    git::{Commit, Signature},
    state::{MergeMessage, MergeTitle, Pull, Repo, SquashMessage, SquashTitle},
};

/// Title and message of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) message: String,
}

impl Text {
    pub(super) fn whole(&self) -> String {
        match self.message.trim().is_empty() {
            true => self.title.clone(),
            false => format!("{}\n\n{}", self.title, self.message),
        }
    }
}

/// GitHub commits for people: what it makes has this committer.
pub(super) fn github(at: String) -> Signature {
    Signature { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned(), at }
}

pub(super) fn of_merge(repo: &Repo, pull: &Pull) -> Text {
    let from = format!("{}/{}", repo.owner, pull.head.branch);
    let title = match repo.merging.merge_title {
        MergeTitle::MergeMessage => format!("Merge pull request #{} from {from}", pull.number),
        MergeTitle::PrTitle => format!("{} (#{})", pull.title, pull.number),
    };
    let message = match repo.merging.merge_message {
        MergeMessage::PrTitle => pull.title.clone(),
        MergeMessage::PrBody => pull.body.clone().unwrap_or_default(),
        MergeMessage::Blank => String::new(),
    };
    Text { title, message }
}

/// A squash of one commit keeps its text; one of several lists them.
pub(super) fn of_squash(repo: &Repo, pull: &Pull, commits: &[Commit], author: &Signature) -> Text {
    let one = match commits {
        [one] => Some(split(&one.message)),
        _ => None,
    };
    let title = match (repo.merging.squash_title, one) {
        (SquashTitle::CommitOrPrTitle, Some((subject, _))) => subject,
        (SquashTitle::CommitOrPrTitle, None) | (SquashTitle::PrTitle, _) => &pull.title,
    };
    let mut message = match (repo.merging.squash_message, one) {
        (SquashMessage::CommitMessages, Some((_, body))) => body.to_owned(),
        (SquashMessage::CommitMessages, None) => {
            let items: Vec<_> = commits.iter().map(|it| format!("* {}", it.message)).collect();
            items.join("\n\n")
        }
        (SquashMessage::PrBody, _) => pull.body.clone().unwrap_or_default(),
        (SquashMessage::Blank, _) => String::new(),
    };
    let trailers = co_authors(commits, author);
    if !trailers.is_empty() {
        let gap = if message.is_empty() { "" } else { "\n\n" };
        message = format!("{message}{gap}{}", trailers.join("\n"));
    }
    Text { title: format!("{title} (#{})", pull.number), message }
}

fn split(message: &str) -> (&str, &str) {
    let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
    (subject, body.trim())
}

fn co_authors(commits: &[Commit], author: &Signature) -> Vec<String> {
    let mut trailers = Vec::new();
    for Commit { author: other, .. } in commits {
        let trailer = format!("Co-authored-by: {} <{}>", other.name, other.email);
        if other.email != author.email && !trailers.contains(&trailer) {
            trailers.push(trailer);
        }
    }
    trailers
}
