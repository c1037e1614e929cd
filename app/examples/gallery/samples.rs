//! The canned data.

use crate::diffs;
use drover::{
    campaign::spec::SpecProblem,
    changeset::choice::Shown,
    changeset::{plan::Operation, status::ChangesetStatus},
    diff::DiffStat,
    id::{
        CampaignId, CampaignSpecId, ChangesetId, ChangesetSpecId, ExecutionId, NamespaceId, UserId,
        WorkspaceId,
    },
    names::{CampaignName, NamespaceName, PullNumber},
    time::Timestamp,
    view::{
        Page,
        campaign::{
            CampaignPage, CampaignRow, ChangesetCounts, ChangesetFilter, HomePage, LeftOut,
            SpecRow, TimelineRow,
        },
        changeset::{ChangesetChoice, ChangesetPage, ChangesetRow, ProblemView, PullLink},
        execution::{
            ExecutionPage, ExecutionState, LogLine, LogPage, LogStream, WorkspaceCounts,
            WorkspaceRow, WorkspaceState,
        },
        preview::{MovedRow, PlanHash, PlanTotals, PreviewPage, PreviewRow, RowKind, Standing},
    },
    viewer::{Namespace, Role, Viewer},
};
use std::{
    fmt::Debug,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

pub(crate) const SPEC: &str = "\
version: 2
name: upgrade-tokio
description: |
  Move every service to **tokio 1.48**, whose timers no longer drift.

on:
  - repositoriesMatchingQuery: org:acme language:rust archived:no
  - repository: acme-labs/scheduler
    branches: [main, release-2]

steps:
  - run: sed -i 's/tokio = \"1.3[0-9]\"/tokio = \"1.48\"/' Cargo.toml
  - run: cargo update --package tokio

changesetTemplate:
  title: Upgrade tokio to 1.48
  body: |
    Timers no longer drift, and `JoinSet` can be aborted.
  branch: drover/upgrade-tokio
  commit:
    message: Upgrade tokio to 1.48
  published: true
";

pub(crate) const LOG_LINES: i64 = 9;
const BRANCH: &str = "drover/upgrade-tokio";
const REPOS: [&str; 12] = [
    "acme/gateway",
    "acme/billing",
    "acme/search-indexer",
    "acme/mailer",
    "acme/identity",
    "acme/feature-flags",
    "acme/web",
    "acme/ledger",
    "acme-labs/scheduler",
    "acme-labs/probe",
    "acme-labs/forecast-of-demand-and-supply",
    "acme-labs/notebook",
];

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn name<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn ago(mins: u64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_sub(Duration::from_secs(mins * 60));
    Timestamp(i64::try_from(then.as_millis()).unwrap_or(0))
}

fn ahead(mins: u64) -> Timestamp {
    ago(0) + Duration::from_secs(mins * 60)
}

pub(crate) fn stat(files: u32, added: u32, removed: u32) -> DiffStat {
    DiffStat { files, added, removed }
}

pub(crate) fn viewer(text: &str) -> Option<Viewer> {
    let own: NamespaceName = text.parse().ok()?;
    let namespaces = [own.clone(), name("acme")];
    let namespaces =
        (1..).zip(namespaces).map(|(id, name)| Namespace { id: NamespaceId(uuid(id)), name });
    Some(Viewer {
        id: UserId(uuid(1)),
        name: own,
        role: Role::Member,
        namespaces: namespaces.collect(),
    })
}

pub(crate) fn empty_home() -> HomePage {
    HomePage { campaigns: Page { rows: Vec::new(), next: None }, unapplied: Vec::new() }
}

pub(crate) fn home(is_first: bool) -> HomePage {
    let counts = |unpublished, processing, draft, open, merged, closed, needs_you| {
        ChangesetCounts { unpublished, processing, draft, open, merged, closed, needs_you }
    };
    let rows = vec![
        campaign_row(
            1,
            "upgrade-tokio",
            "Move every service to tokio 1.48",
            counts(0, 3, 1, 4, 2, 0, 2),
        ),
        campaign_row(
            2,
            "licence-headers",
            "Put the SPDX line on top of every file",
            counts(0, 0, 0, 31, 214, 7, 0),
        ),
        campaign_row(3, "renovate-off", "Drover does it now", counts(0, 0, 0, 0, 48, 0, 0)),
        campaign_row(
            4,
            "ci-cache-v4",
            "actions/cache v3 is switched off in March",
            counts(96, 0, 4, 0, 0, 0, 0),
        ),
    ];
    let unapplied = vec![SpecRow {
        id: CampaignSpecId(uuid(1)),
        namespace: name("ada"),
        name: name("drop-node-18"),
        created_at: ago(42),
        expires_at: ahead(10_000),
    }];
    let next = is_first.then(|| "key".to_owned());
    HomePage { campaigns: Page { rows, next }, unapplied }
}

fn campaign_row(id: u128, text: &str, summary: &str, counts: ChangesetCounts) -> CampaignRow {
    CampaignRow {
        id: CampaignId(uuid(id)),
        namespace: name("acme"),
        name: name(text),
        summary: summary.to_owned(),
        counts,
        updated_at: ago(u64::try_from(id * id * 7).unwrap_or(0)),
    }
}

pub(crate) fn problems(text: &str) -> Vec<SpecProblem> {
    let find = |wrong: &str, expected: &str, path: &str| {
        text.lines().zip(1_u32..).find(|(line, _)| line.contains(wrong)).map(|(line, number)| {
            SpecProblem {
                line: number,
                column: u32::try_from(line.find(wrong).unwrap_or(0)).unwrap_or(0) + 1,
                path: path.to_owned(),
                message: format!("unknown key `{wrong}`"),
                hint: Some(format!("did you mean `{expected}`?")),
            }
        })
    };
    [find("stepz", "steps", ""), find("rnu", "run", "steps[0]")].into_iter().flatten().collect()
}

fn workspaces(advance: i64) -> Vec<WorkspaceRow> {
    let rows = (0_i64..).zip(REPOS).map(|(index, repo)| {
        let state = match (index, advance - index) {
            (4, n) if n > 3 => WorkspaceState::Failed {
                step: Some(1),
                reason: "step 1 ended with exit code 101: error: no matching package named `tokio` found".into(),
            },
            (6, n) if n > 3 => WorkspaceState::Unchanged,
            (_, ..=0) => WorkspaceState::Waiting,
            (_, 1) => WorkspaceState::Cloning,
            (_, 2) => WorkspaceState::Step { step: 1 },
            (_, 3..=4) => WorkspaceState::Step { step: 2 },
            _ => WorkspaceState::Changed { stat: stat(2, 8 + u32::try_from(index).unwrap_or(0), 3) },
        };
        let started_at = (state != WorkspaceState::Waiting).then(|| ago(1));
        WorkspaceRow {
            id: WorkspaceId(uuid(100 + u128::try_from(index).unwrap_or(0))),
            repo: name(repo),
            branch: Some(name("main")),
            state,
            steps_total: 2,
            started_at,
            finished_at: None,
        }
    });
    rows.collect()
}

fn counts(rows: &[WorkspaceRow]) -> WorkspaceCounts {
    let mut counts = WorkspaceCounts::default();
    for row in rows {
        match row.state {
            WorkspaceState::Waiting => counts.waiting += 1,
            WorkspaceState::Cloning | WorkspaceState::Step { .. } => counts.running += 1,
            WorkspaceState::Changed { .. } => counts.changed += 1,
            WorkspaceState::Unchanged | WorkspaceState::Cancelled => counts.unchanged += 1,
            WorkspaceState::Failed { .. } => counts.failed += 1,
            WorkspaceState::Skipped { .. } => counts.skipped += 1,
        }
    }
    counts
}

pub(crate) fn execution(id: ExecutionId, state: ExecutionState) -> ExecutionPage {
    let rows = match &state {
        ExecutionState::Done => workspaces(99),
        ExecutionState::Running | ExecutionState::Cancelled => workspaces(9),
        ExecutionState::Resolving | ExecutionState::Failed { .. } => Vec::new(),
    };
    execution_with(id, state, rows)
}

pub(crate) fn advancing(id: ExecutionId, tick: i64, is_done: bool) -> ExecutionPage {
    let state = if is_done { ExecutionState::Done } else { ExecutionState::Running };
    execution_with(id, state, workspaces(tick))
}

fn execution_with(
    id: ExecutionId,
    state: ExecutionState,
    rows: Vec<WorkspaceRow>,
) -> ExecutionPage {
    ExecutionPage {
        id,
        spec: CampaignSpecId(uuid(1)),
        namespace: name("acme"),
        campaign: name("upgrade-tokio"),
        finished_at: state.is_over().then(|| ago(0)),
        state,
        created_at: ago(2),
        warnings: vec!["`acme/attic` is archived and was left out".into()],
        counts: counts(&rows),
        workspaces: Page { rows, next: None },
    }
}

pub(crate) fn log(after: i64, end: i64) -> LogPage {
    let texts = [
        (0, LogStream::Drover, "working copy of acme/gateway at 4f1c2ab"),
        (1, LogStream::Drover, "$ sed -i 's/tokio = \"1.3[0-9]\"/tokio = \"1.48\"/' Cargo.toml"),
        (2, LogStream::Drover, "$ cargo update --package tokio"),
        (2, LogStream::Stderr, "    Updating the index"),
        (2, LogStream::Stderr, "     Locking 3 packages to latest compatible versions"),
        (2, LogStream::Stdout, "    Updating tokio v1.38.0 -> v1.48.0"),
        (2, LogStream::Stdout, "    Updating tokio-macros v2.3.0 -> v2.6.0"),
        (2, LogStream::Stdout, "    Removing num_cpus v1.16.0"),
    ];
    let lines = (after..end).zip(texts.iter().cycle()).map(|(_, (step, stream, text))| LogLine {
        at: ago(1),
        step: *step,
        stream: *stream,
        text: (*text).to_owned(),
    });
    LogPage { lines: lines.collect(), next: end, open: true }
}

pub(crate) fn preview(id: CampaignSpecId, is_first: bool) -> PreviewPage {
    let rows = (0_u128..).zip(REPOS).filter(|(index, _)| ![4, 6].contains(index));
    let rows = rows.map(|(index, repo)| preview_row(index, repo)).collect::<Vec<_>>();
    let failed =
        workspaces(99).into_iter().filter(|row| matches!(row.state, WorkspaceState::Failed { .. }));
    PreviewPage {
        spec: id,
        execution: ExecutionId(uuid(2)),
        namespace: name("acme"),
        campaign: name("upgrade-tokio"),
        description_html: "<p>Move every service to <strong>tokio 1.48</strong>, whose timers no longer drift.</p>".into(),
        spec_text: SPEC.into(),
        created_by: name("ada"),
        created_at: ago(3),
        expires_at: Some(ahead(10_000)),
        standing: Standing::Ready { hash: PlanHash("d41d8cd98f00b204".into()) },
        totals: PlanTotals { publish: 7, update: 1, close: 1, unchanged: 1, kept: 1, stat: stat(20, 96, 27), ..PlanTotals::default() },
        eta_secs: 70,
        rows: Page { rows, next: is_first.then(|| "key".into()) },
        failed: failed.collect(),
        moved: Vec::new(),
        newer: None,
        unread: None,
    }
}

fn preview_row(index: u128, repo: &str) -> PreviewRow {
    let (operations, note) = match index {
        1 => (vec![Operation::Push, Operation::Update], None),
        2 => (Vec::new(), Some("kept: no new result, because step 1 exited with 3")),
        3 => {
            (vec![Operation::Close, Operation::Archive], Some("the spec does not want it any more"))
        }
        5 => (vec![Operation::Push, Operation::PublishDraft], None),
        7 => (Vec::new(), Some("stays unpublished, as the spec says")),
        _ => (vec![Operation::Push, Operation::Publish], None),
    };
    let lines = 8 + u32::try_from(index).unwrap_or(0);
    PreviewRow {
        spec: (index != 3).then(|| ChangesetSpecId(uuid(index + 1))),
        changeset: matches!(index, 1..=3).then(|| ChangesetId(uuid(index))),
        repo: name(repo),
        branch: name(BRANCH),
        base_branch: name("main"),
        title: "Upgrade tokio to 1.48".into(),
        body_html: "<p>Timers no longer drift, and <code>JoinSet</code> can be aborted.</p>".into(),
        commit_message: "Upgrade tokio to 1.48".into(),
        pull: matches!(index, 1..=3).then_some(PullNumber(17)),
        operations,
        kind: match index {
            2 => RowKind::Kept,
            3 => RowKind::Dropped,
            _ => RowKind::Wanted,
        },
        note: note.map(str::to_owned),
        stat: (index != 3).then(|| stat(2, lines, 3)),
    }
}

pub(crate) fn no_rows(page: PreviewPage) -> PreviewPage {
    PreviewPage {
        rows: Page { rows: Vec::new(), next: None },
        totals: PlanTotals::default(),
        failed: Vec::new(),
        ..page
    }
}

pub(crate) fn moved() -> Vec<MovedRow> {
    vec![MovedRow {
        repo: name("acme/billing"),
        branch: name(BRANCH),
        was: "push, update #17".into(),
        is: "nothing to do: #17 was merged".into(),
    }]
}

fn pull(number: i64) -> Option<PullLink> {
    let url = format!("https://github.example/acme/gateway/pull/{number}");
    Some(PullLink { number: PullNumber(number), url })
}

fn problem(status: ChangesetStatus) -> Option<ProblemView> {
    let view = |message: &str, next: &str, retry_at| {
        Some(ProblemView { message: message.into(), next: next.into(), retry_at })
    };
    match status {
        ChangesetStatus::Retrying => view(
            "GitHub answered 502 to the push of `drover/upgrade-tokio`",
            "trying again, attempt 2 of 10",
            Some(ahead(3)),
        ),
        ChangesetStatus::Failed => view(
            "the token may not push to `acme/mailer`",
            "needs you: give the token the scope `repo`, then try again",
            None,
        ),
        ChangesetStatus::Drift => view(
            "somebody pushed 2 commits to `drover/upgrade-tokio`",
            "needs you: adopt them, overwrite them, or detach",
            None,
        ),
        _ => None,
    }
}

fn changeset_row(id: ChangesetId, repo: &str, status: ChangesetStatus) -> ChangesetRow {
    let is_published = matches!(
        status,
        ChangesetStatus::Open
            | ChangesetStatus::Merged
            | ChangesetStatus::Draft
            | ChangesetStatus::Drift
    );
    ChangesetRow {
        id,
        repo: name(repo),
        branch: name(BRANCH),
        title: "Upgrade tokio to 1.48".into(),
        status,
        pull: is_published.then(|| pull(17)).flatten(),
        stat: Some(stat(2, 11, 3)),
        problem: problem(status),
        updated_at: ago(4),
    }
}

fn timeline() -> Vec<TimelineRow> {
    let row = |mins, actor: Option<&str>, text: &str| TimelineRow {
        at: ago(mins),
        actor: actor.map(name),
        text: text.to_owned(),
    };
    vec![
        row(1, None, "opened acme/gateway #17"),
        row(3, None, "pushed drover/upgrade-tokio to 8 repositories"),
        row(4, Some("ada"), "applied the spec: 10 changesets"),
        row(1_500, Some("grace"), "applied the spec: 4 changesets"),
    ]
}

pub(crate) fn campaign(filter: ChangesetFilter) -> CampaignPage {
    use ChangesetStatus as S;
    let statuses = [
        S::Open,
        S::Merged,
        S::Retrying,
        S::Failed,
        S::Drift,
        S::Queued,
        S::Processing,
        S::Draft,
        S::Closed,
        S::Unpublished,
        S::ReadOnly,
        S::Open,
    ];
    let rows = (1_u128..).zip(REPOS.into_iter().zip(statuses));
    let rows = rows.map(|(id, (repo, status))| changeset_row(ChangesetId(uuid(id)), repo, status));
    let is_found = |row: &ChangesetRow| {
        filter.status.is_none_or(|status| row.status == status)
            && filter.search.as_ref().is_none_or(|text| row.repo.as_str().contains(text))
    };
    let rows = rows.filter(is_found).collect();
    let next = filter.after.is_none().then(|| "key".to_owned());
    let home = home(true);
    CampaignPage {
        campaign: home.campaigns.rows.into_iter().next().unwrap_or_else(|| unreachable!()),
        description_html: "<p>Move every service to <strong>tokio 1.48</strong>, whose timers no longer drift.</p>".into(),
        spec: CampaignSpecId(uuid(4)),
        spec_text: SPEC.into(),
        applied_by: name("ada"),
        applied_at: ago(4),
        applying: None,
        changesets: Page { rows, next },
        filter,
        timeline: timeline(),
        eta_at: Some(ahead(2)),
        left_out: vec![LeftOut {
            repo: name("acme/ledger"),
            branch: name(BRANCH),
            reason: "refused: the branch belongs to the campaign rename-crates; give this campaign another branch, or archive the other".into(),
        }],
    }
}

pub(crate) fn applying(filter: ChangesetFilter) -> CampaignPage {
    let page = campaign(filter);
    let counts = ChangesetCounts { processing: 160, open: 38, needs_you: 2, ..Default::default() };
    let campaign = CampaignRow { counts, ..page.campaign };
    CampaignPage {
        campaign,
        applying: Some((40, 200)),
        changesets: Page { rows: Vec::new(), next: None },
        eta_at: Some(ahead(24)),
        left_out: Vec::new(),
        ..page
    }
}

pub(crate) fn changeset(id: ChangesetId, status: ChangesetStatus) -> ChangesetPage {
    use ChangesetChoice as C;
    let choices = match status {
        ChangesetStatus::Open => vec![C::Sync, C::Close, C::Detach],
        ChangesetStatus::Retrying => vec![C::Retry, C::Detach],
        ChangesetStatus::Drift => vec![C::Adopt, C::Overwrite, C::Detach],
        ChangesetStatus::Unpublished => vec![C::Publish, C::PublishDraft],
        _ => vec![C::Sync],
    };
    ChangesetPage {
        shown: Shown { pull: None, head: None },
        changeset: changeset_row(id, "acme/gateway", status),
        namespace: name("acme"),
        campaign: name::<CampaignName>("upgrade-tokio"),
        base_branch: name("main"),
        base_commit: Some(name("4f1c2ab0123456789abcdef0123456789abcdef0")),
        head_commit: Some(name("9e0d7c10123456789abcdef0123456789abcdef0")),
        body_html: "<p>Timers no longer drift, and <code>JoinSet</code> can be aborted.</p><ul><li>one</li><li>two</li></ul>".into(),
        commit_message: "Upgrade tokio to 1.48\n\nTimers no longer drift.".into(),
        diff: Some(diffs::diff()),
        timeline: timeline(),
        choices,
    }
}
