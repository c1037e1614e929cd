//! How large a spec may be. Whoever writes a spec is not trusted with the server's memory.

use super::SpecProblem;

/// The longest spec, in bytes.
pub const SPEC_BYTES_MAX: usize = 1 << 20;
/// Lists and maps within each other.
pub const DEPTH_MAX: usize = 32;
/// Texts, lists and maps.
pub const NODES_MAX: usize = 10_000;
/// Uses of an anchor (`*name`).
pub const ALIASES_MAX: usize = 50;
/// What aliases may add to a spec, in events of the YAML parser.
pub const ALIAS_EVENTS_MAX: usize = 10_000;
/// Aliases within what other aliases stand for.
pub const ALIAS_DEPTH_MAX: usize = 4;
/// One text, in bytes.
pub const SCALAR_BYTES_MAX: usize = 256 * 1000;
/// Problems that are listed; a text with more of them is not worth reading on.
pub const PROBLEMS_MAX: usize = 100;

pub const ON_MAX: usize = 1_000;
pub const BRANCHES_MAX: usize = 100;
pub const STEPS_MAX: usize = 100;
pub const ENV_MAX: usize = 200;
pub const ENV_NAME_BYTES_MAX: usize = 200;
pub const IMAGE_BYTES_MAX: usize = 500;
/// What GitHub takes as a title, in characters.
pub const TITLE_CHARS_MAX: usize = 256;
/// What GitHub takes as a body (65,536), less the room for Drover's marker.
pub const BODY_CHARS_MAX: usize = 64_000;
pub const AUTHOR_CHARS_MAX: usize = 200;
/// A query, in bytes.
pub const QUERY_BYTES_MAX: usize = 2_000;
/// The terms of a query.
pub const QUERY_TERMS_MAX: usize = 50;

/// The text of a spec, when it is one and not too long.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, SpecProblem> {
    if bytes.len() > SPEC_BYTES_MAX {
        let message = format!(
            "the spec has {} bytes; a spec may have {SPEC_BYTES_MAX} bytes (1 MiB)",
            bytes.len()
        );
        return Err(SpecProblem::whole(message).hint("move long scripts into the repositories"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    // A byte order mark is no part of the text.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn not_utf8(bytes: &[u8], at: usize) -> SpecProblem {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let (line, column) = end_of(&before);
    let message = format!("the spec is not UTF-8: the byte 0x{:02x} at offset {at}", bytes[at]);
    let hint = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "this looks like UTF-16: save the file as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    SpecProblem { line, column, ..SpecProblem::whole(message) }.hint(hint)
}

/// The line and column behind the last character of a text.
fn end_of(text: &str) -> (u32, u32) {
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}
