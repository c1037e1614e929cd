//! How far a campaign is: a herd on its way, those that have arrived in front.
//!
//! Drawn as SVG, whose lengths are attributes: the content security policy forbids styles in
//! the markup.

use super::badge::Tone;
use drover::view::campaign::ChangesetCounts;
use leptos::prelude::*;

#[component]
pub fn Progress(counts: ChangesetCounts) -> impl IntoView {
    let mut start = 0;
    let parts = parts(&counts).into_iter().filter(|(_, _, number)| *number > 0);
    let bars = parts.map(|(word, tone, number)| {
        let x = start;
        start += number;
        view! {
            <rect class=tone.class() x=x width=number height="1">
                <title>{format!("{number} {word}")}</title>
            </rect>
        }
    });
    view! {
        <svg
            class="progress"
            role="img"
            aria-label=spoken(&counts)
            viewBox=format!("0 0 {} 1", counts.total().max(1))
            preserveAspectRatio="none"
        >
            {bars.collect_view()}
        </svg>
    }
    .into_any()
}

/// The counts in words, each with the colour that it has in the bar.
#[component]
pub fn Legend(counts: ChangesetCounts) -> impl IntoView {
    let parts = parts(&counts).into_iter().filter(|(_, _, number)| *number > 0);
    let items = parts.map(|(word, tone, number)| {
        view! {
            <li class=format!("legend-item {}", tone.class())>
                <b class="font-semibold tabular-nums">{number}</b>
                " "
                {word}
            </li>
        }
    });
    view! { <ul class="legend">{items.collect_view()}</ul> }
}

/// In the order of the way: what has arrived stands first.
fn parts(counts: &ChangesetCounts) -> [(&'static str, Tone, u32); 7] {
    let ChangesetCounts { unpublished, processing, draft, open, merged, closed, needs_you } =
        *counts;
    [
        ("merged", Tone::Done, merged),
        ("open", Tone::Good, open),
        ("draft", Tone::Waiting, draft),
        ("in work", Tone::Busy, processing),
        ("needs you", Tone::Bad, needs_you),
        ("unpublished", Tone::Plain, unpublished),
        ("closed", Tone::Closed, closed),
    ]
}

fn spoken(counts: &ChangesetCounts) -> String {
    let parts = parts(counts).into_iter().filter(|(_, _, number)| *number > 0);
    let words = parts.map(|(word, _, number)| format!("{number} {word}")).collect::<Vec<_>>();
    if words.is_empty() { "no changesets".into() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_spoken_in_the_order_it_is_drawn() {
        let counts = ChangesetCounts { open: 3, merged: 2, needs_you: 1, ..Default::default() };
        assert_eq!(spoken(&counts), "2 merged, 3 open, 1 needs you");
        assert_eq!(spoken(&ChangesetCounts::default()), "no changesets");
    }
}
