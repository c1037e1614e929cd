//! Markdown of others as HTML that a page can hold.
//!
//! comrak renders, and ammonia keeps an allow-list of what came out: the second does not trust
//! the first. Links open pages and lend nobody our standing (`rel`), and images are left out: they
//! would tell strangers who reads, and a page of ours loads nothing from elsewhere. Comments, and
//! with them the mark of a changeset, are dropped.

use ammonia::{Builder, UrlRelative};
use comrak::{Options, markdown_to_html};
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// The longest text that is rendered, in bytes; GitHub's own limit for a body is 65,536
/// characters.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// The time to sanitise grows with the square of the depth: 5,000 block quotes take seconds.
const DEPTH_MAX: usize = 100;
/// What comrak writes without an end.
const VOID_TAGS: [&str; 4] = ["br", "hr", "img", "input"];

const TAGS: [&str; 30] = [
    "a",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
];
const MORE_TAGS: [&str; 4] = ["tr", "ul", "sub", "sup"];

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    // HTML passes here so that people can fold details; what may stay is decided behind.
    options.render.r#unsafe = true;
    options
});

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    // "Empty" keeps the library's own attributes; each list is set here.
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.into_iter().chain(MORE_TAGS).collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::new())
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("input", ["checked"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attribute_values("td", "align", ["left", "center", "right"])
        .add_tag_attribute_values("th", "align", ["left", "center", "right"])
        // A box of a task list, and nothing else that takes input.
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer ugc"))
        .strip_comments(true);
    builder
});

/// HTML of a text that is Markdown. A text that is too long is cut, and one that is nested too
/// deeply is shown as it is.
#[must_use]
pub fn to_html(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    let html = markdown_to_html(text, &OPTIONS);
    if depth(&html) > DEPTH_MAX {
        return format!("<pre>{}</pre>", ammonia::clean_text(text));
    }
    SANITISER.clean(&html).to_string()
}

/// How deeply elements are nested at most, seen without a parser: one that is never closed
/// counts as open to the end.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        let is_void = VOID_TAGS.iter().any(|name| tag.starts_with(name));
        match tag.bytes().next() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() && !is_void => depth += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markdown: &str, expected: &str) {
        assert_eq!(to_html(markdown).trim_end(), expected, "{markdown:?}");
    }

    #[test]
    fn what_people_write_is_rendered() {
        check(
            "*a* **b** ~~c~~ `d`",
            "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>",
        );
        check(
            "https://a.dev",
            r#"<p><a href="https://a.dev" rel="nofollow noopener noreferrer ugc">https://a.dev</a></p>"#,
        );
        check("2. x", "<ol start=\"2\">\n<li>x</li>\n</ol>");
        check("a < b & c", "<p>a &lt; b &amp; c</p>");
        check("```rust\nlet x = 1 < 2;\n```", "<pre><code>let x = 1 &lt; 2;\n</code></pre>");
        check(
            "<details><summary>s</summary>t</details>",
            "<details><summary>s</summary>t</details>",
        );
    }

    #[test]
    fn a_task_list_shows_boxes_that_cannot_be_pressed() {
        let html = to_html("- [x] done\n- [ ] open");
        assert_eq!(html.matches("<input").count(), 2, "{html}");
        assert_eq!(html.matches("checked").count(), 1, "{html}");
        assert_eq!(html.matches("disabled").count(), 2, "{html}");
        let typed = to_html(r#"<input type="password" name="p" value="v">"#);
        assert!(typed.contains(r#"type="checkbox""#) && !typed.contains("password"), "{typed}");
    }

    #[test]
    fn marks_and_comments_are_dropped() {
        check("Why.\n\n<!-- drover: changeset x -->", "<p>Why.</p>");
        check("a <!-- b --> c", "<p>a  c</p>");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        check("![alt](https://evil.dev/x.png)", "<p></p>");
        for tag in ["img src", "video src", "audio src", "iframe src", "link href", "object data"] {
            let html = to_html(&format!("<{tag}='https://evil.dev/x'>"));
            assert!(!html.contains("evil.dev"), "{tag}: {html}");
        }
    }

    #[test]
    fn hostile_sizes_are_borne() {
        for (piece, times) in
            [("<details>", 20_000), ("> ", 50_000), ("[", 100_000), ("*a ", 80_000), ("ä", 200_000)]
        {
            let html = to_html(&piece.repeat(times));
            assert!(html.len() < 8 * TEXT_BYTES_MAX, "{piece}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_shown_as_it_is() {
        let deep = |depth| format!("{}<b>", "> ".repeat(depth));
        assert!(to_html(&deep(90)).starts_with("<blockquote>"));
        assert!(to_html(&deep(110)).starts_with("<pre>&gt;"));
        assert!(to_html(&"a<br>".repeat(500)).starts_with("<p>a<br>"));
    }

    #[test]
    fn no_payload_of_the_corpus_leaves_anything_that_runs() {
        let corpus = include_str!("markdown_xss.txt");
        let payloads: Vec<&str> = corpus.split("\n%%\n").collect();
        assert!(payloads.len() >= 60, "{} payloads", payloads.len());
        for payload in payloads {
            for context in
                ["{}", "text {} text", "- {}", "> {}", "[{}](https://a.dev)", "|a|\n|-|\n|{}|"]
            {
                let markdown = context.replace("{}", payload);
                assert_harmless(&markdown, &to_html(&markdown));
            }
        }
    }

    /// Reads the HTML on its own, without the sanitiser's notion of it: every `<` starts a tag
    /// of the list, with attributes of the list, and links lead to where a click may go.
    fn assert_harmless(markdown: &str, html: &str) {
        for tag in html.split('<').skip(1) {
            let tag = tag.split_once('>').expect("a tag ends").0;
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let name = name.trim_start_matches('/');
            let listed = TAGS.contains(&name) || MORE_TAGS.contains(&name);
            assert!(listed, "<{tag}> from {markdown:?}");
            let mut rest = attributes.trim_end_matches('/').trim();
            while let Some((attribute, after)) = rest.split_once("=\"") {
                let (value, after) = after.split_once('"').expect("a value ends");
                assert_attribute(markdown, attribute.trim(), value);
                rest = after.trim();
            }
            assert_eq!(rest, "", "<{tag}> from {markdown:?}");
        }
    }

    fn assert_attribute(markdown: &str, name: &str, value: &str) {
        let allowed = match name {
            "href" => ["https://", "http://", "mailto:"].iter().any(|s| value.starts_with(s)),
            "rel" => value == "nofollow noopener noreferrer ugc",
            "type" => value == "checkbox",
            "disabled" | "checked" | "open" => value.is_empty(),
            "align" => ["left", "right", "center"].contains(&value),
            // Browsers read a number and leave the rest.
            "start" => true,
            _ => false,
        };
        assert!(allowed, "{name}={value:?} from {markdown:?}");
    }
}
