//! A unified diff in colours: a letter at each line says the same as its colour.

use super::html::escape;
use std::fmt::Write as _;

/// What is longer is cut off, and the page says so.
const LINES_MAX: usize = 5_000;

pub(super) fn show(patch: &str) -> String {
    if patch.is_empty() {
        return "<p>Nothing is changed.</p>".to_owned();
    }
    let mut out = String::new();
    let mut is_open = false;
    for line in patch.lines().take(LINES_MAX) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            if is_open {
                out.push_str("</pre></section>");
            }
            let name = names.rsplit_once(" b/").map_or(names, |(_, name)| name);
            let name = escape(name);
            let _ = write!(
                out,
                "<section class=\"file\"><h3>{name}</h3>\
                 <pre tabindex=\"0\" role=\"region\" aria-label=\"Changes of {name}\">"
            );
            is_open = true;
        } else if !is_noise(line) {
            let _ = writeln!(out, "<span class=\"{}\">{}</span>", class(line), escape(line));
        }
    }
    if is_open {
        out.push_str("</pre></section>");
    }
    if patch.lines().count() > LINES_MAX {
        let _ = write!(out, "<p>Only the first {LINES_MAX} lines are shown.</p>");
    }
    out
}

fn is_noise(line: &str) -> bool {
    line.starts_with("index ") || line.starts_with("--- ") || line.starts_with("+++ ")
}

fn class(line: &str) -> &'static str {
    match line.bytes().next() {
        Some(b'+') => "add",
        Some(b'-') => "del",
        Some(b'@') => "hunk",
        _ => "same",
    }
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn a_hostile_file_name_and_content_stay_text() {
        let html = show("diff --git a/<b> b/<b>\n@@ -1 +1 @@\n-<script>\n+\"&\n");
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
        assert!(html.contains("class=\"add\"") && html.contains("class=\"del\""));
    }
}
