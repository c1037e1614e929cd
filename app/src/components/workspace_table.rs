//! The repositories in which steps run, and how far each is.

use super::{badge::Badge, said::Said, stat::Stat, time::Time};
use crate::{routes, words};
use drover::{
    id::ExecutionId,
    view::execution::{WorkspaceRow, WorkspaceState},
};
use leptos::prelude::*;

#[component]
pub fn WorkspaceTable(execution: ExecutionId, rows: Vec<WorkspaceRow>) -> impl IntoView {
    let rows = rows.into_iter().map(|row| view! { <Row execution row/> });
    view! {
        <table class="rows">
            <caption class="sr-only">"Repositories"</caption>
            <thead>
                <tr>
                    <th scope="col">"Repository"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Changes"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"Log"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(execution: ExecutionId, row: WorkspaceRow) -> impl IntoView {
    let WorkspaceRow { id, repo, branch, state, steps_total, started_at, finished_at } = row;
    let (word, tone) = words::workspace(&state, steps_total);
    let since = finished_at.or(started_at);
    let (stat, reason) = match state {
        WorkspaceState::Changed { stat } => (Some(stat), None),
        WorkspaceState::Failed { reason, .. } | WorkspaceState::Skipped { reason } => {
            (None, Some(reason))
        }
        WorkspaceState::Waiting
        | WorkspaceState::Cloning
        | WorkspaceState::Step { .. }
        | WorkspaceState::Unchanged
        | WorkspaceState::Cancelled => (None, None),
    };
    view! {
        <tr id=format!("w-{id}")>
            <th scope="row">
                {repo.to_string()}
                {branch.map(|it| view! { <span class="branch">{it.to_string()}</span> })}
            </th>
            <td data-label="State">
                <Badge tone word/>
                {reason.map(|reason| view! { <p class="reason"><Said text=reason/></p> })}
            </td>
            <td data-label="Changes">{stat.map(|stat| view! { <Stat stat/> })}</td>
            <td data-label="Since">{since.map(|at| view! { <Time at/> })}</td>
            <td data-label="Log">
                <a class="link" href=routes::execution_log(execution, id)>
                    "Log"
                    <span class="sr-only">{format!(" of {repo}")}</span>
                </a>
            </td>
        </tr>
    }
    .into_any()
}
