//! Paths inside a repository that are safe on every system that may check them out.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;
/// The longest part of a path, in bytes: what file systems take.
const PART_BYTES_MAX: usize = 255;

/// A path inside a repository, relative to its root. Git takes any bytes for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

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
            Self::Submodules => "a new `.gitmodules` brings submodules, which are not supported",
        })
    }
}

impl RepoPath {
    /// A path that is new to its repository: no system may take it for something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, PathFault> {
        let path = Self::parse_known(bytes)?;
        path.check_new(|_| false)?;
        Ok(path)
    }

    /// A path that a repository holds already: whatever git takes may be changed and may go.
    pub fn parse_known(bytes: &[u8]) -> Result<Self, PathFault> {
        if bytes.is_empty() {
            return Err(PathFault::Empty);
        }
        if bytes.len() > PATH_BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        if bytes.contains(&0) {
            return Err(PathFault::Control);
        }
        if bytes.starts_with(b"/") {
            return Err(PathFault::Absolute);
        }
        let path = Self(bytes.to_vec());
        path.parts().try_for_each(check_part)?;
        Ok(path)
    }

    /// Whether a path may be new, in a repository that knows some odd parts of paths already.
    pub(super) fn check_new(&self, knows: impl Fn(&[u8]) -> bool) -> Result<(), PathFault> {
        let mut parts = self.parts();
        let first = parts.next().unwrap_or_default();
        if has_drive(first) && !knows(first) {
            return Err(PathFault::Absolute);
        }
        for part in self.parts() {
            match check_new_part(part) {
                Err(_) if knows(part) => {}
                done => done?,
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For people: bytes that are no text are replaced.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }

    /// The folders that it lies in, innermost first.
    pub(super) fn parents(&self) -> impl Iterator<Item = &[u8]> {
        let slashes = self.0.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| &self.0[..at])
    }

    /// Whether a symlink at this path with this target stays inside of the repository.
    pub(super) fn may_link_to(&self, target: &[u8]) -> bool {
        let Ok(target) = std::str::from_utf8(target) else { return false };
        if target.is_empty()
            || target.starts_with('/')
            || target.contains('\\')
            || target.chars().any(is_break)
            || has_drive(target.as_bytes())
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
        let text = self.to_text();
        for c in text.chars() {
            if is_break(c) { write!(f, "{}", c.escape_debug())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

/// Control characters, and the two separators that some programs take for line breaks.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn has_drive(text: &[u8]) -> bool {
    matches!(text, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn check_part(part: &[u8]) -> Result<(), PathFault> {
    match part {
        b"" => Err(PathFault::EmptyPart),
        b"." | b".." => Err(PathFault::Climbs),
        part if part.len() > PART_BYTES_MAX => Err(PathFault::TooLong),
        // Other names that lead there are none that git would have checked out.
        part if part.eq_ignore_ascii_case(b".git") => Err(PathFault::DotGit),
        _ => Ok(()),
    }
}

fn check_new_part(part: &[u8]) -> Result<(), PathFault> {
    let part = std::str::from_utf8(part).map_err(|_| PathFault::NotUtf8)?;
    if part.chars().any(is_break) {
        return Err(PathFault::Control);
    }
    match part {
        part if part.contains('\\') => Err(PathFault::Backslash),
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
    fn what_is_there_may_go() {
        for (path, is_known, is_new) in [
            (&b"a/b"[..], true, true),
            (b"units/dev-disk-by\\x2dlabel.mount", true, false),
            (b"Icon\r", true, false),
            (b"C:x", true, false),
            (b"git~2", true, false),
            (b"\xff", true, false),
            (b".gitmodules", true, false),
            (b"a/.git/config", false, false),
            (b".GIT", false, false),
            (b"../x", false, false),
            (b"a//b", false, false),
            (b"/a", false, false),
            (b"", false, false),
        ] {
            let shown = path.escape_ascii();
            assert_eq!(RepoPath::parse_known(path).is_ok(), is_known, "{shown}");
            assert_eq!(RepoPath::parse(path).is_ok(), is_new, "{shown}");
        }
        let moved = RepoPath::parse_known(b"system/dev\\x2d.mount").unwrap();
        assert_eq!(moved.check_new(|part| part == b"dev\\x2d.mount"), Ok(()));
        assert_eq!(moved.check_new(|part| part == b"other\\"), Err(PathFault::Backslash));
    }

    #[test]
    fn a_path_is_shown_without_control_characters() {
        for (path, shown) in [
            (&b"a b"[..], "a b"),
            (b"Icon\r", "Icon\\r"),
            (b"\xff", "\u{fffd}"),
            ("\u{2028}".as_bytes(), "\\u{2028}"),
        ] {
            assert_eq!(RepoPath::parse_known(path).unwrap().to_string(), shown);
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
        assert!(!RepoPath(b"a".to_vec()).may_link_to(b"\xff"));
    }
}
