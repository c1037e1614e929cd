//! Diffs to look at: coloured, folded, binary, too large.

use crate::samples::stat;
use drover::{
    diff::{DiffStat, FileChange},
    view::diff::{DiffView, FileBody, FileView, HunkView, LineKind, LineView},
};

pub(crate) fn diff() -> DiffView {
    let files = vec![
        file("Cargo.toml", FileChange::Modified, stat(1, 2, 1), cargo_toml()),
        file("src/timer.rs", FileChange::Modified, stat(1, 4, 2), timer_rs()),
        file("Cargo.lock", FileChange::Modified, stat(1, 300, 300), lock()),
        file("assets/logo.png", FileChange::Added, stat(1, 0, 0), FileBody::Binary),
        FileView {
            old_path: Some("run.sh".into()),
            ..file("bin/run.sh", FileChange::Renamed, stat(1, 0, 0), FileBody::Empty)
        },
        file("vendor/huge.js", FileChange::Added, stat(1, 90_000, 0), FileBody::TooLarge),
    ];
    DiffView { stat: stat(6, 90_306, 303), files, files_left_out: 2 }
}

fn file(path: &str, change: FileChange, stat: DiffStat, body: FileBody) -> FileView {
    FileView { path: path.into(), old_path: None, change, stat, body }
}

fn line(kind: LineKind, old: u32, new: u32, html: &str) -> LineView {
    let some = |number: u32| (number > 0).then_some(number);
    LineView { kind, old: some(old), new: some(new), html: html.into() }
}

fn hunks(header: &str, lines: Vec<LineView>) -> FileBody {
    FileBody::Hunks { hunks: vec![HunkView { header: header.into(), lines }], folded: false }
}

fn cargo_toml() -> FileBody {
    use LineKind::{Added, Context, Removed};
    let version = |text: &str| {
        format!(
            "<span class=\"hl-variable\">tokio</span> = <span class=\"hl-string\">\"{text}\"</span>"
        )
    };
    hunks(
        "@@ -11,4 +11,5 @@ [dependencies]",
        vec![
            line(Context, 11, 11, "<span class=\"hl-type\">[dependencies]</span>"),
            line(
                Context,
                12,
                12,
                "<span class=\"hl-variable\">serde</span> = <span class=\"hl-string\">\"1\"</span> <span class=\"hl-comment\"># stays</span>",
            ),
            line(Removed, 13, 0, &version("1.38")),
            line(Added, 0, 13, &version("1.48")),
            line(
                Added,
                0,
                14,
                "<span class=\"hl-variable\">tokio-util</span> = <span class=\"hl-constant\">true</span>",
            ),
            line(Context, 14, 15, ""),
        ],
    )
}

fn timer_rs() -> FileBody {
    use LineKind::{Added, Context, Removed};
    hunks(
        "@@ -40,5 +40,7 @@ impl Timer",
        vec![
            line(
                Context,
                40,
                40,
                "    <span class=\"hl-keyword\">pub fn</span> <span class=\"hl-function\">tick</span>(&amp;<span class=\"hl-keyword\">mut</span> self) {",
            ),
            line(
                Removed,
                41,
                0,
                "        <span class=\"hl-keyword\">let</span> now = <span class=\"hl-type\">Instant</span>::<span class=\"hl-function\">now</span>() - <span class=\"hl-number\">1</span>;",
            ),
            line(Removed, 42, 0, "        self.at = now;"),
            line(
                Added,
                0,
                41,
                "        <span class=\"hl-comment\">// The runtime no longer drifts, so nothing is taken off, and this very long comment shows how long lines are wrapped at the end of the page.</span>",
            ),
            line(
                Added,
                0,
                42,
                "        self.at = <span class=\"hl-type\">Instant</span>::<span class=\"hl-function\">now</span>();",
            ),
            line(
                Added,
                0,
                43,
                "        <span class=\"hl-keyword\">if</span> self.at &gt; self.end { <span class=\"hl-keyword\">return</span> <span class=\"hl-string\">'x'</span>; }",
            ),
            line(Context, 43, 44, "    }"),
        ],
    )
}

fn lock() -> FileBody {
    let lines = (1..=300).flat_map(|number| {
        [
            line(LineKind::Removed, number, 0, &format!("checksum = \"{number:08x}\"")),
            line(LineKind::Added, 0, number, &format!("checksum = \"{:08x}\"", number * 7_919)),
        ]
    });
    let hunk = HunkView { header: "@@ -1,300 +1,300 @@".into(), lines: lines.collect() };
    FileBody::Hunks { hunks: vec![hunk], folded: true }
}
