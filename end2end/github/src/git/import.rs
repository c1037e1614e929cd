//! Commits made from file contents, by `git fast-import`: thousands of files in one process.

use super::{Git, GitError, Signature};

/// One commit on a branch, on top of what the branch has.
pub(crate) struct ImportCommit<'a> {
    pub(crate) branch: &'a str,
    /// Where a branch that is new begins; nowhere for a first commit.
    pub(crate) from: Option<&'a str>,
    pub(crate) message: &'a str,
    pub(crate) by: &'a Signature,
    pub(crate) files: Vec<ImportFile<'a>>,
}

pub(crate) enum ImportFile<'a> {
    Write { path: &'a str, mode: &'static str, content: &'a [u8] },
    Delete { path: &'a str },
}

impl Git {
    pub(crate) async fn import(&self, commit: &ImportCommit<'_>) -> Result<(), GitError> {
        let args = ["fast-import", "--quiet", "--done", "--date-format=rfc2822"];
        self.run_with(&args, &stream(commit), &[]).await.map(drop)
    }
}

fn stream(commit: &ImportCommit<'_>) -> Vec<u8> {
    let ImportCommit { branch, from, message, by, files } = commit;
    let Signature { name, email, at } = by;
    let date =
        chrono::DateTime::parse_from_rfc3339(at).map_or_else(|_| at.clone(), |at| at.to_rfc2822());
    let mut out = format!("commit refs/heads/{branch}\n").into_bytes();
    for role in ["author", "committer"] {
        out.extend(format!("{role} {name} <{email}> {date}\n").bytes());
    }
    data(&mut out, message.as_bytes());
    if let Some(from) = from {
        out.extend(format!("from {from}\n").bytes());
    }
    for file in files {
        match file {
            ImportFile::Write { path, mode, content } => {
                out.extend(format!("M {mode} inline {path}\n").bytes());
                data(&mut out, content);
            }
            ImportFile::Delete { path } => out.extend(format!("D {path}\n").bytes()),
        }
    }
    out.extend(b"done\n");
    out
}

fn data(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(format!("data {}\n", bytes.len()).bytes());
    out.extend(bytes);
    out.push(b'\n');
}
