//! The spec's text, checked while it is written.
//!
//! The whole form is one island: without JavaScript it posts, and the server sends it back with
//! the problems. It keeps the text in the tab while it is on its way, so that a server that
//! cannot take it loses nothing.

use crate::{
    api::campaigns::validate,
    components::{alert::Alert, badge::Tone, spec_problem::SpecProblemView},
    words,
};
use drover::{campaign::spec::SpecProblem, names::NamespaceName};
use leptos::{ev, html, leptos_dom::helpers::debounce, prelude::*, task::spawn_local};
use std::{collections::BTreeSet, time::Duration};

/// The pause in typing after which the text is checked.
const PAUSE: Duration = Duration::from_millis(350);
/// Longer texts have no more numbers beside them: the page would become slow.
const NUMBERS_MAX: u32 = 5_000;
/// Where the tab keeps a text that is on its way.
const KEPT: &str = "drover_text";

#[island]
pub fn SpecEditor(
    text: String,
    problems: Vec<SpecProblem>,
    namespaces: Vec<NamespaceName>,
    namespace: NamespaceName,
    /// Whether the server could not take the text that this tab has kept.
    restore: Restore,
) -> impl IntoView {
    let area = NodeRef::<html::Textarea>::new();
    let checked = RwSignal::new(problems);
    let written = RwSignal::new(text.clone());
    let round = StoredValue::new(0_u32);
    let mut check = debounce(PAUSE, move |text: String| check(text, round, checked));
    let mut typed = move |text: String| {
        written.set(text.clone());
        check(text);
    };
    if restore == Restore::Yes {
        Effect::new(move |_| {
            if let (Some(kept), Some(area)) = (kept(), area.get()) {
                area.set_value(&kept);
                written.set(kept);
            }
        });
    }
    let options = namespaces.into_iter().map(|name| {
        let is_chosen = name == namespace;
        view! { <option selected=is_chosen>{name.to_string()}</option> }
    });
    view! {
        <form
            method="post"
            action="/api/start_preview"
            class="grid gap-5"
            on:submit=move |_| keep(&written.get_untracked())
        >
            <div class="sheet">
                <Numbers written checked/>
                <label class="sr-only" for="text">"Campaign spec"</label>
                <textarea
                    id="text"
                    name="text"
                    class="sheet-text"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    wrap="off"
                    required
                    aria-describedby="problems"
                    aria-invalid=move || (!checked.read().is_empty()).to_string()
                    node_ref=area
                    on:input=move |event| typed(event_target_value(&event))
                >
                    {text}
                </textarea>
            </div>
            <Problems written checked area/>
            <div class="bar sheet-bar">
                <label class="flex items-center gap-2" for="namespace">
                    "Campaign of"
                    <select id="namespace" name="namespace" class="input">
                        {options.collect_view()}
                    </select>
                </label>
                <button class="btn btn-main">"Preview"</button>
                <Show when=move || !checked.read().is_empty()>
                    <a class="link font-semibold text-rust" href="#problems">
                        {move || counted(&checked.read())}
                    </a>
                </Show>
                <p class="text-sm text-faint">
                    "Runs the steps and shows every pull request. Nothing is published."
                </p>
            </div>
        </form>
    }
}

/// Whether the editor starts with the text that the tab has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Restore {
    Yes,
    No,
}

#[component]
fn Numbers(written: RwSignal<String>, checked: RwSignal<Vec<SpecProblem>>) -> impl IntoView {
    let lines = Memo::new(move |_| {
        let text = written.read();
        let count = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        u32::try_from(count).unwrap_or(u32::MAX).min(NUMBERS_MAX)
    });
    let bad = Memo::new(move |_| {
        checked.read().iter().map(|problem| problem.line).collect::<BTreeSet<_>>()
    });
    let rows = move || -> Vec<(u32, bool)> {
        (1..=lines.get()).map(|line| (line, bad.read().contains(&line))).collect()
    };
    view! {
        <div class="sheet-numbers" aria-hidden="true">
            <For each=rows key=|row| *row let((line, is_bad))>
                <span id=format!("L{line}") class=if is_bad { "sheet-bad" } else { "" }>
                    {line}
                </span>
            </For>
        </div>
    }
}

#[component]
fn Problems(
    written: RwSignal<String>,
    checked: RwSignal<Vec<SpecProblem>>,
    area: NodeRef<html::Textarea>,
) -> impl IntoView {
    let jump = move |problem: SpecProblem, event: ev::MouseEvent| {
        let Some(area) = area.get_untracked() else { return };
        event.prevent_default();
        let offset = offset(&written.read_untracked(), problem.line, problem.column);
        // A focused text area takes any range.
        let _always_ok = area.focus();
        let _always_ok = area.set_selection_range(offset, offset);
    };
    let list = move || {
        let text = written.read_untracked();
        let items = checked.get().into_iter().map(|problem| {
            let line = nth_line(&text, problem.line).to_owned();
            let target = problem.clone();
            let on_jump = move |event| jump(target.clone(), event);
            view! { <SpecProblemView problem line on_jump/> }
        });
        items.collect_view()
    };
    let title = move || format!("{} in the spec", counted(&checked.read()));
    view! {
        <div id="problems" role="status">
            <Show when=move || !checked.read().is_empty()>
                <Alert tone=Tone::Bad title=title()>
                    <ol class="grid gap-4">{list}</ol>
                </Alert>
            </Show>
        </div>
    }
}

fn counted(problems: &[SpecProblem]) -> String {
    let number = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    words::count(number, "problem", "problems")
}

fn check(text: String, round: StoredValue<u32>, checked: RwSignal<Vec<SpecProblem>>) {
    round.update_value(|round| *round += 1);
    let mine = round.get_value();
    spawn_local(async move {
        // While the server cannot be reached, the last answer stands.
        let Ok(problems) = validate(text).await else { return };
        if round.get_value() == mine && *checked.read_untracked() != problems {
            checked.set(problems);
        }
    });
}

fn keep(text: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        // A full storage means that the text is not kept; the form is sent all the same.
        let _kept = storage.set_item(KEPT, text);
    }
}

fn kept() -> Option<String> {
    window().session_storage().ok()??.get_item(KEPT).ok()?
}

fn nth_line(text: &str, line: u32) -> &str {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    text.lines().nth(index).unwrap_or("")
}

/// Where a line and column stand in a text, in UTF-16 units as the browser counts.
fn offset(text: &str, line: u32, column: u32) -> u32 {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let before = text.split_inclusive('\n').take(index).flat_map(str::encode_utf16).count();
    let columns = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let within = nth_line(text, line).chars().take(columns).map(char::len_utf16).sum::<usize>();
    u32::try_from(before + within).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_as_the_browser_does() {
        let text = "name: x\nemoji: 😀 y\nlast";
        for (line, column, expected) in [(1, 1, 0), (1, 7, 6), (2, 1, 8), (2, 10, 18), (3, 1, 20)] {
            assert_eq!(offset(text, line, column), expected, "{line}:{column}");
        }
    }
}
