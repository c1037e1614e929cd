//! Names with `*` and `?`.

use crate::names::RepoName;

/// A part of a name, or a pattern of a whole one, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn matches(&self, repo: &RepoName) -> bool {
        let full = repo.as_str().to_lowercase();
        if !self.0.contains(['*', '?']) {
            return full.contains(&self.0);
        }
        let name = full.split_once('/').map_or(full.as_str(), |(_, name)| name);
        let subject = if self.0.contains('/') { &full } else { name };
        glob(self.0.as_bytes(), subject.as_bytes())
    }
}

/// Matches in linear space and without backtracking beyond the last star, so that no pattern is
/// slow. (A glob library would bring a regex engine into the browser for two characters.)
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut star) = (0, None);
    let mut index = 0;
    while index < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, index));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[index] => {
                at += 1;
                index += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, index) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}
