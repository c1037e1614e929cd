//! `drover preview`: executes a spec on the server and prints the address of its preview.

use super::{
    CliError, Outcome,
    args::PreviewArgs,
    client::Client,
    console::{Console, Format, printable_lines},
    result::{self, PlannedChangeset, RepositoryResult},
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

/// Of the further lines of a reason.
const INDENT: usize = 4;

/// The result for programs.
#[derive(Serialize)]
struct PreviewResult<'a> {
    spec: CampaignSpecId,
    execution: ExecutionId,
    url: &'a str,
    standing: &'a Standing,
    totals: PlanTotals,
    eta_secs: u64,
    repositories: Vec<RepositoryResult<'a>>,
    changesets: Vec<PlannedChangeset<'a>>,
}

/// A spec that was executed.
pub(super) struct Executed {
    created: SpecCreated,
    pub(super) workspaces: Vec<WorkspaceRow>,
    pub(super) page: PreviewPage,
}

pub(super) async fn run(
    args: &PreviewArgs,
    console: &mut Console<'_>,
) -> Result<Outcome, CliError> {
    let client = Client::new(&args.server)?;
    let Executed { created, workspaces, page } =
        execute(&client, &args.file, args.namespace.as_ref(), console).await?;
    match console.format {
        Format::Text => console.line(&created.url)?,
        Format::Json => console.json(&PreviewResult {
            spec: created.id,
            execution: created.execution,
            url: &created.url,
            standing: &page.standing,
            totals: page.totals,
            eta_secs: page.eta_secs,
            repositories: result::repositories(&workspaces),
            changesets: result::planned(&page.rows.rows),
        })?,
    }
    let repos = result::without_result(&workspaces);
    let count = page.totals.refused + page.totals.drift;
    if count > 0 {
        let campaign = format!("{}/{}", page.namespace, page.campaign);
        return Err(CliError::NeedsYou { campaign, count, repos });
    }
    if !repos.is_empty() {
        return Err(CliError::NoResult { repos });
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
) -> Result<Executed, CliError> {
    let spec = SpecFile::read(file)?;
    let created = client.create_spec(&spec, namespace).await?;
    let (execution, workspaces) = watch(client, created.execution, console).await?;
    for warning in &execution.warnings {
        console.progress(&format!("warning: {}", printable_lines(warning, INDENT)))?;
    }
    match execution.state {
        ExecutionState::Failed { reason } => return Err(CliError::Execution { reason }),
        ExecutionState::Cancelled => {
            return Err(CliError::Execution { reason: "it was cancelled".to_owned() });
        }
        ExecutionState::Done | ExecutionState::Resolving | ExecutionState::Running => {}
    }
    let page = result::with_all_rows(client, planned(client, created.id).await?).await?;
    for row in page.rows.rows.iter().filter(|row| row.operations.is_empty()) {
        if let Some(note) = &row.note {
            let note = printable_lines(note, INDENT);
            console.progress(&format!("{} ({}): {note}", row.repo, row.branch))?;
        }
    }
    console.progress(&summary(&page, result::without_result(&workspaces).len()))?;
    Ok(Executed { created, workspaces, page })
}

/// Waits until the plan is made: the code host is looked at for it.
async fn planned(client: &Client, id: CampaignSpecId) -> Result<PreviewPage, CliError> {
    let mut patience = Patience::new("the plan");
    loop {
        if let Some(page) = patience.bear(client.preview(id, None).await)?
            && page.standing != Standing::Executing
        {
            return Ok(page);
        }
        patience.pause(1).await?;
    }
}

async fn watch(
    client: &Client,
    id: ExecutionId,
    console: &mut Console<'_>,
) -> Result<(ExecutionPage, Vec<WorkspaceRow>), CliError> {
    let mut patience = Patience::new("the execution");
    let mut shown: BTreeMap<WorkspaceId, String> = BTreeMap::new();
    loop {
        let mut pages = 1;
        if let Some((page, rows, read)) = patience.bear(look(client, id).await)? {
            show_changes(&rows, &mut shown, console)?;
            if page.state.is_over() {
                return Ok((page, rows));
            }
            pages = read;
        }
        patience.pause(pages).await?;
    }
}

/// The execution with all its workspaces, and how many pages they were.
pub(super) async fn look(
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
            format!("failed in step {step}: {}", printable_lines(reason, INDENT))
        }
        WorkspaceState::Failed { step: None, reason } => {
            format!("failed: {}", printable_lines(reason, INDENT))
        }
        WorkspaceState::Skipped { reason } => {
            format!("left out: {}", printable_lines(reason, INDENT))
        }
        WorkspaceState::Cancelled => "cancelled".to_owned(),
    }
}

fn summary(page: &PreviewPage, failed: usize) -> String {
    let PlanTotals { publish, update, close, other, unchanged, kept, refused, drift, stat } =
        page.totals;
    let rare = [(kept, "kept"), (refused, "refused"), (drift, "in drift")];
    let rare: String = rare
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}, "))
        .collect();
    format!(
        "{publish} to publish, {update} to update, {close} to close, {other} others, \
         {unchanged} unchanged, {rare}{failed} failed; {} files, +{} -{}",
        stat.files, stat.added, stat.removed
    )
}

fn changes(totals: &PlanTotals) -> u32 {
    let PlanTotals { publish, update, close, other, .. } = *totals;
    publish + update + close + other
}
