//! Why a tree is refused. No retry helps: the steps have to leave another one.

pub use super::encoding::EncodingFault;
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
    #[error("with `{path}`, the files of rules have more than {max} bytes together")]
    RulesTooLarge { path: String, max: u64 },
    #[error(
        "`{path}` belongs to Git LFS, says `.gitattributes`, and its content cannot be uploaded \
         from here: leave it as it is, or let a step write the pointer of an object that the \
         code host has"
    )]
    Lfs { path: String },
    #[error(
        "`{path}` goes through the filter `{filter}`, says `.gitattributes`, and filters are not \
         run here: leave it as it is, or let a step take the rule away"
    )]
    Filter { path: String, filter: String },
    #[error("`{path}` has the encoding `{encoding}`, says `.gitattributes`, which is not known")]
    Encoding { path: String, encoding: String },
    #[error("`{path}` is not written as `.gitattributes` say: {fault}")]
    Text { path: String, fault: EncodingFault },
}
