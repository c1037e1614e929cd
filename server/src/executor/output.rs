//! Turns what a step writes into harmless lines.

use super::LogEvent;
use drover::view::execution::LogStream;
use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
};

/// A longer line goes on in the next one, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 8 << 10;
/// The lines that a failure shows.
const TAIL_LINES: usize = 20;
const CHUNK_BYTES: usize = 16 << 10;

/// The log of one step.
pub(super) struct Log<'a> {
    pub(super) step: u32,
    pub(super) sender: &'a mpsc::Sender<LogEvent>,
    max: Most,
    bytes: AtomicU64,
    lines: AtomicU64,
    tail: Mutex<VecDeque<String>>,
}

/// What a step may write, to both streams together.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) bytes: u64,
    pub(super) lines: u64,
}

/// A step wrote more than it may.
pub(super) enum Flooded {
    Bytes,
    Lines,
}

impl<'a> Log<'a> {
    pub(super) fn new(step: u32, sender: &'a mpsc::Sender<LogEvent>, max: Most) -> Self {
        let (bytes, lines) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { step, sender, max, bytes, lines, tail: Mutex::default() }
    }

    /// Reads one of a step's streams to its end.
    pub(super) async fn pump(
        &self,
        stream: LogStream,
        mut pipe: impl AsyncRead + Unpin,
    ) -> Result<(), Flooded> {
        let mut waiting = Vec::with_capacity(CHUNK_BYTES);
        let mut chunk = vec![0; CHUNK_BYTES];
        // A pipe that cannot be read any more has ended.
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            waiting.extend_from_slice(&chunk[..read]);
            let mut start = 0;
            let lines = std::iter::from_fn(|| {
                let (line, next) = next_line(&waiting[start..])?;
                start += next;
                Some(line)
            });
            let (text, counted) = self.take(lines);
            // Harmless, a text can be longer than it was, and so it is stored.
            let size = text.as_ref().map_or(0, String::len).max(read);
            self.write(stream, text).await;
            waiting.drain(..start);
            counted?;
            self.count_bytes(size)?;
        }
        if !waiting.is_empty() {
            let (text, counted) = self.take([waiting.as_slice()]);
            self.write(stream, text).await;
            counted?;
        }
        Ok(())
    }

    /// Makes lines harmless and joins them, until there are too many.
    fn take<'b>(
        &self,
        lines: impl IntoIterator<Item = &'b [u8]>,
    ) -> (Option<String>, Result<(), Flooded>) {
        let mut text = None::<String>;
        for line in lines {
            if self.lines.fetch_add(1, Ordering::Relaxed) >= self.max.lines {
                return (text, Err(Flooded::Lines));
            }
            let line = harmless(&String::from_utf8_lossy(line));
            match &mut text {
                Some(text) => {
                    text.push('\n');
                    text.push_str(&line);
                }
                None => text = Some(line),
            }
        }
        (text, Ok(()))
    }

    fn count_bytes(&self, count: usize) -> Result<(), Flooded> {
        let count = count as u64;
        let before = self.bytes.fetch_add(count, Ordering::Relaxed);
        if before + count > self.max.bytes { Err(Flooded::Bytes) } else { Ok(()) }
    }

    async fn write(&self, stream: LogStream, text: Option<String>) {
        let Some(text) = text else { return };
        {
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            let last: Vec<&str> = text.rsplit('\n').take(TAIL_LINES).collect();
            tail.extend(last.into_iter().rev().map(ToOwned::to_owned));
            let surplus = tail.len().saturating_sub(TAIL_LINES);
            tail.drain(..surplus);
        }
        self.send(stream, text).await;
    }

    pub(super) async fn send(&self, stream: LogStream, text: String) {
        // Nobody listens any more: the step still decides how it ends.
        let _ = self.sender.send(LogEvent { step: self.step, stream, text }).await;
    }

    pub(super) fn tail(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A line without its break, and where the next one starts.
fn next_line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let window = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    match window.iter().position(|&byte| byte == b'\n') {
        Some(end) => Some((&bytes[..end], end + 1)),
        None if window.len() == LINE_BYTES_MAX => {
            let end = char_end(window);
            Some((&bytes[..end], end))
        }
        None => None,
    }
}

/// The end of the last whole character, so that a split breaks none.
fn char_end(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(4).position(|&byte| byte & 0xC0 != 0x80);
    match back {
        Some(back) if bytes[bytes.len() - 1 - back] >= 0xC0 => bytes.len() - 1 - back,
        _ => bytes.len(),
    }
}

/// What a terminal would show in the end, without its commands: escape sequences go, a line that
/// was overwritten shows its last state, other control and bidirectional characters stand escaped.
fn harmless(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => text.push(c),
            c if c.is_control() || is_bidi(c) => text.extend(c.escape_unicode()),
            c => text.push(c),
        }
    }
    text
}

fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => {
            // `ESC [`, parameters, a final character.
            chars.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            // A text, ended by BEL or by `ESC \`.
            let mut last = '\0';
            chars.find(|&c| {
                let ends = c == '\u{7}' || (last == '\u{1b}' && c == '\\');
                last = c;
                ends
            });
        }
        // `ESC ( B` and the like.
        Some('(' | ')' | '#' | '%') => {
            chars.next();
        }
        Some(_) | None => (),
    }
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_made_harmless() {
        for (line, expected) in [
            ("plain\ttext ü", "plain\ttext ü"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("a\u{1b}[2Jb", "ab"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bx", "x"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("10%\r20%\r30%", "30%"),
            ("windows\r", "windows"),
            ("a\u{8}b\0", "a\\u{8}b\\u{0}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(harmless(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_long_line_is_split_between_characters() {
        let line = format!("{}ü{}", "a".repeat(LINE_BYTES_MAX - 1), "b");
        let (first, next) = next_line(line.as_bytes()).unwrap();
        assert_eq!((first.len(), next), (LINE_BYTES_MAX - 1, LINE_BYTES_MAX - 1));
        assert_eq!(next_line("short".as_bytes()), None);
        assert_eq!(next_line(b"a\nb"), Some((&b"a"[..], 2)));
        let bytes = vec![0x80; LINE_BYTES_MAX];
        assert_eq!(next_line(&bytes).unwrap().1, LINE_BYTES_MAX);
    }
}
