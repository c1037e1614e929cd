use super::*;

fn added(path: &str, lines: &[&str]) -> String {
    let body: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    format!(
        "diff --git a/{path} b/{path}\nnew file mode 100644\nindex {}..{}\n--- /dev/null\n\
         +++ b/{path}\n@@ -0,0 +1,{} @@\n{body}",
        "0".repeat(40),
        "1".repeat(40),
        lines.len()
    )
}

fn shown(text: &str, colours: Colours) -> DiffView {
    view(&Diff::parse(text.as_bytes().to_vec()).unwrap().unwrap(), colours)
}

fn lines(view: &DiffView) -> impl Iterator<Item = &LineView> {
    view.files
        .iter()
        .flat_map(|file| match &file.body {
            FileBody::Hunks { hunks, .. } => hunks.as_slice(),
            FileBody::Binary | FileBody::Empty | FileBody::TooLarge => &[],
        })
        .flat_map(|hunk| &hunk.lines)
}

/// Whether HTML is text and spans with one class of ours, each closed.
fn is_harmless(mut html: &str) -> bool {
    let mut open = 0_u32;
    while let Some(at) = html.find(['<', '>', '"', '\'']) {
        html = &html[at..];
        if let Some(rest) = html.strip_prefix("</span>") {
            let Some(fewer) = open.checked_sub(1) else { return false };
            (open, html) = (fewer, rest);
            continue;
        }
        let Some(rest) = html.strip_prefix("<span class=\"hl-") else { return false };
        let Some((class, rest)) = rest.split_once("\">") else { return false };
        if !class.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return false;
        }
        (open, html) = (open + 1, rest);
    }
    open == 0
}

const PAYLOADS: &[&str] = &[
    "<script>alert(1)</script>",
    "</span></td><script>1</script>",
    "\"><img src=x onerror=1>",
    "' onmouseover='1",
    "<!--",
    "-->",
    "<![CDATA[",
    "&lt;script&gt;",
    "&#60;b&#62;",
    "<svg/onload=1>",
    "</textarea><script>",
    "<a href=javascript:1>",
    "{{7*7}}",
    "${1}",
    "`<b>`",
    "/* <b> */ <i>",
    "// <b>",
    "# <b>",
    "\"<b>\"",
    "'<b>'",
    "r#\"<b>\"#",
    "fn f<'a>(x: &'a str)",
    "a\u{202e}<b>",
    "\u{0}<b>",
    "\u{1b}[31m<b>",
    "\u{feff}<b>",
    "<\u{200b}script>",
    "\u{85}<b>",
    "ü<b>ß</b>",
    "<b\u{2028}>",
    "\\u003cb\\u003e",
    "<?php echo '<b>'; ?>",
    "<%= '<b>' %>",
    "<style>*{}</style>",
    "---<b>",
    "@@ <b>",
    "diff --git <b>",
    "\\ No <b>",
    "+<b>",
    "-<b>",
];

const ENDINGS: &[&str] = &[
    "rs",
    "html",
    "xml",
    "js",
    "ts",
    "tsx",
    "php",
    "py",
    "rb",
    "md",
    "css",
    "json",
    "yml",
    "sh",
    "erb",
    "vue",
    "go",
    "c",
    "java",
    "toml",
    "tex",
    "Makefile",
    "Dockerfile",
    "zzz",
];

#[test]
fn no_line_breaks_out_of_its_html() {
    let mut count = 0;
    for ending in ENDINGS {
        let text = added(&format!("x.{ending}"), PAYLOADS);
        for colours in [Colours::Plain, Colours::Highlighted] {
            for line in lines(&shown(&text, colours)) {
                assert!(is_harmless(&line.html), "{ending}: {}", line.html);
                assert!(!line.html.chars().any(|c| highlight::is_hidden(c) && c != '\t'));
                count += 1;
            }
        }
    }
    assert_eq!(count, PAYLOADS.len() * ENDINGS.len() * 2);
    for bad in ["<b>", "\"", "</span>", "<span class=\"hl-a\">", "<span class=\"hl-a\" x>"] {
        assert!(!is_harmless(bad), "{bad}");
    }
}

#[test]
fn lines_are_numbered_on_both_sides() {
    let (old, new) = ("2".repeat(40), "3".repeat(40));
    let view = shown(
        &format!(
            "diff --git a/a.zzz b/a.zzz\nindex {old}..{new} 100644\n--- a/a.zzz\n+++ b/a.zzz\n\
             @@ -4,3 +4,3 @@ fn x\n same\n-old\n+new\n same\n"
        ),
        Colours::Plain,
    );
    let numbers: Vec<_> = lines(&view).map(|line| (line.old, line.new, &*line.html)).collect();
    let expected = [
        (Some(4), Some(4), "same"),
        (Some(5), None, "old"),
        (None, Some(5), "new"),
        (Some(6), Some(6), "same"),
    ];
    assert_eq!(numbers, expected);
    assert_eq!((view.stat.added, view.stat.removed, view.stat.files), (1, 1, 1));
}

#[test]
fn large_files_are_folded_and_larger_ones_left_out() {
    let many = vec!["x"; 401];
    let view_of = |text: &str| shown(text, Colours::Highlighted);
    let folded = view_of(&added("a.rs", &many));
    assert!(matches!(folded.files[0].body, FileBody::Hunks { folded: true, .. }));
    let flat = view_of(&added("a.rs", &many[1..]));
    assert!(matches!(flat.files[0].body, FileBody::Hunks { folded: false, .. }));
    let huge = view_of(&added("a.rs", &vec!["x"; LINES_MAX + 1]));
    assert_eq!(huge.files[0].body, FileBody::TooLarge);
    let files: String = (0..302).map(|n| added(&format!("{n}"), &["x"])).collect();
    let cut = view_of(&files);
    assert_eq!((cut.files.len(), cut.files_left_out, cut.stat.files), (FILES_MAX, 2, 302));
}

#[test]
fn a_file_that_moved_is_shown_once() {
    let (zero, id) = ("0".repeat(40), "4".repeat(40));
    let view = shown(
        &format!(
            "diff --git a/old b/old\ndeleted file mode 100644\nindex {id}..{zero}\n--- a/old\n\
             +++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
             diff --git a/nеw b/nеw\nnew file mode 100644\nindex {zero}..{id}\n--- /dev/null\n\
             +++ b/nеw\n@@ -0,0 +1 @@\n+x\n"
        ),
        Colours::Plain,
    );
    assert_eq!(view.files.len(), 1);
    assert_eq!(view.files[0].change, FileChange::Renamed);
    assert_eq!(view.files[0].old_path.as_deref(), Some("old"));
}

#[test]
fn hidden_characters_of_a_path_stand_visible() {
    let view = shown(&added("a\u{202e}b", &["x"]), Colours::Plain);
    assert_eq!(view.files[0].path, "a\\u{202e}b");
}
