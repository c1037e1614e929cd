//! Results on stdout, progress and errors on stderr.
//!
//! Texts of others are printed without control characters: a title cannot move the cursor.

use super::CliError;
use crate::api::wire::ErrorBody;
use serde::Serialize;
use std::io::{self, BufRead, ErrorKind, Write};

pub struct Console<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    /// Where a person answers; `None` in scripts.
    pub answers: Option<&'a mut dyn BufRead>,
    pub format: Format,
    pub colour: Colour,
}

/// What a person says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Yes,
    No,
    /// Nobody is there to be asked.
    Nobody,
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

    /// Asks a person, if there is one; everything but a clear yes is a no.
    pub fn ask(&mut self, question: &str) -> Result<Reply, CliError> {
        let Some(answers) = self.answers.as_mut().filter(|_| self.format == Format::Text) else {
            return Ok(Reply::Nobody);
        };
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        let mut line = String::new();
        io::Read::take(&mut **answers, REPLY_BYTES_MAX).read_line(&mut line)?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(Reply::Yes),
            _ => Ok(Reply::No),
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

/// The longest reply to a question that is read.
const REPLY_BYTES_MAX: u64 = 1_000;

/// A text of others with the line breaks that it has, its further lines indented by so much.
#[must_use]
pub fn printable_lines(text: &str, indent: usize) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(printable).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
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
    fn line_breaks_of_others_are_line_breaks() {
        for (text, expected) in
            [("one", "one"), ("one\ntwo\r\n\tthree\n\n", "one\n  two\n  \u{fffd}three"), ("", "")]
        {
            assert_eq!(printable_lines(text, 2), expected);
        }
    }

    #[test]
    fn a_question_is_answered_by_a_clear_yes_only() {
        let ask = |typed: Option<&str>, format| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut typed = typed.map(str::as_bytes);
            let answers = typed.as_mut().map(|it| it as &mut dyn BufRead);
            let colour = Colour::Off;
            let mut console = Console { out: &mut out, err: &mut err, answers, format, colour };
            (console.ask("Go on?").unwrap(), String::from_utf8(err).unwrap())
        };
        for (typed, expected) in
            [("y\n", Reply::Yes), ("YES \n", Reply::Yes), ("\n", Reply::No), ("", Reply::No)]
        {
            assert_eq!(ask(Some(typed), Format::Text), (expected, "Go on? [y/N] ".to_owned()));
        }
        assert_eq!(ask(None, Format::Text), (Reply::Nobody, String::new()));
        assert_eq!(ask(Some("y\n"), Format::Json), (Reply::Nobody, String::new()));
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["open", "ä/b", "Title"], ["merged", "acme/web", "T"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), ["open    ä/b       Title", "merged  acme/web  T"]);
    }
}
