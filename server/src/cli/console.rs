//! Results on stdout, progress and errors on stderr.
//!
//! Texts of others are printed without control characters: a title cannot move the cursor.

use super::CliError;
use crate::api::wire::ErrorBody;
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

pub struct Console<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub format: Format,
    pub colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Off,
    On,
}

/// What a piece of text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Busy,
    Bad,
}

impl Console<'_> {
    /// One line of the result.
    pub fn line(&mut self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(self.out, "{text}")?)
    }

    pub fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(&text)
    }

    /// One line of progress; silent where the result alone is wanted.
    pub fn progress(&mut self, text: &str) -> Result<(), CliError> {
        match self.format {
            Format::Text => Ok(writeln!(self.err, "{text}")?),
            Format::Json => Ok(()),
        }
    }

    /// Shows an error and what to do about it.
    pub fn fail(&mut self, error: &CliError) -> io::Result<()> {
        // Whoever reads, such as `head`, has enough.
        if matches!(error, CliError::Output(source) if source.kind() == ErrorKind::BrokenPipe) {
            return Ok(());
        }
        match self.format {
            Format::Json => {
                let body = ErrorBody { error: error.detail() };
                writeln!(self.err, "{}", serde_json::to_string(&body).unwrap_or_default())
            }
            Format::Text => {
                let label = self.paint(Tone::Bad, "error:");
                writeln!(self.err, "{label} {error}")?;
                match error.hint() {
                    Some(hint) => writeln!(self.err, "hint: {hint}"),
                    None => Ok(()),
                }
            }
        }
    }

    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match (self.colour, tone) {
            (Colour::Off, _) | (_, Tone::Plain) => return text.to_owned(),
            (Colour::On, Tone::Good) => 32,
            (Colour::On, Tone::Busy) => 33,
            (Colour::On, Tone::Bad) => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A text of others, on one line and without anything that a terminal obeys or reorders.
#[must_use]
pub fn printable(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Lays rows out in columns; the last column is as wide as it likes.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let lay = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(lay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_cannot_steer_a_terminal() {
        for (text, expected) in [
            ("plain ä", "plain ä"),
            ("a\u{1b}[31mb", "a\u{fffd}[31mb"),
            ("a\nb\tc\r", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("a\u{202e}b\u{9b}c", "a\u{fffd}b\u{fffd}c"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["open", "ä/b", "Title"], ["merged", "acme/web", "T"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), ["open    ä/b       Title", "merged  acme/web  T"]);
    }
}
