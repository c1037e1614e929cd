//! One problem of a spec, at its line, with a caret under what is meant.

use super::said::Said;
use drover::campaign::spec::SpecProblem;
use leptos::{ev, prelude::*};

#[component]
pub fn SpecProblemView(
    problem: SpecProblem,
    /// The text of the line.
    line: String,
    on_jump: impl Fn(ev::MouseEvent) + 'static,
) -> impl IntoView {
    let SpecProblem { line: number, column, path, message, hint } = problem;
    let snippet = snippet(&line, column);
    view! {
        <li class="grid gap-1">
            <p>
                <a class="link font-mono text-sm" href=format!("#L{number}") on:click=on_jump>
                    {format!("{number}:{column}")}
                </a>
                " "
                {(!path.is_empty()).then(|| view! { <code>{path.clone()}</code>" " })}
                <strong class="font-semibold"><Said text=message/></strong>
            </p>
            {snippet.map(|snippet| view! { <pre class="snippet">{snippet}</pre> })}
            {hint.map(|hint| view! { <p class="text-sm">"Hint: "<Said text=hint/></p> })}
        </li>
    }
}

/// Longer lines are not repeated.
const LINE_CHARS_MAX: usize = 160;

fn snippet(line: &str, column: u32) -> Option<String> {
    let length = line.chars().count();
    if line.trim().is_empty() || length > LINE_CHARS_MAX {
        return None;
    }
    let before = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX).min(length);
    Some(format!("{line}\n{}^", " ".repeat(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_column() {
        for (line, column, expected) in [
            ("nmae: x", 1, Some("nmae: x\n^")),
            ("  rnu: y", 3, Some("  rnu: y\n  ^")),
            ("a", 99, Some("a\n ^")),
            ("", 1, None),
        ] {
            assert_eq!(snippet(line, column).as_deref(), expected, "{line:?}");
        }
    }
}
