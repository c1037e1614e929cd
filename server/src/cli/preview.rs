//! `drover preview`: executes a spec on the server and prints the address of its preview.

use super::{
    CliError, Outcome,
    args::PreviewArgs,
    client::Client,
    console::{Console, Format, printable},
    spec_file::SpecFile,
    wait::Patience,
};
use crate::api::wire::SpecCreated;
use drover::{
    id::{CampaignSpecId, ExecutionId, WorkspaceId},
    names::NamespaceName,
    view::{
        execution::{ExecutionPage, ExecutionState, WorkspaceRow, WorkspaceState},
        preview::{PlanTotals, PreviewPage, Standing},
    },
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// The result for programs.
#[derive(Serialize)]
struct PreviewResult<'a> {
    spec: CampaignSpecId,
    execution: ExecutionId,
    url: &'a str,
    standing: &'a Standing,
    totals: PlanTotals,
    eta_secs: u64,
    failed: &'a [WorkspaceRow],
}

pub(super) async fn run(
    args: &PreviewArgs,
    console: &mut Console<'_>,
) -> Result<Outcome, CliError> {
    let client = Client::new(&args.server)?;
    let (created, page) = execute(&client, &args.file, args.namespace.as_ref(), console).await?;
    match console.format {
        Format::Text => console.line(&created.url)?,
        Format::Json => console.json(&PreviewResult {
            spec: created.id,
            execution: created.execution,
            url: &created.url,
            standing: &page.standing,
            totals: page.totals,
            eta_secs: page.eta_secs,
            failed: &page.failed,
        })?,
    }
    let pending = args.detailed_exitcode && changes(&page.totals) > 0;
    Ok(if pending { Outcome::ChangesPending } else { Outcome::Done })
}

/// Sends a spec, shows how its execution goes, and reads the preview when it is over.
pub(super) async fn execute(
    client: &Client,
    file: &Path,
    namespace: Option<&NamespaceName>,
    console: &mut Console<'_>,
) -> Result<(SpecCreated, PreviewPage), CliError> {
    let spec = SpecFile::read(file)?;
    let created = client.create_spec(&spec, namespace).await?;
    let execution = watch(client, created.execution, console).await?;
    for warning in &execution.warnings {
        console.progress(&format!("warning: {}", printable(warning)))?;
    }
    match execution.state {
        ExecutionState::Failed { reason } => return Err(CliError::Execution { reason }),
        ExecutionState::Cancelled => {
            return Err(CliError::Execution { reason: "it was cancelled".to_owned() });
        }
        ExecutionState::Done | ExecutionState::Resolving | ExecutionState::Running => {}
    }
    let page = client.preview(created.id).await?;
    console.progress(&summary(&page))?;
    Ok((created, page))
}

async fn watch(
    client: &Client,
    id: ExecutionId,
    console: &mut Console<'_>,
) -> Result<ExecutionPage, CliError> {
    let mut patience = Patience::new("the execution");
    let mut shown: BTreeMap<WorkspaceId, String> = BTreeMap::new();
    loop {
        let mut pages = 1;
        if let Some((page, rows, read)) = patience.bear(look(client, id).await)? {
            show_changes(&rows, &mut shown, console)?;
            if page.state.is_over() {
                return Ok(page);
            }
            pages = read;
        }
        patience.pause(pages).await?;
    }
}

/// The execution with all its workspaces, and how many pages they were.
async fn look(
    client: &Client,
    id: ExecutionId,
) -> Result<(ExecutionPage, Vec<WorkspaceRow>, u32), CliError> {
    let mut page = client.execution(id).await?;
    let mut rows = std::mem::take(&mut page.workspaces.rows);
    let (mut next, mut pages) = (page.workspaces.next.take(), 1);
    while let Some(after) = next {
        let more = client.workspaces(id, &after).await?;
        rows.extend(more.rows);
        next = more.next;
        pages += 1;
    }
    Ok((page, rows, pages))
}

fn show_changes(
    rows: &[WorkspaceRow],
    shown: &mut BTreeMap<WorkspaceId, String>,
    console: &mut Console<'_>,
) -> Result<(), CliError> {
    for row in rows {
        let text = describe(&row.state, row.steps_total);
        if shown.get(&row.id) != Some(&text) {
            let branch = row.branch.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            console.progress(&format!("{}{branch}: {text}", row.repo))?;
            shown.insert(row.id, text);
        }
    }
    Ok(())
}

fn describe(state: &WorkspaceState, steps_total: u32) -> String {
    match state {
        WorkspaceState::Waiting => "waiting".to_owned(),
        WorkspaceState::Cloning => "cloning".to_owned(),
        WorkspaceState::Step { step } => format!("step {step} of {steps_total}"),
        WorkspaceState::Changed { stat } => {
            format!("changed, {} files, +{} -{}", stat.files, stat.added, stat.removed)
        }
        WorkspaceState::Unchanged => "nothing changed".to_owned(),
        WorkspaceState::Failed { step: Some(step), reason } => {
            format!("failed in step {step}: {}", printable(reason))
        }
        WorkspaceState::Failed { step: None, reason } => format!("failed: {}", printable(reason)),
        WorkspaceState::Skipped { reason } => format!("left out: {}", printable(reason)),
        WorkspaceState::Cancelled => "cancelled".to_owned(),
    }
}

fn summary(page: &PreviewPage) -> String {
    let PlanTotals { publish, update, close, other, unchanged, stat } = page.totals;
    let failed = page.failed.len();
    format!(
        "{publish} to publish, {update} to update, {close} to close, {other} others, \
         {unchanged} unchanged, {failed} failed; {} files, +{} -{}",
        stat.files, stat.added, stat.removed
    )
}

fn changes(totals: &PlanTotals) -> u32 {
    let PlanTotals { publish, update, close, other, unchanged: _, stat: _ } = *totals;
    publish + update + close + other
}
