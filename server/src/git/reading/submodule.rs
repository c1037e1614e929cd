//! Tells whether a submodule was moved, from files that steps wrote.

use super::{
    folder::{Folder, Kind, Root},
    objects::Id,
};

/// The file `HEAD`, a reference or `.git` as a file, in bytes.
const FILE_BYTES_MAX: u64 = 4_096;

/// The commit that the repository in a submodule's folder has checked out; `None` where that is
/// not plain to see.
pub(super) fn head(root: &Root, path: &[u8], folder: &Folder) -> Option<Id> {
    let repository = match folder.kind(b".git").ok()?? {
        Kind::Folder => [path, b"/.git"].concat(),
        Kind::File { .. } => {
            let file = folder.file(b".git", FILE_BYTES_MAX).ok()?;
            resolve(path, file.trim_ascii().strip_prefix(b"gitdir: ")?)?
        }
        Kind::Link | Kind::Other => return None,
    };
    let repository = root.folder(&repository).ok()?;
    let head = repository.file(b"HEAD", FILE_BYTES_MAX).ok()?;
    let Some(name) = head.trim_ascii().strip_prefix(b"ref: ") else { return id(&head) };
    // `Folder::file` opens one name: no reference in folders, and nothing outside.
    let name = name.strip_prefix(b"refs/heads/").filter(|name| !name.contains(&b'/'))?;
    let heads = [repository.path(), b"/refs/heads"].concat();
    id(&root.folder(&heads).ok()?.file(name, FILE_BYTES_MAX).ok()?)
}

fn id(text: &[u8]) -> Option<Id> {
    hex::decode(text.trim_ascii()).ok()?.try_into().ok()
}

/// A path relative to a folder, as one from the root of the tree; `None` when it leads out.
fn resolve(folder: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    if path.starts_with(b"/") {
        return None;
    }
    let mut parts: Vec<&[u8]> = folder.split(|&byte| byte == b'/').collect();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn a_path_of_a_submodule_stays_inside() {
        for (folder, path, resolved) in [
            ("sub", "../.git/modules/sub", Some(".git/modules/sub")),
            ("a/b", "../../.git/modules/b", Some(".git/modules/b")),
            ("a/b", "./x//y", Some("a/b/x/y")),
            ("sub", "../../etc", None),
            ("sub", "/etc", None),
        ] {
            let found = resolve(folder.as_bytes(), path.as_bytes());
            assert_eq!(found.as_deref(), resolved.map(str::as_bytes), "{folder} {path}");
        }
    }
}
