//! `drover status`: a campaign and its changesets.

use super::{
    CliError, Outcome,
    args::StatusArgs,
    client::Client,
    console::{Console, Format, Tone, printable, printable_lines, table},
};
use drover::{
    changeset::status::ChangesetStatus,
    names::{CampaignName, NamespaceName},
    view::{
        campaign::{CampaignPage, CampaignRow, ChangesetCounts},
        changeset::ChangesetRow,
    },
};
use serde::Serialize;

/// The result for programs.
#[derive(Serialize)]
pub(super) struct Status {
    pub(super) campaign: CampaignRow,
    applying: Option<(u32, u32)>,
    pub(super) changesets: Vec<ChangesetRow>,
}

pub(super) async fn run(args: &StatusArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let client = Client::new(&args.server)?;
    let namespace = match &args.campaign.namespace {
        Some(namespace) => namespace.clone(),
        None => client.viewer().await?.name,
    };
    show(&load(&client, &namespace, &args.campaign.name).await?, console)?;
    Ok(Outcome::Done)
}

/// The campaign with all its changesets.
pub(super) async fn load(
    client: &Client,
    namespace: &NamespaceName,
    name: &CampaignName,
) -> Result<Status, CliError> {
    let CampaignPage { campaign, applying, changesets, .. } =
        client.campaign(namespace, name, None).await?;
    let (mut rows, mut next) = (changesets.rows, changesets.next);
    while let Some(after) = next {
        let more = client.campaign(namespace, name, Some(&after)).await?.changesets;
        rows.extend(more.rows);
        next = more.next;
    }
    Ok(Status { campaign, applying, changesets: rows })
}

pub(super) fn show(status: &Status, console: &mut Console<'_>) -> Result<(), CliError> {
    match console.format {
        Format::Json => console.json(status),
        Format::Text => show_text(status, console),
    }
}

fn show_text(status: &Status, console: &mut Console<'_>) -> Result<(), CliError> {
    let Status { campaign, applying, changesets } = status;
    let counts = counts(&campaign.counts);
    console.line(&format!("{}/{}: {counts}", campaign.namespace, campaign.name))?;
    if let Some(applying) = applying {
        console.line(&applying_text(*applying))?;
    }
    let rows: Vec<[String; 4]> = changesets.iter().map(cells).collect();
    for (line, row) in table(&rows).iter().zip(changesets) {
        let (word, tone) = word(row.status);
        let rest = line.strip_prefix(word).unwrap_or(line);
        let word = console.paint(tone, word);
        console.line(&format!("  {word}{rest}"))?;
        if let Some(problem) = &row.problem {
            let message = printable_lines(&problem.message, PROBLEM_INDENT);
            let (indent, next) = (" ".repeat(PROBLEM_INDENT), printable(&problem.next));
            console.line(&format!("{indent}{message}; {next}"))?;
        }
    }
    Ok(())
}

/// Of what a changeset suffers from, below its line.
const PROBLEM_INDENT: usize = 6;

/// How far an apply is; how much it has to do is not known at once.
pub(super) fn applying_text((done, total): (u32, u32)) -> String {
    match total {
        0 => "applying".to_owned(),
        total => format!("applying: {done} of {total} changesets"),
    }
}

fn cells(row: &ChangesetRow) -> [String; 4] {
    let link = row.pull.as_ref().map_or_else(|| "-".to_owned(), |pull| printable(&pull.url));
    let place = format!("{} ({})", row.repo, row.branch);
    [word(row.status).0.to_owned(), place, link, printable(&row.title)]
}

/// The counts that are not zero.
pub(super) fn counts(counts: &ChangesetCounts) -> String {
    let ChangesetCounts { unpublished, processing, draft, open, merged, closed, needs_you } =
        *counts;
    let all = [
        (needs_you, "need you"),
        (processing, "in work"),
        (unpublished, "unpublished"),
        (draft, "draft"),
        (open, "open"),
        (merged, "merged"),
        (closed, "closed"),
    ];
    let some: Vec<String> =
        all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if some.is_empty() { "no changesets".to_owned() } else { some.join(", ") }
}

fn word(status: ChangesetStatus) -> (&'static str, Tone) {
    match status {
        ChangesetStatus::Unpublished => ("unpublished", Tone::Plain),
        ChangesetStatus::Queued => ("queued", Tone::Busy),
        ChangesetStatus::Processing => ("processing", Tone::Busy),
        ChangesetStatus::Retrying => ("retrying", Tone::Busy),
        ChangesetStatus::Failed => ("failed", Tone::Bad),
        ChangesetStatus::Drift => ("drift", Tone::Bad),
        ChangesetStatus::Draft => ("draft", Tone::Plain),
        ChangesetStatus::Open => ("open", Tone::Good),
        ChangesetStatus::Merged => ("merged", Tone::Good),
        ChangesetStatus::Closed => ("closed", Tone::Plain),
        ChangesetStatus::Deleted => ("deleted", Tone::Plain),
        ChangesetStatus::ReadOnly => ("read-only", Tone::Plain),
        ChangesetStatus::Archived => ("archived", Tone::Plain),
    }
}
