//! The changesets of a campaign.

use super::{badge::Badge, said::Said, stat::Stat, time::Time};
use crate::{routes, words};
use drover::view::changeset::{ChangesetRow, ProblemView, PullLink};
use leptos::prelude::*;

#[component]
pub fn ChangesetTable(rows: Vec<ChangesetRow>) -> impl IntoView {
    let rows = rows.into_iter().map(|row| view! { <Row row/> });
    view! {
        <table class="rows">
            <caption class="sr-only">"Changesets"</caption>
            <thead>
                <tr>
                    <th scope="col">"Changeset"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col">"Pull request"</th>
                    <th scope="col">"Changes"</th>
                    <th scope="col">"Updated"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

#[component]
fn Row(row: ChangesetRow) -> impl IntoView {
    let ChangesetRow { id, repo, branch, title, status, pull, stat, problem, updated_at } = row;
    let (word, tone) = words::status(status);
    view! {
        <tr id=format!("c-{id}")>
            <th scope="row">
                <a class="link" href=routes::changeset(id)>{repo.to_string()}</a>
                <p class="text-sm font-normal">{title}</p>
                <span class="branch">{branch.to_string()}</span>
            </th>
            <td data-label="Status">
                <Badge tone word/>
                {problem.map(|problem| view! { <Problem problem/> })}
            </td>
            <td data-label="Pull request">{pull.map(|pull| view! { <PullAnchor pull/> })}</td>
            <td data-label="Changes">{stat.map(|stat| view! { <Stat stat/> })}</td>
            <td data-label="Updated"><Time at=updated_at/></td>
        </tr>
    }
    .into_any()
}

/// What went wrong, and what happens next.
#[component]
pub fn Problem(problem: ProblemView) -> impl IntoView {
    let ProblemView { message, next, retry_at } = problem;
    view! {
        <div class="reason">
            <p><Said text=message/></p>
            <p class="font-semibold">
                <Said text=next/>
                {retry_at.map(|at| view! { " ("<Time at/>")" })}
            </p>
        </div>
    }
    .into_any()
}

/// The way to the pull request on its code host.
#[component]
pub fn PullAnchor(pull: PullLink) -> impl IntoView {
    let PullLink { number, url } = pull;
    view! {
        <a class="link tabular-nums" href=url rel="noreferrer">
            {number.to_string()}
            <span class="sr-only">" on the code host"</span>
            <span aria-hidden="true">" ↗"</span>
        </a>
    }
}
