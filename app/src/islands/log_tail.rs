//! The lines that a workspace writes after the page was sent.

use crate::{api::executions::log, components::log_line::LogLineView};
use drover::{id::WorkspaceId, view::execution::LogLine};
use leptos::{prelude::*, task::spawn_local};
use std::collections::VecDeque;

/// More lines are dropped from the top: the page would become slow.
const LINES_SHOWN_MAX: usize = 5_000;

#[island]
pub fn LogTail(
    workspace: WorkspaceId,
    /// Where the lines end that the server rendered.
    after: i64,
) -> impl IntoView {
    let lines = RwSignal::new(VecDeque::<(i64, LogLine)>::new());
    let tail = StoredValue::new(Tail { after, state: TailState::Idle });
    Effect::new(move |_| super::on_hint(move || read(workspace, tail, lines)));
    view! {
        <For each=move || lines.get() key=|(number, _)| *number let((_, line))>
            <LogLineView line/>
        </For>
    }
}

struct Tail {
    after: i64,
    state: TailState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TailState {
    Idle,
    Reading,
    /// A hint came while reading: there may be more.
    ReadAgain,
}

fn read(
    workspace: WorkspaceId,
    tail: StoredValue<Tail>,
    lines: RwSignal<VecDeque<(i64, LogLine)>>,
) {
    if tail.with_value(|tail| tail.state != TailState::Idle) {
        tail.update_value(|tail| tail.state = TailState::ReadAgain);
        return;
    }
    tail.update_value(|tail| tail.state = TailState::Reading);
    spawn_local(async move {
        loop {
            let after = tail.with_value(|tail| tail.after);
            // What cannot be read now is read at the next hint.
            let Ok(page) = log(workspace, after).await else { break };
            let is_full = !page.lines.is_empty();
            tail.update_value(|tail| tail.after = page.next);
            lines.update(|lines| append(lines, page.lines));
            let is_hinted = tail.with_value(|tail| tail.state == TailState::ReadAgain);
            tail.update_value(|tail| tail.state = TailState::Reading);
            if !is_full && !is_hinted {
                break;
            }
        }
        tail.update_value(|tail| tail.state = TailState::Idle);
    });
}

fn append(lines: &mut VecDeque<(i64, LogLine)>, more: Vec<LogLine>) {
    let first = lines.back().map_or(0, |(number, _)| number + 1);
    lines.extend((first..).zip(more));
    let surplus = lines.len().saturating_sub(LINES_SHOWN_MAX);
    lines.drain(..surplus);
}
