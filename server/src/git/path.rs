//! Paths inside a repository that are safe on every system that may check them out.

use std::fmt;

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;
/// The longest part of a path, in bytes: what file systems take.
const PART_BYTES_MAX: usize = 255;

/// A path inside a repository, relative to its root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    Empty,
    TooLong,
    NotUtf8,
    Control,
    Backslash,
    Absolute,
    Climbs,
    EmptyPart,
    DotGit,
    Submodules,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is longer than file systems take",
            Self::NotUtf8 => "it is not UTF-8",
            Self::Control => "it holds a line break or another control character",
            Self::Backslash => "it holds a backslash, which other systems take for a separator",
            Self::Absolute => "it is absolute",
            Self::Climbs => "it has a part that is `.` or `..`",
            Self::EmptyPart => "it has an empty part",
            Self::DotGit => "it leads into `.git`, or to a name that some system takes for it",
            Self::Submodules => "submodules are not supported, so `.gitmodules` stays as it is",
        })
    }
}

impl RepoPath {
    pub fn parse(bytes: &[u8]) -> Result<Self, PathFault> {
        if bytes.is_empty() {
            return Err(PathFault::Empty);
        }
        if bytes.len() > PATH_BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PathFault::NotUtf8)?;
        if text.chars().any(is_break) {
            return Err(PathFault::Control);
        }
        if text.contains('\\') {
            return Err(PathFault::Backslash);
        }
        if text.starts_with('/') || has_drive(text) {
            return Err(PathFault::Absolute);
        }
        text.split('/').try_for_each(check_part)?;
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders that it lies in, innermost first.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.rmatch_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// Whether a symlink at this path with this target stays inside of the repository.
    pub(super) fn may_link_to(&self, target: &[u8]) -> bool {
        let Ok(target) = std::str::from_utf8(target) else { return false };
        if target.is_empty()
            || target.starts_with('/')
            || target.contains('\\')
            || target.chars().any(is_break)
            || has_drive(target)
        {
            return false;
        }
        let mut depth = self.parents().count();
        for part in target.split('/') {
            match part {
                "" | "." => (),
                ".." if depth == 0 => return false,
                ".." => depth -= 1,
                part if is_dot_git(part) => return false,
                _ => depth += 1,
            }
        }
        true
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters, and the two separators that some programs take for line breaks.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn check_part(part: &str) -> Result<(), PathFault> {
    match part {
        "" => Err(PathFault::EmptyPart),
        "." | ".." => Err(PathFault::Climbs),
        part if part.len() > PART_BYTES_MAX => Err(PathFault::TooLong),
        part if is_dot_git(part) => Err(PathFault::DotGit),
        part if is_short_for(part, "gitmod") || folded(part) == ".gitmodules" => {
            Err(PathFault::Submodules)
        }
        _ => Ok(()),
    }
}

fn is_dot_git(part: &str) -> bool {
    folded(part) == ".git" || is_short_for(part, "git")
}

/// The name as a forgiving file system would read it: HFS+ ignores zero-width characters and
/// case, NTFS ignores case, trailing dots and spaces, and what stands behind a colon.
fn folded(part: &str) -> String {
    let seen: String = part.chars().filter(|&c| !is_ignorable(c)).collect();
    let name = seen.split(':').next().unwrap_or_default();
    name.trim_end_matches(['.', ' ']).to_lowercase()
}

/// Whether NTFS may have made this short name (`git~1`) of a name that starts like `stem`.
fn is_short_for(part: &str, stem: &str) -> bool {
    let name = folded(part);
    let Some((before, number)) = name.split_once('~') else { return false };
    before == stem && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_paths_are_taken() {
        for path in [
            "a",
            "a/b",
            ".github/workflows/ci.yml",
            ".gitignore",
            ".gitattributes",
            "-x",
            "a b",
            "a..b",
            "...",
            "git",
            "x.git",
            "Foo::Bar.3pm",
            "ünï/ço",
            "a'b\"c",
            "git~x",
            "a.",
            "~",
        ] {
            assert!(RepoPath::parse(path.as_bytes()).is_ok(), "{path:?} should be taken");
        }
    }

    #[test]
    fn links_stay_inside() {
        for (path, target, stays) in [
            ("a", "b", true),
            ("a/b", "../c", true),
            ("a/b/c", "../../x/../y", true),
            ("a", "./b//c", true),
            ("a", "../b", false),
            ("a/b", "../../c", false),
            ("a/b", "x/../../../c", false),
            ("a", "/etc/passwd", false),
            ("a", ".git/config", false),
            ("a/b", "../.GIT/hooks", false),
            ("a", "", false),
            ("a", "b\n", false),
            ("a", "..\\b", false),
            ("a", "C:/x", false),
        ] {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(path.may_link_to(target.as_bytes()), stays, "{path} -> {target:?}");
        }
        assert!(!RepoPath("a".to_owned()).may_link_to(b"\xff"));
    }
}
