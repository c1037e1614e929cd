//! Every key of the language, once: the reader refuses what is not here, and the JSON Schema is
//! made of it.

use super::limits;

/// A key of a map.
#[derive(Debug)]
pub(in crate::campaign) struct Key {
    pub(in crate::campaign) name: &'static str,
    pub(in crate::campaign) about: &'static str,
    need: Need,
    pub(in crate::campaign) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

impl Key {
    pub(in crate::campaign) fn is_required(&self) -> bool {
        self.need == Need::Required
    }
}

/// What a key takes.
#[derive(Debug)]
pub(in crate::campaign) enum Kind {
    /// The number 1.
    Version,
    Name,
    /// A text of one line.
    Line {
        chars_max: usize,
    },
    /// A text of any lines.
    Text,
    Body,
    Script,
    Repository,
    Branch,
    Query,
    Image,
    Published,
    /// Names of variables to texts.
    Env,
    Map(&'static [Key]),
    List {
        of: &'static Self,
        items_max: usize,
    },
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, need: Need::Required, kind }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, need: Need::Optional, kind }
}

pub(in crate::campaign) const ROOT: &[Key] = &[
    optional("version", Kind::Version, "The version of this language: 1."),
    required("name", Kind::Name, "The campaign's name, unique in its namespace."),
    optional("description", Kind::Text, "What the campaign is for. Markdown."),
    optional(
        "on",
        Kind::List { of: &Kind::Map(ON), items_max: limits::ON_MAX },
        "The repositories to change.",
    ),
    optional(
        "steps",
        Kind::List { of: &Kind::Map(STEP), items_max: limits::STEPS_MAX },
        "What to run in each repository, in order. What they change becomes the pull request.",
    ),
    optional(
        "changesetTemplate",
        Kind::Map(TEMPLATE),
        "What the pull requests look like. Required when there are steps.",
    ),
];

pub(super) const ON: &[Key] = &[
    optional("repository", Kind::Repository, "One repository, such as `acme/web`."),
    optional("branch", Kind::Branch, "The branch to change; the default branch if left out."),
    optional(
        "branches",
        Kind::List { of: &Kind::Branch, items_max: limits::BRANCHES_MAX },
        "Several branches to change, each by a pull request of its own.",
    ),
    optional(
        "repositoriesMatchingQuery",
        Kind::Query,
        "Every repository that matches, such as `org:acme language:go`.",
    ),
];

pub(super) const STEP: &[Key] = &[
    required("run", Kind::Script, "A shell script; it runs in the root of the repository."),
    optional("env", Kind::Env, "Environment variables: names and texts."),
    optional("container", Kind::Image, "The container image in which the script runs."),
];

pub(super) const TEMPLATE: &[Key] = &[
    required(
        "title",
        Kind::Line { chars_max: limits::TITLE_CHARS_MAX },
        "The title of the pull requests.",
    ),
    optional("body", Kind::Body, "The text of the pull requests. Markdown."),
    optional(
        "branch",
        Kind::Branch,
        "The branch that Drover pushes; `drover/<name of the campaign>` if left out.",
    ),
    optional("commit", Kind::Map(COMMIT), "The commit; its message is the title if left out."),
    optional(
        "published",
        Kind::Published,
        "Whether to open pull requests: true, false or \"draft\". If left out, a person decides.",
    ),
];

pub(super) const COMMIT: &[Key] = &[
    optional("message", Kind::Text, "The message of the commit; the title if left out."),
    optional("author", Kind::Map(AUTHOR), "Who commits; Drover if left out."),
];

pub(super) const AUTHOR: &[Key] = &[
    required("name", Kind::Line { chars_max: limits::AUTHOR_CHARS_MAX }, "The author's name."),
    required(
        "email",
        Kind::Line { chars_max: limits::AUTHOR_CHARS_MAX },
        "The author's address of e-mail.",
    ),
];

/// The maps of the language, with the path that each stands at.
pub(super) const MAPS: &[(&str, &[Key])] = &[
    ("the top level", ROOT),
    ("on[]", ON),
    ("steps[]", STEP),
    ("changesetTemplate", TEMPLATE),
    ("changesetTemplate.commit", COMMIT),
    ("changesetTemplate.commit.author", AUTHOR),
];

/// Keys that Sourcegraph's language has and this one does not take, and what to do instead.
pub(super) const FOREIGN: &[(&str, &str)] = &[
    ("workspaces", "let the script walk through the directories of the repository"),
    ("importChangesets", "pull requests that exist cannot be tracked by a spec so far"),
    ("transformChanges", "each repository and branch gets one pull request"),
    ("changesetHooks", "pull requests are not mended by steps so far"),
    ("outputs", "write a file in one step and read it in the next"),
    ("files", "write the file in the script, with `cat > name <<'EOF'`"),
    ("if", "put the condition into the script"),
    ("mount", "write the file in the script, or fetch it from a repository"),
    ("fork", "branches are pushed to the repository itself"),
    ("image", "the image of a step is named by `container`"),
    ("codingAgent", "steps are shell scripts"),
    ("buildImage", "name an image that exists by `container`"),
    ("maxAttempts", "steps run once"),
    ("rootAtLocationOf", "let the script walk through the directories of the repository"),
    ("in", "let the script walk through the directories of the repository"),
    ("onlyFetchWorkspace", "the whole repository is fetched"),
    ("externalIDs", "pull requests that exist cannot be tracked by a spec so far"),
    ("group", "each repository and branch gets one pull request"),
    ("directory", "each repository and branch gets one pull request"),
];
