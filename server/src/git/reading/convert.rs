//! Turns what lies in the tree into what is committed, and back, as `.gitattributes` say: line
//! ends, encodings and the keyword `$Id$`. Byte for byte as git does it, without its programs.

use super::encoding::{Encoding, EncodingFault};
use std::borrow::Cow;

/// What a file needs on its way into a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) line_ends: LineEnds,
    /// `None` for UTF-8, and for bytes of any kind.
    pub(super) encoding: Option<Encoding>,
    pub(super) ident: Ident,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineEnds {
    #[default]
    Keep,
    /// It is text.
    Text(Ends),
    /// It is text when it looks like text.
    Auto(Ends),
}

/// How lines end in the tree; in a commit they end with LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Lf,
    CrLf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ident {
    #[default]
    Keep,
    Collapse,
}

/// Whether the base holds a file that looks like text and has lines that end with CR LF. Where
/// git guesses what is text, it leaves such a file alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InBase {
    CrLf,
    Other,
    Unknown,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Converted<'a> {
    To(Cow<'a, [u8]>),
    /// It depends on [`InBase`].
    Depends,
}

impl Conversion {
    pub(super) fn to_commit<'a>(
        &self,
        content: &'a [u8],
        in_base: InBase,
    ) -> Result<Converted<'a>, EncodingFault> {
        let mut content = Cow::Borrowed(content);
        if let Some(encoding) = self.encoding
            && !content.is_empty()
        {
            content = Cow::Owned(encoding.to_utf8(&content)?);
        }
        let stats = Stats::of(&content);
        let converts = match self.line_ends {
            LineEnds::Keep => false,
            LineEnds::Text(_) => stats.crlf > 0,
            LineEnds::Auto(_) => stats.crlf > 0 && !stats.is_binary(),
        };
        if converts {
            match (self.line_ends, in_base) {
                (LineEnds::Auto(_), InBase::Unknown) => return Ok(Converted::Depends),
                (LineEnds::Auto(_), InBase::CrLf) => {}
                (LineEnds::Keep | LineEnds::Text(_) | LineEnds::Auto(_), _) => {
                    content = Cow::Owned(without_cr(&content));
                }
            }
        }
        Ok(Converted::To(match self.ident {
            Ident::Keep => content,
            Ident::Collapse => collapse(content),
        }))
    }

    /// What a checkout writes into the tree; `None` when it is what the commit holds.
    pub(super) fn to_tree(&self, content: &[u8]) -> Result<Option<Vec<u8>>, EncodingFault> {
        let stats = Stats::of(content);
        let converts = stats.lf > 0
            && match self.line_ends {
                LineEnds::Keep | LineEnds::Text(Ends::Lf) | LineEnds::Auto(Ends::Lf) => false,
                LineEnds::Text(Ends::CrLf) => true,
                LineEnds::Auto(Ends::CrLf) => {
                    stats.cr == 0 && stats.crlf == 0 && !stats.is_binary()
                }
            };
        let text = converts.then(|| with_cr(content));
        match self.encoding {
            Some(encoding) if !content.is_empty() => {
                encoding.of_utf8(text.as_deref().unwrap_or(content)).map(Some)
            }
            Some(_) | None => Ok(text),
        }
    }

    /// Whether a checkout may write anything else than what the commit holds.
    pub(super) fn changes_the_tree(&self) -> bool {
        let crlf = match self.line_ends {
            LineEnds::Keep | LineEnds::Text(Ends::Lf) | LineEnds::Auto(Ends::Lf) => false,
            LineEnds::Text(Ends::CrLf) | LineEnds::Auto(Ends::CrLf) => true,
        };
        crlf || self.encoding.is_some()
    }
}

/// Whether git would leave the line ends of such a file of the base alone.
pub(super) fn in_base(content: &[u8]) -> InBase {
    let stats = Stats::of(content);
    if stats.crlf > 0 && !stats.is_binary() { InBase::CrLf } else { InBase::Other }
}

/// What git counts to tell text from other files.
#[derive(Default)]
struct Stats {
    nul: usize,
    /// CR and LF that stand alone.
    cr: usize,
    lf: usize,
    crlf: usize,
    printable: usize,
    odd: usize,
}

impl Stats {
    fn of(content: &[u8]) -> Self {
        let mut stats = Self::default();
        let mut rest = content.iter().peekable();
        while let Some(&byte) = rest.next() {
            match byte {
                b'\r' if rest.next_if(|next| **next == b'\n').is_some() => stats.crlf += 1,
                b'\r' => stats.cr += 1,
                b'\n' => stats.lf += 1,
                0 => {
                    stats.nul += 1;
                    stats.odd += 1;
                }
                // Backspace, tab, escape and form feed.
                0x08 | b'\t' | 0x1b | 0x0c => stats.printable += 1,
                0x7f | 0x01..=0x1f => stats.odd += 1,
                _ => stats.printable += 1,
            }
        }
        // The end of a file of CP/M.
        if content.last() == Some(&0x1a) {
            stats.odd -= 1;
        }
        stats
    }

    fn is_binary(&self) -> bool {
        self.cr > 0 || self.nul > 0 || self.printable >> 7 < self.odd
    }
}

/// Without the CR in front of each LF.
fn without_cr(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(content.len());
    for (at, &byte) in content.iter().enumerate() {
        if byte != b'\r' || content.get(at + 1) != Some(&b'\n') {
            text.push(byte);
        }
    }
    text
}

fn with_cr(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(content.len() + content.len() / 16);
    let mut last = 0;
    for &byte in content {
        if byte == b'\n' && last != b'\r' {
            text.push(b'\r');
        }
        text.push(byte);
        last = byte;
    }
    text
}

/// `$Id: anything $` becomes `$Id$`, within one line.
fn collapse(content: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const START: &[u8] = b"$Id:";
    if !content.windows(START.len()).any(|it| it == START) {
        return content;
    }
    let mut text = Vec::with_capacity(content.len());
    let mut rest = &content[..];
    while let Some(at) = rest.windows(START.len()).position(|it| it == START) {
        let (before, found) = rest.split_at(at);
        let inner = &found[START.len()..];
        let end = inner.iter().position(|byte| matches!(byte, b'$' | b'\n'));
        text.extend(before);
        match end {
            Some(end) if inner[end] == b'$' => {
                text.extend(b"$Id$");
                rest = &inner[end + 1..];
            }
            Some(_) | None => {
                text.push(b'$');
                rest = &found[1..];
            }
        }
    }
    text.extend(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::{
        Conversion, Converted, Ends, Ident, InBase,
        LineEnds::{self, Auto, Keep, Text},
    };

    #[track_caller]
    fn check(line_ends: LineEnds, in_base: InBase, content: &[u8], committed: Option<&[u8]>) {
        let conversion = Conversion { line_ends, ..Conversion::default() };
        let wanted = committed.map_or(Converted::Depends, |it| Converted::To(it.into()));
        let shown = content.escape_ascii();
        assert_eq!(conversion.to_commit(content, in_base), Ok(wanted), "{line_ends:?} {shown}");
    }

    #[test]
    fn lines_end_in_a_commit_as_git_has_them() {
        let (text, auto) = (Text(Ends::CrLf), Auto(Ends::Lf));
        check(Keep, InBase::Unknown, b"a\r\nb\n", Some(b"a\r\nb\n"));
        check(text, InBase::Unknown, b"a\r\nb\n", Some(b"a\nb\n"));
        check(text, InBase::Unknown, b"a\rb\r\r\n\r", Some(b"a\rb\r\n\r"));
        check(text, InBase::CrLf, b"\0\r\n", Some(b"\0\n"));
        check(auto, InBase::Other, b"a\r\nb\n", Some(b"a\nb\n"));
        check(auto, InBase::CrLf, b"a\r\nb\n", Some(b"a\r\nb\n"));
        check(auto, InBase::Unknown, b"a\r\nb\n", None);
        check(auto, InBase::Unknown, b"a\nb\n", Some(b"a\nb\n"));
        check(auto, InBase::Unknown, b"\0a\r\n", Some(b"\0a\r\n"));
        check(auto, InBase::Unknown, b"a\r\nb\r", Some(b"a\r\nb\r"));
        check(auto, InBase::Unknown, b"\x01\x02\r\n", Some(b"\x01\x02\r\n"));
        check(auto, InBase::Other, b"a\r\n\x1a", Some(b"a\n\x1a"));
        check(auto, InBase::Unknown, b"", Some(b""));
    }

    #[test]
    fn lines_end_in_the_tree_as_git_has_them() {
        for (line_ends, content, tree) in [
            (Text(Ends::CrLf), &b"a\nb\r\n"[..], Some(&b"a\r\nb\r\n"[..])),
            (Text(Ends::CrLf), b"a\r\n", None),
            (Text(Ends::Lf), b"a\n", None),
            (Auto(Ends::CrLf), b"a\n", Some(b"a\r\n")),
            (Auto(Ends::CrLf), b"a\nb\r\n", None),
            (Auto(Ends::CrLf), b"a\n\0", None),
            (Keep, b"a\n", None),
        ] {
            let conversion = Conversion { line_ends, ..Conversion::default() };
            let found = conversion.to_tree(content).unwrap();
            assert_eq!(found.as_deref(), tree, "{line_ends:?} {}", content.escape_ascii());
        }
    }

    #[test]
    fn keywords_collapse() {
        let conversion = Conversion { ident: Ident::Collapse, ..Conversion::default() };
        for (content, committed) in [
            ("$Id: abc $ x", "$Id$ x"),
            ("$Id$", "$Id$"),
            ("$Id: a\n$ $Id: b $", "$Id: a\n$ $Id$"),
            ("$$Id:$", "$$Id$"),
            ("$Id: no end", "$Id: no end"),
            ("$Id: $Id: x $", "$Id$Id: x $"),
        ] {
            let found = conversion.to_commit(content.as_bytes(), InBase::Other);
            assert_eq!(found, Ok(Converted::To(committed.as_bytes().into())), "{content}");
        }
    }
}
