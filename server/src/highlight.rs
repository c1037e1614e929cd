//! Colours for code, as spans with classes and nothing else.
//!
//! The style sheet decides what a class looks like; HTML never carries a style of its own. Each
//! piece of text is escaped here, so that what comes out can stand in a page as it is.

use std::sync::LazyLock;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// A larger file is shown plain, in bytes.
pub const FILE_BYTES_MAX: usize = 512 << 10;
/// A longer file is shown plain, in lines.
pub const FILE_LINES_MAX: usize = 5_000;
/// A longer line is shown plain, in bytes: grammars take their time with minified code.
const LINE_BYTES_MAX: usize = 2_000;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);
static CLASSES: LazyLock<Vec<(Scope, &str)>> = LazyLock::new(|| {
    let classes = [
        ("comment", "hl-comment"),
        ("constant.numeric", "hl-number"),
        ("constant.language", "hl-constant"),
        ("constant.character.escape", "hl-escape"),
        ("constant", "hl-constant"),
        ("string", "hl-string"),
        ("keyword.operator", "hl-operator"),
        ("keyword", "hl-keyword"),
        ("storage", "hl-keyword"),
        ("entity.name.function", "hl-function"),
        ("support.function", "hl-function"),
        ("entity.name.tag", "hl-tag"),
        ("entity.other.attribute-name", "hl-attribute"),
        ("entity.name", "hl-type"),
        ("support.type", "hl-type"),
        ("support.class", "hl-type"),
        ("variable.parameter", "hl-variable"),
        ("markup.heading", "hl-heading"),
        ("markup.bold", "hl-strong"),
        ("invalid", "hl-invalid"),
    ];
    let parsed = classes.into_iter().filter_map(|(scope, class)| {
        // These are constants without a fault.
        Scope::new(scope).ok().map(|scope| (scope, class))
    });
    parsed.collect()
});

/// Highlights one side of a file, line by line from top to bottom.
pub struct Highlighter {
    state: Option<(ParseState, ScopeStack)>,
}

impl Highlighter {
    /// Chooses the grammar by the name of a file; plain when there is none.
    #[must_use]
    pub fn for_path(path: &str) -> Self {
        let state = syntax_of(path).map(|it| (ParseState::new(it), ScopeStack::new()));
        Self { state }
    }

    #[must_use]
    pub fn plain() -> Self {
        Self { state: None }
    }

    /// The line as HTML: escaped text, in spans where the grammar knows more.
    pub fn line(&mut self, text: &str) -> String {
        let mut html = String::with_capacity(text.len() + text.len() / 4);
        if text.len() <= LINE_BYTES_MAX
            && let Some((parser, stack)) = &mut self.state
        {
            let line = format!("{text}\n");
            if let Ok(operations) = parser.parse_line(&line, &SYNTAXES) {
                let mut start = 0;
                for (end, operation) in operations {
                    push_piece(&mut html, text.get(start..end.min(text.len())), stack);
                    start = end;
                    if stack.apply(&operation).is_err() {
                        *stack = ScopeStack::new();
                    }
                }
                push_piece(&mut html, text.get(start.min(text.len())..), stack);
                return html;
            }
            // A grammar with a fault: the rest of the file is plain.
            self.state = None;
        }
        escape(&mut html, text);
        html
    }
}

fn syntax_of(path: &str) -> Option<&'static SyntaxReference> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit('.').next().unwrap_or(name);
    SYNTAXES.find_syntax_by_extension(name).or_else(|| SYNTAXES.find_syntax_by_extension(ending))
}

fn push_piece(html: &mut String, piece: Option<&str>, stack: &ScopeStack) {
    let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return };
    let class = stack.as_slice().iter().rev().find_map(|scope| {
        CLASSES.iter().find(|(of, _)| of.is_prefix_of(*scope)).map(|(_, class)| *class)
    });
    match class {
        Some(class) => {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
            escape(html, piece);
            html.push_str("</span>");
        }
        None => escape(html, piece),
    }
}

/// Escapes a text for HTML. Control and bidirectional characters stand visible: they could make a
/// line look like another one.
pub fn escape(html: &mut String, text: &str) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\t' | 0x20..=0x7e => continue,
            // Only now a look at whole characters, which few texts need.
            _ => {
                html.push_str(&text[start..at]);
                return escape_slowly(html, &text[at..]);
            }
        };
        html.push_str(&text[start..at]);
        html.push_str(entity);
        start = at + 1;
    }
    html.push_str(&text[start..]);
}

fn escape_slowly(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\t' => html.push(c),
            c if is_hidden(c) => html.extend(c.escape_unicode()),
            c => html.push(c),
        }
    }
}

/// Whether a character is invisible or changes what its neighbours look like.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_gets_classes() {
        let mut rust = Highlighter::for_path("src/a.rs");
        let html = rust.line("fn a() -> &'static str { \"<b>\" } // x");
        assert!(html.contains("<span class=\"hl-keyword\">fn</span>"), "{html}");
        assert!(
            html.contains("<span class=\"hl-comment\">// x</span>") || html.contains("hl-comment")
        );
        assert!(html.contains("&lt;b&gt;"), "{html}");
        assert_eq!(Highlighter::for_path("unknown.zzz").line("a < b"), "a &lt; b");
    }

    #[test]
    fn hidden_characters_stand_visible() {
        for (text, expected) in [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{7f}", "\\u{7f}"),
            ("a\0", "a\\u{0}"),
            ("\u{feff}x", "\\u{feff}x"),
            ("ü\t<", "ü\t&lt;"),
            ("'\"", "&#39;&quot;"),
        ] {
            let mut html = String::new();
            escape(&mut html, text);
            assert_eq!(html, expected);
        }
    }
}
