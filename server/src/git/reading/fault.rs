//! Why a tree is refused. No retry helps: the steps have to leave another one.

use std::time::Duration;

/// Paths stand escaped.
#[derive(Debug, thiserror::Error)]
pub enum TreeFault {
    #[error(
        "`{path}` is a git repository of its own: let a step delete `{path}/.git`, or let \
         `.gitignore` name the folder"
    )]
    Repository { path: String },
    #[error(
        "the submodule `{path}` was moved to another commit or holds another repository, and \
         only files can be changed: put it back with `git submodule update`, or remove it"
    )]
    Submodule { path: String },
    #[error(
        "`{path}` has {bytes} bytes, and a changed file may have {max}: let `.gitignore` name it, \
         or let a step delete it"
    )]
    FileTooLarge { path: String, bytes: u64, max: u64 },
    #[error(
        "the changed files have more than {max} bytes together: let `.gitignore` name what was \
         generated, or split the campaign"
    )]
    TooLarge { max: u64 },
    #[error("the steps left more than {max} files and folders: let a step delete what it made")]
    TooManyEntries { max: u64 },
    #[error("the folder `{path}` lies more than {max} folders deep")]
    TooDeep { path: String, max: usize },
    #[error("what the steps left could not be read within {} s", after.as_secs())]
    TooSlow { after: Duration },
    #[error("`{path}` is a file of the base and became a pipe, a socket or a device")]
    Kind { path: String },
    #[error("`{path}` cannot be read: its permissions were taken away")]
    Locked { path: String },
    #[error("`{path}` changed while it was read: a step left a process behind")]
    Moving { path: String },
    #[error("the file of rules `{path}` is larger than {max} bytes")]
    RulesTooLarge { path: String, max: u64 },
}
