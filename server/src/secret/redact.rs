//! Takes secrets out of words that others wrote, before people or logs see them.

/// The longest text that is kept, in characters.
const TEXT_CHARS_MAX: usize = 500;
const REDACTED: &str = "[redacted]";
/// How tokens begin: GitHub's, GitLab's and our own.
const TOKEN_PREFIXES: [&str; 8] =
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", super::token::PREFIX];
/// What stands before a credential in a header.
const SCHEMES: [&str; 3] = ["bearer", "basic", "token"];
/// A word that follows a scheme is a credential from this length on; shorter ones are prose.
const CREDENTIAL_CHARS_MIN: usize = 16;

/// The text on one line, without tokens, credentials of URLs and headers, and not too long.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut words = Vec::new();
    let mut after_scheme = false;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let is_credential = after_scheme && word.chars().count() >= CREDENTIAL_CHARS_MIN;
        words.push(if is_credential { REDACTED.to_owned() } else { redact_word(word) });
        let bare = word.trim_end_matches(':').to_ascii_lowercase();
        after_scheme = SCHEMES.contains(&bare.as_str());
    }
    shorten(&words.join(" "))
}

fn redact_word(word: &str) -> String {
    let word = without_userinfo(word);
    let starts = TOKEN_PREFIXES.iter().filter_map(|prefix| word.find(prefix));
    let Some(start) = starts.min() else { return word };
    let rest = &word[start..];
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(rest.len());
    format!("{}{REDACTED}{}", &word[..start], redact_word(&rest[end..]))
}

fn without_userinfo(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{REDACTED}{}", &rest[at..]),
        None => word.to_owned(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected, "{text:?}");
    }

    #[test]
    fn tokens_are_taken_out_wherever_they_stand() {
        check("bad ghp_abcDEF123 here", "bad [redacted] here");
        check("url?token=github_pat_11AA_bb&x=1", "url?token=[redacted]&x=1");
        check("(gho_a, ghs_b) drv_c", "([redacted], [redacted]) [redacted]");
        check("https://user:pw@github.com/a/b", "https://[redacted]@github.com/a/b");
        check("https://ghp_x@github.com", "https://[redacted]@github.com");
        check("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted]");
        check("authorization: basic dXNlcjpwYXNzd29yZA==", "authorization: basic [redacted]");
    }

    #[test]
    fn prose_stays() {
        check("the token is unknown", "the token is unknown");
        check("see https://docs.github.com/rest@2022", "see https://docs.github.com/rest@2022");
        check("mail a@b.dev", "mail a@b.dev");
    }

    #[test]
    fn the_result_is_one_line_of_bounded_length() {
        check("a\nb\r\n\u{1b}[31mc\0d", "a b [31mc d");
        assert_eq!(redact(&"ä".repeat(600)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
