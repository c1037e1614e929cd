//! A diff: the list of its files, and each file with its lines.
//!
//! A line is one element and no more (`ins`, `del` or `span`), its numbers and sign stand in an
//! attribute that the style sheet shows: they cannot be selected, and a diff of many lines stays
//! a page of few nodes. `ins` and `del` say aloud what the colour shows.

use super::{
    badge::Badge,
    diff_lines::{split_html, unified_html},
    stat::Stat,
};
use crate::words;
use drover::view::diff::{DiffView, FileBody, FileView, HunkView};
use leptos::prelude::*;

/// How a diff is laid out. Stands in the URL as `view`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Old and new lines in one column.
    #[default]
    Unified,
    /// The old file at the left, the new one at the right.
    Split,
}

impl Layout {
    #[must_use]
    pub fn from_query(value: Option<&str>) -> Self {
        if value == Some("split") { Self::Split } else { Self::Unified }
    }
}

#[component]
pub fn Diff(
    diff: DiffView,
    /// Tells the files of this diff from those of others on the page.
    key: String,
    layout: Layout,
    /// The addresses of this page in both layouts: unified, split.
    links: (String, String),
) -> impl IntoView {
    let DiffView { stat, files, files_left_out } = diff;
    let left_out = (files_left_out > 0).then(|| {
        let files = words::count(files_left_out, "file is", "files are");
        view! { <p class="text-faint">{files}" left out: the diff is too large to show."</p> }
    });
    let (unified, split) = links;
    let bodies = files.iter().enumerate().map(|(index, file)| {
        view! { <File id=format!("{key}-f{index}") file=file.clone() layout/> }
    });
    view! {
        <div class="diff">
            <div class="bar">
                <span class="font-semibold">{words::count(stat.files, "file", "files")}</span>
                <Stat stat/>
                <nav class="switch" aria-label="Layout of the diff">
                    <a href=unified aria-current=current(layout == Layout::Unified)>"Unified"</a>
                    <a href=split aria-current=current(layout == Layout::Split)>"Split"</a>
                </nav>
            </div>
            {(files.len() > 1).then(|| view! { <FileList key=key.clone() files=files.clone()/> })}
            {bodies.collect_view()}
            {left_out}
        </div>
    }
    .into_any()
}

fn current(is_current: bool) -> Option<&'static str> {
    is_current.then_some("true")
}

#[component]
fn FileList(key: String, files: Vec<FileView>) -> impl IntoView {
    let items = files.into_iter().enumerate().map(|(index, file)| {
        view! {
            <li class="flex justify-between gap-4">
                <a class="link font-mono text-sm break-all" href=format!("#{key}-f{index}")>
                    {file.path}
                </a>
                <Stat stat=file.stat/>
            </li>
        }
    });
    view! {
        <nav aria-label="Files of the diff">
            <ul class="grid gap-1">{items.collect_view()}</ul>
        </nav>
    }
}

#[component]
fn File(id: String, file: FileView, layout: Layout) -> impl IntoView {
    let FileView { path, old_path, change, stat, body } = file;
    let (word, tone) = words::file_change(change);
    let is_open = match &body {
        FileBody::Hunks { folded, .. } => !folded,
        FileBody::Binary | FileBody::Empty | FileBody::TooLarge => true,
    };
    view! {
        <details id=id class="file" open=is_open>
            <summary class="file-head">
                <span class="font-mono text-sm break-all">
                    {old_path.map(|old| format!("{old} → "))}
                    {path}
                </span>
                <span class="flex gap-3 items-center">
                    <Badge tone word/>
                    <Stat stat/>
                </span>
            </summary>
            <Body body layout/>
        </details>
    }
    .into_any()
}

#[component]
fn Body(body: FileBody, layout: Layout) -> impl IntoView {
    let note = |text: &'static str| view! { <p class="file-note">{text}</p> }.into_any();
    match body {
        FileBody::Hunks { hunks, .. } => {
            hunks.into_iter().map(|hunk| view! { <Hunk hunk layout/> }).collect_view().into_any()
        }
        FileBody::Binary => note("Binary file."),
        FileBody::Empty => note("Only the name or the mode changed."),
        FileBody::TooLarge => note("Too large to show."),
    }
}

#[component]
fn Hunk(hunk: HunkView, layout: Layout) -> impl IntoView {
    let HunkView { header, lines } = hunk;
    let (class, html) = match layout {
        Layout::Unified => ("lines", unified_html(&lines)),
        Layout::Split => ("lines lines-split", split_html(&lines)),
    };
    view! {
        <div class="hunk">
            <p class="hunk-head">{header}</p>
            <pre class=class><code inner_html=html></code></pre>
        </div>
    }
}
