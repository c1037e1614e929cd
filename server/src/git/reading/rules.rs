//! `.gitignore` and `.gitattributes`, as the folders of the tree hold them.

use super::{
    convert::{Conversion, Ends, Ident, LineEnds},
    encoding::Encoding,
    fault::TreeFault,
    folder::{Folder, Kind},
    join, shown,
};
use crate::git::error::GitError;
use gix_attributes::{
    StateRef,
    search::{MetadataCollection, Outcome},
};
use gix_ignore::{glob::pattern::Case, search::Ignore};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Where patterns believe that the tree lies.
const ROOT: &str = "/tree";
/// The attributes that decide how a file is committed.
const NAMES: [&str; 6] = ["text", "crlf", "eol", "ident", "working-tree-encoding", "filter"];

/// The rules of a folder and of those that it lies in.
pub(super) struct Rules {
    ignored: gix_ignore::Search,
    attributes: gix_attributes::Search,
    known: MetadataCollection,
    outcome: Outcome,
    folders: Vec<Entered>,
    bytes_max: u64,
    bytes: u64,
}

/// A folder that brought patterns.
struct Entered {
    depth: usize,
    file: RulesFile,
}

#[derive(Clone, Copy)]
enum RulesFile {
    Ignore,
    Attributes,
}

/// How a file gets into a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileRules {
    /// Or the name of an encoding that is not known.
    pub(super) conversion: Result<Conversion, String>,
    /// The program that would have a say.
    pub(super) filter: Option<String>,
}

impl Default for FileRules {
    fn default() -> Self {
        Self { conversion: Ok(Conversion::default()), filter: None }
    }
}

impl Rules {
    /// With at most this many bytes of rules in all.
    pub(super) fn new(bytes_max: u64) -> Result<Self, GitError> {
        let mut rules = Self {
            ignored: gix_ignore::Search::default(),
            attributes: gix_attributes::Search::default(),
            known: MetadataCollection::default(),
            outcome: Outcome::default(),
            folders: Vec::new(),
            bytes_max,
            bytes: 0,
        };
        rules.add_attributes(
            b"[attr]binary -diff -merge -text",
            PathBuf::from("[builtin]"),
            None,
        )?;
        Ok(rules)
    }

    /// Goes to a folder at a depth: what folders beside it say does not hold for it.
    pub(super) fn enter(&mut self, depth: usize, folder: &Folder) -> Result<(), GitError> {
        self.leave(depth);
        let source = |name| Path::new(ROOT).join(OsStr::from_bytes(&join(folder.path(), name)));
        if let Some(bytes) = self.read(folder, b".gitignore")? {
            let root = Some(Path::new(ROOT));
            self.ignored
                .add_patterns_buffer(&bytes, source(b".gitignore"), root, Ignore::default())
                .map_err(unread)?;
            self.folders.push(Entered { depth, file: RulesFile::Ignore });
        }
        if let Some(bytes) = self.read(folder, b".gitattributes")? {
            self.add_attributes(&bytes, source(b".gitattributes"), Some(depth))?;
            self.folders.push(Entered { depth, file: RulesFile::Attributes });
        }
        Ok(())
    }

    /// Leaves every folder of this depth and below.
    pub(super) fn leave(&mut self, depth: usize) {
        while let Some(last) = self.folders.pop_if(|last| last.depth >= depth) {
            match last.file {
                RulesFile::Ignore => drop(self.ignored.patterns.pop()),
                RulesFile::Attributes => drop(self.attributes.pop_pattern_list()),
            }
        }
    }

    /// Git does not read rules through links either.
    fn read(&mut self, folder: &Folder, name: &[u8]) -> Result<Option<Vec<u8>>, GitError> {
        match folder.kind(name)? {
            Some(Kind::File { .. }) => {}
            Some(Kind::Folder | Kind::Link | Kind::Other) | None => return Ok(None),
        }
        let too_large = || {
            let path = shown(&join(folder.path(), name));
            TreeFault::RulesTooLarge { path, max: self.bytes_max }
        };
        let bytes = match folder.file(name, self.bytes_max - self.bytes) {
            Err(GitError::Tree(TreeFault::FileTooLarge { .. })) => return Err(too_large().into()),
            read => read?,
        };
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Some(bytes))
    }

    fn add_attributes(
        &mut self,
        bytes: &[u8],
        source: PathBuf,
        depth: Option<usize>,
    ) -> Result<(), GitError> {
        let root = depth.map(|_| Path::new(ROOT));
        // Git takes new macros at the top only.
        let takes_macros = depth.is_none_or(|depth| depth == 0);
        self.attributes
            .add_patterns_buffer(bytes, source, root, &mut self.known, takes_macros)
            .map_err(unread)?;
        self.outcome.initialize_with_selection(&self.known, NAMES);
        Ok(())
    }

    /// Whether the last pattern that matches a path ignores it. What lies in an ignored folder is
    /// ignored too, which is for the caller to know.
    pub(super) fn ignores(&self, path: &[u8], is_folder: IsFolder) -> bool {
        let is_folder = Some(is_folder == IsFolder::Yes);
        let found =
            self.ignored.pattern_matching_relative_path(path.into(), is_folder, Case::Sensitive);
        found.is_some_and(|found| !found.pattern.is_negative())
    }

    /// What `.gitattributes` say of a file.
    pub(super) fn of_file(&mut self, path: &[u8]) -> FileRules {
        self.outcome.reset();
        let is_folder = Some(false);
        let (attributes, outcome) = (&self.attributes, &mut self.outcome);
        attributes.pattern_matching_relative_path(path.into(), Case::Sensitive, is_folder, outcome);
        let mut states = outcome.iter_selected().map(|found| found.assignment.state);
        let mut next = || states.next().unwrap_or(StateRef::Unspecified);
        let (text, crlf, eol, ident, encoding, filter) =
            (next(), next(), next(), next(), next(), next());
        let conversion = encoding_of(encoding).map(|encoding| Conversion {
            line_ends: line_ends(text, crlf, eol),
            encoding,
            ident: match ident {
                StateRef::Set => Ident::Collapse,
                StateRef::Unset | StateRef::Value(_) | StateRef::Unspecified => Ident::Keep,
            },
        });
        FileRules { conversion, filter: value(filter) }
    }
}

fn unread(error: std::io::Error) -> GitError {
    GitError::disk("a file of rules could not be read")(error)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsFolder {
    Yes,
    No,
}

fn value(state: StateRef<'_>) -> Option<String> {
    match state {
        StateRef::Value(value) => Some(value.as_bstr().to_string()),
        StateRef::Set | StateRef::Unset | StateRef::Unspecified => None,
    }
}

fn encoding_of(state: StateRef<'_>) -> Result<Option<Encoding>, String> {
    match state {
        StateRef::Unspecified => Ok(None),
        StateRef::Set => Err("true".to_owned()),
        StateRef::Unset => Err("false".to_owned()),
        StateRef::Value(value) => {
            let name = value.as_bstr().to_string();
            if name.is_empty() { Ok(None) } else { Encoding::parse(&name).map_err(|_| name) }
        }
    }
}

/// What `text` says, or in its place the older `crlf`.
#[derive(Clone, Copy)]
enum Text {
    Yes,
    No,
    Auto,
    Unsaid,
}

fn line_ends(text: StateRef<'_>, crlf: StateRef<'_>, eol: StateRef<'_>) -> LineEnds {
    let ends = match value(eol).as_deref() {
        Some("lf") => Some(Ends::Lf),
        Some("crlf") => Some(Ends::CrLf),
        Some(_) | None => None,
    };
    let text = match text_of(text) {
        Text::Unsaid => text_of(crlf),
        said @ (Text::Yes | Text::No | Text::Auto) => said,
    };
    match (text, ends) {
        (Text::No, _) | (Text::Unsaid, None) => LineEnds::Keep,
        (Text::Auto, ends) => LineEnds::Auto(ends.unwrap_or(Ends::Lf)),
        (Text::Yes | Text::Unsaid, ends) => LineEnds::Text(ends.unwrap_or(Ends::Lf)),
    }
}

fn text_of(state: StateRef<'_>) -> Text {
    match state {
        StateRef::Set => Text::Yes,
        StateRef::Unset => Text::No,
        StateRef::Unspecified => Text::Unsaid,
        StateRef::Value(value) => match value.as_bstr().to_string().as_str() {
            "input" => Text::Yes,
            "auto" => Text::Auto,
            _ => Text::Unsaid,
        },
    }
}
