//! Characters that nobody sees. Where something is wrong, they are named.

/// A character that shows nothing, or that looks like a space and is none, in words.
pub(super) fn invisible(c: char) -> Option<&'static str> {
    Some(match c {
        '\t' => "tab",
        '\n' => "line break",
        '\r' => "carriage return",
        '\u{85}' => "next line",
        '\u{a0}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{34f}' => "combining grapheme joiner",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "Hangul filler",
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' => "space of another width",
        '\u{180e}' => "vowel separator",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "mark of the writing direction"
        }
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202f}' => "narrow no-break space",
        '\u{2060}' => "word joiner",
        '\u{2061}'..='\u{2064}' => "invisible operator",
        '\u{3000}' => "ideographic space",
        '\u{fe00}'..='\u{fe0f}' => "variation selector",
        '\u{feff}' => "byte order mark",
        '\u{e0000}'..='\u{e007f}' => "tag character",
        c if c.is_control() => "control character",
        _ => return None,
    })
}

/// Controls and bidirectional marks, which could make a terminal show something else.
pub(super) fn moves_the_cursor(c: char) -> bool {
    let bidirectional = matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || bidirectional
}

/// `U+00A0 (no-break space)`, for the first character of a line that nobody sees. What joins the
/// characters of other scripts and of emoji is a part of them; tabs count where they indent.
pub(super) fn first_invisible(line: &str) -> Option<String> {
    let (mut before, mut is_indentation) = (' ', true);
    for c in line.trim_end_matches(['\r', '\n']).chars() {
        let is_part = match c {
            '\t' => !is_indentation,
            '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => !before.is_ascii(),
            _ => false,
        };
        if let Some(name) = invisible(c).filter(|_| !is_part) {
            return Some(format!("U+{:04X} ({name})", u32::from(c)));
        }
        is_indentation &= c.is_whitespace();
        before = c;
    }
    None
}

/// The text with spaces for what looks like one, and without what shows nothing.
pub(super) fn made_visible(text: &str) -> String {
    let visible = text.chars().filter_map(|c| match invisible(c) {
        None => Some(c),
        Some(_) if c.is_whitespace() => Some(' '),
        Some(_) => None,
    });
    visible.collect::<String>().trim().to_owned()
}

/// Characters of a text that are repeated in a message.
const SHOWN_CHARS_MAX: usize = 60;

/// The text as messages repeat it: short, and with a number for what nobody sees.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN_CHARS_MAX) {
        match invisible(c) {
            Some(_) => shown.push_str(&format!("<U+{:04X}>", u32::from(c))),
            None => shown.push(c),
        }
    }
    if text.chars().count() > SHOWN_CHARS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_character_of_a_line_that_nobody_sees_is_named() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(first_invisible(line).as_deref(), expected, "{line:?}");
        };
        check("name: x", None);
        check("\u{a0} - repository: a/b", Some("U+00A0 (no-break space)"));
        check("name: x\u{200b}", Some("U+200B (zero width space)"));
        check("\tname: x", Some("U+0009 (tab)"));
        check("name: x\t# a comment", None);
        check("name: x\r\n", None);
        check("title: 👩\u{200d}🚀 ❤\u{fe0f} می\u{200c}خواهم", None);
        check("name: x\u{200d}", Some("U+200D (zero width joiner)"));
        check("a\u{202e}b", Some("U+202E (mark of the writing direction)"));
        check("a\u{1b}[31m", Some("U+001B (control character)"));
    }

    #[test]
    fn a_text_is_repeated_with_numbers_for_what_nobody_sees() {
        assert_eq!(shown("a\u{a0}b\n"), "a<U+00A0>b<U+000A>");
        assert_eq!(shown(&"x".repeat(70)), format!("{}…", "x".repeat(60)));
        assert_eq!(made_visible("\u{feff}zoo/\u{200b}one\u{a0}"), "zoo/one");
        assert_eq!(made_visible("a\u{3000}b"), "a b");
    }
}
