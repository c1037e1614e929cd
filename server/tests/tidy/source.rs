//! One Rust file, as the rules see it.
//!
//! The rules need no syntax tree. They need to know which text is code, which is comment and which
//! is string, where a function begins and ends, and what is compiled for tests only. A scanner of
//! a hundred lines tells that, without a parser among the dependencies.

/// What a character of a source belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
}

/// A Rust file, split by what its characters are; all three parts keep the lines of the file.
pub(super) struct Source {
    pub(super) path: String,
    /// The code, with comments and the insides of strings made blank.
    pub(super) code: String,
    /// The comments, with everything else made blank.
    pub(super) comments: String,
    /// The insides of strings, with everything else made blank.
    pub(super) strings: String,
    /// Whether the whole file is compiled for tests only.
    pub(super) is_test: bool,
}

/// A function: where it begins, what it is called, and how many lines it has.
pub(super) struct Function {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) lines: usize,
    pub(super) body: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let kinds = classify(&chars);
        let only = |wanted: Kind| {
            let keep = |(&char, &kind): (&char, &Kind)| {
                if char == '\n' || kind == wanted { char } else { ' ' }
            };
            chars.iter().zip(&kinds).map(keep).collect()
        };
        Self {
            path: path.to_owned(),
            code: only(Kind::Code),
            comments: only(Kind::Comment),
            strings: only(Kind::Text),
            is_test: ["/tests/", "/benches/", "/examples/"].iter().any(|it| path.contains(it)),
        }
    }

    /// The paths, without `.rs`, of the modules that this file declares for tests only.
    pub(super) fn test_modules(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs");
        let folder = ["/mod", "/lib", "/main"].iter().find_map(|it| path.strip_suffix(it));
        let mut modules = Vec::new();
        for (begin, _) in self.code.match_indices("#[cfg(test)]") {
            let item = &self.code[begin..item_end(&self.code, begin)];
            let name = item.split_once("mod ").and_then(|(_, rest)| rest.strip_suffix(';'));
            modules.extend(name.map(|it| format!("{}/{it}", folder.unwrap_or(path))));
        }
        modules
    }

    /// The code that runs outside of tests: modules and functions for tests are made blank.
    pub(super) fn product_code(&self) -> String {
        if self.is_test {
            return blank(&self.code);
        }
        let mut code = self.code.clone();
        for marker in ["#[cfg(test)]", "#[test]", "#[tokio::test"] {
            let mut from = 0;
            while let Some(begin) = code[from..].find(marker).map(|at| from + at) {
                let end = item_end(&code, begin);
                code.replace_range(begin..end, &blank(&code[begin..end]));
                from = end;
            }
        }
        code
    }

    pub(super) fn functions(&self) -> Vec<Function> {
        let is_name = |char: char| char.is_alphanumeric() || char == '_';
        let mut functions = Vec::new();
        for (begin, _) in self.code.match_indices("fn ") {
            let name: String =
                self.code[begin + 3..].chars().take_while(|&it| is_name(it)).collect();
            if name.is_empty() || self.code[..begin].chars().next_back().is_some_and(is_name) {
                continue;
            }
            let body = self.code[begin..item_end(&self.code, begin)].to_owned();
            let line = self.code[..begin].matches('\n').count() + 1;
            functions.push(Function { line, name, lines: body.matches('\n').count() + 1, body });
        }
        functions
    }
}

/// The number and text of each line that holds `needle` as a word of its own.
pub(super) fn lines_with<'a>(code: &'a str, needle: &str) -> Vec<(usize, &'a str)> {
    code.lines()
        .enumerate()
        .filter(|(_, line)| has_word(line, needle))
        .map(|(index, line)| (index + 1, line))
        .collect()
}

/// Whether `needle` stands in `line` with no letter, digit or underscore joined to it.
fn has_word(line: &str, needle: &str) -> bool {
    let joins = |char: Option<char>| char.is_some_and(|it| it.is_alphanumeric() || it == '_');
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + needle.len()..].chars().next();
        let goes_on = joins(before) && joins(needle.chars().next())
            || joins(after) && joins(needle.chars().next_back());
        !goes_on
    })
}

fn blank(text: &str) -> String {
    text.chars().map(|it| if it == '\n' { it } else { ' ' }).collect()
}

/// The end of the item that begins at `begin`: its last brace, or its semicolon.
fn item_end(code: &str, begin: usize) -> usize {
    let (mut braces, mut brackets) = (0_u32, 0_u32);
    for (at, char) in code[begin..].char_indices() {
        match char {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        if braces == 0 && brackets == 0 && matches!(char, '}' | ';') {
            return begin + at + 1;
        }
    }
    code.len()
}

/// Tells for each character whether it is code, comment, or the inside of a string.
fn classify(chars: &[char]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(chars.len());
    while kinds.len() < chars.len() {
        let rest = &chars[kinds.len()..];
        let (kind, length) = match rest {
            ['/', '/', ..] => (Kind::Comment, line_length(rest)),
            ['/', '*', ..] => (Kind::Comment, block_comment_length(rest)),
            ['"', ..] => (Kind::Text, string_length(rest)),
            ['r', '"' | '#', ..] if !joined(chars, kinds.len()) => match raw_string_length(rest) {
                Some(length) => (Kind::Text, length),
                None => (Kind::Code, 1),
            },
            ['\'', '\\', _, ..] => (Kind::Text, 3 + length_until(&rest[3..], '\'')),
            ['\'', _, '\'', ..] => (Kind::Text, 3),
            _ => (Kind::Code, 1),
        };
        kinds.resize((kinds.len() + length).min(chars.len()), kind);
    }
    kinds
}

/// Whether the character at `at` goes on with a name, so that it cannot begin a raw string. The
/// `b` and `c` of byte and C strings are no part of a name.
fn joined(chars: &[char], at: usize) -> bool {
    let before = chars[..at].iter().rev().take_while(|it| it.is_alphanumeric() || **it == '_');
    let name: String = before.collect();
    !matches!(name.as_str(), "" | "b" | "c")
}

/// The characters up to and with `end`.
fn length_until(chars: &[char], end: char) -> usize {
    chars.iter().position(|&it| it == end).map_or(chars.len(), |at| at + 1)
}

fn line_length(chars: &[char]) -> usize {
    chars.iter().position(|&it| it == '\n').unwrap_or(chars.len())
}

fn block_comment_length(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < chars.len() {
        match &chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The length of a raw string, or `None` where `r` begins a raw identifier.
fn raw_string_length(chars: &[char]) -> Option<usize> {
    let hashes = chars[1..].iter().take_while(|&&it| it == '#').count();
    let text = chars.get(1 + hashes..)?;
    if text.first() != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let close = text[1..].windows(end.len()).position(|it| it == end);
    Some(close.map_or(chars.len(), |at| 1 + hashes + 1 + at + end.len()))
}

mod tests {
    use super::{Source, lines_with};

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str, strings: &str) {
        let source = Source::new("src/x.rs", text);
        let words = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&source.code), code, "code of {text}");
        assert_eq!(words(&source.comments), comments, "comments of {text}");
        assert_eq!(words(&source.strings), strings, "strings of {text}");
    }

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        check("let a = 1; // b", "let a = 1;", "// b", "");
        check("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */", "");
        check(r#"a("b // c \" d") e"#, "a( ) e", "", r#""b // c \" d""#);
        check(r##"a(r#"b " c"#) d"##, "a( ) d", "", r##"r#"b " c"#"##);
        check("r#type for 'a '{' '\\'' b", "r#type for 'a b", "", "'{' '\\''");
    }

    #[test]
    fn code_for_tests_is_no_product_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}";
        let code = Source::new("src/x.rs", text).product_code();
        assert_eq!(lines_with(&code, "fn").len(), 2, "{code}");
        assert!(!code.contains("fn b"), "{code}");
    }

    #[test]
    fn a_module_for_tests_is_known_by_its_path() {
        let text = "#[cfg(test)]\nmod tests { fn a() {} }\n#[cfg(test)]\nmod b;\nmod c;";
        assert_eq!(Source::new("src/x/mod.rs", text).test_modules(), ["src/x/b"]);
        assert_eq!(Source::new("src/x.rs", text).test_modules(), ["src/x/b"]);
    }

    #[test]
    fn a_function_has_a_name_and_a_length() {
        let text = "struct A;\npub fn a(b: [u8; 2]) -> u8 {\n  \"}\";\n  1\n}\ntrait T { fn t(); }";
        let functions = Source::new("src/x.rs", text).functions();
        let seen: Vec<_> = functions.iter().map(|it| (&*it.name, it.line, it.lines)).collect();
        assert_eq!(seen, [("a", 2, 4), ("t", 6, 1)]);
    }

    #[test]
    fn a_word_is_found_as_a_whole() {
        assert_eq!(lines_with("a\nrand::x\nbrand", "rand"), [(2, "rand::x")]);
    }
}
