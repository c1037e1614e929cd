//! A cursor over the lines of a diff.

use super::DiffError;
use std::ops::Range;

/// The lines of a text without their breaks; every line but a missing last one ends with one.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The next line without its break, or `None` at the end and for a line without a break.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n')?;
        Some(&rest[..length])
    }

    pub(super) fn next_line(&mut self, expected: &'static str) -> Result<&'a [u8], DiffError> {
        let line = self.peek().ok_or_else(|| self.fault(expected))?;
        self.at += line.len() + 1;
        self.line += 1;
        Ok(line)
    }

    /// What stands behind `prefix` on the next line, which is only taken when it has it.
    pub(super) fn take(&mut self, prefix: &[u8]) -> Option<&'a [u8]> {
        let line = self.peek()?;
        let rest = line.strip_prefix(prefix)?;
        self.at += line.len() + 1;
        self.line += 1;
        Some(rest)
    }

    pub(super) fn expect(
        &mut self,
        prefix: &[u8],
        expected: &'static str,
    ) -> Result<&'a [u8], DiffError> {
        self.take(prefix).ok_or_else(|| self.fault(expected))
    }

    /// Where the line lies that was taken last.
    pub(super) fn span_of(&self, line: &[u8]) -> Range<usize> {
        self.at - 1 - line.len()..self.at - 1
    }

    pub(super) fn fault(&self, expected: &'static str) -> DiffError {
        DiffError::Syntax { line: self.line, expected }
    }
}
