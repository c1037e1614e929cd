//! `drover apply`: applies a plan and waits until its changesets are as wanted.

use super::{
    CliError, Outcome,
    args::ApplyArgs,
    client::Client,
    console::{Console, Format, Reply},
    preview::{self, Executed},
    result::{self, Happened, RepositoryResult},
    status::{self, Status},
    wait::Patience,
};
use crate::api::wire::ErrorCode;
use drover::{
    id::CampaignSpecId,
    names::RepoName,
    view::{
        campaign::CampaignPage,
        execution::WorkspaceRow,
        preview::{PreviewPage, Standing},
    },
};
use serde::Serialize;

/// The result for programs that do not wait.
#[derive(Serialize)]
struct Accepted<'a> {
    spec: CampaignSpecId,
    campaign: &'a str,
    repositories: Vec<RepositoryResult<'a>>,
}

/// The result for programs that do.
#[derive(Serialize)]
struct Applied<'a> {
    #[serde(flatten)]
    status: &'a Status,
    repositories: Vec<RepositoryResult<'a>>,
    happened: Happened,
}

/// What a preview allows.
#[derive(Clone, Copy)]
enum Step {
    Applied,
    Nothing,
}

/// A preview, what its execution came to, and the repositories without a result.
struct Previewed {
    page: PreviewPage,
    workspaces: Vec<WorkspaceRow>,
    without_result: Vec<RepoName>,
}

pub(super) async fn run(args: &ApplyArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let client = Client::new(&args.server)?;
    let previewed = preview(&client, args, console).await?;
    let Previewed { page, workspaces, without_result } = &previewed;
    let campaign = format!("{}/{}", page.namespace, page.campaign);
    if matches!(page.standing, Standing::Ready { .. }) && !args.allow_failed {
        agree(without_result, console)?;
    }
    let repos = without_result.clone();
    let step = apply(&client, page).await?;
    match step {
        Step::Nothing => {
            console.progress(&format!("{campaign} wants this already: nothing to do"))?;
        }
        Step::Applied if args.no_wait => {
            let repositories = result::repositories(workspaces);
            match console.format {
                Format::Text => console.line(&format!("{campaign} is being applied"))?,
                Format::Json => console.json(&Accepted {
                    spec: page.spec,
                    campaign: &campaign,
                    repositories,
                })?,
            }
            return conclude(campaign, 0, repos);
        }
        Step::Applied => wait(&client, page, console).await?,
    }
    let status = status::load(&client, &page.namespace, &page.campaign).await?;
    show(&status, &previewed, step, console)?;
    conclude(campaign, status.campaign.counts.needs_you, repos)
}

async fn preview(
    client: &Client,
    args: &ApplyArgs,
    console: &mut Console<'_>,
) -> Result<Previewed, CliError> {
    let (page, workspaces) = match (&args.what.file, args.what.spec) {
        (Some(file), _) => {
            let namespace = args.namespace.as_ref();
            let Executed { page, workspaces, .. } =
                preview::execute(client, file, namespace, console).await?;
            (page, workspaces)
        }
        (None, Some(id)) => {
            let page = result::whole_preview(client, id).await?;
            // Asked for where they are shown, or stop the apply.
            let are_wanted = !page.failed.is_empty() || console.format == Format::Json;
            let workspaces = if are_wanted {
                preview::look(client, page.execution).await?.1
            } else {
                Vec::new()
            };
            (page, workspaces)
        }
        (None, None) => {
            return Err(CliError::NotReady { reason: "no spec was named".to_owned() });
        }
    };
    let without_result = result::without_result(&workspaces);
    Ok(Previewed { page, workspaces, without_result })
}

/// What has no result is left as it is; whether that is meant, a person says.
fn agree(without_result: &[RepoName], console: &mut Console<'_>) -> Result<(), CliError> {
    if without_result.is_empty() {
        return Ok(());
    }
    let repos = without_result.to_vec();
    let question = format!("{}. Apply the others?", CliError::NoResult { repos: repos.clone() });
    match console.ask(&question)? {
        Reply::Yes => Ok(()),
        Reply::No | Reply::Nobody => Err(CliError::NotAllowed { repos }),
    }
}

fn show(
    status: &Status,
    previewed: &Previewed,
    step: Step,
    console: &mut Console<'_>,
) -> Result<(), CliError> {
    let Previewed { page, workspaces, without_result } = previewed;
    let happened = Happened::of(&page.rows.rows, &status.changesets, without_result);
    match console.format {
        Format::Json => {
            let repositories = result::repositories(workspaces);
            console.json(&Applied { status, repositories, happened })
        }
        Format::Text => {
            status::show(status, console)?;
            match step {
                Step::Applied => console.line(&format!("applied: {}", happened.text())),
                Step::Nothing => Ok(()),
            }
        }
    }
}

/// All went well, or what did not.
fn conclude(campaign: String, needs_you: u32, repos: Vec<RepoName>) -> Result<Outcome, CliError> {
    match (needs_you, repos.is_empty()) {
        (0, true) => Ok(Outcome::Done),
        (0, false) => Err(CliError::NoResult { repos }),
        (count, _) => Err(CliError::NeedsYou { campaign, count, repos }),
    }
}

async fn apply(client: &Client, page: &PreviewPage) -> Result<Step, CliError> {
    let not_ready = |reason: &str| Err(CliError::NotReady { reason: reason.to_owned() });
    match &page.standing {
        Standing::Executing => not_ready("the steps still run"),
        Standing::Unfinished { reason } => not_ready(reason),
        Standing::Applied => Ok(Step::Nothing),
        Standing::Superseded { by } => Err(CliError::Superseded { by: *by }),
        Standing::Ready { hash } => {
            client.apply(page.spec, hash).await?;
            Ok(Step::Applied)
        }
    }
}

async fn wait(
    client: &Client,
    preview: &PreviewPage,
    console: &mut Console<'_>,
) -> Result<(), CliError> {
    let mut patience = Patience::new("the apply");
    let mut shown = String::new();
    loop {
        let looked = look(client, preview).await;
        if let Some(Some(page)) = patience.bear(looked)? {
            let text = progress(&page);
            if shown != text {
                console.progress(&text)?;
                shown = text;
            }
            if is_over(&page) {
                return Ok(());
            }
        }
        patience.pause(1).await?;
    }
}

/// The campaign once it wants this spec. The first apply makes it a little later.
async fn look(client: &Client, preview: &PreviewPage) -> Result<Option<CampaignPage>, CliError> {
    match client.campaign(&preview.namespace, &preview.campaign, None).await {
        Ok(page) if page.spec == preview.spec => Ok(Some(page)),
        Ok(_) => Ok(None),
        Err(CliError::Refused { detail }) if detail.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_over(page: &CampaignPage) -> bool {
    page.applying.is_none() && page.campaign.counts.processing == 0
}

fn progress(page: &CampaignPage) -> String {
    match page.applying {
        Some(applying) => status::applying_text(applying),
        None => status::counts(&page.campaign.counts),
    }
}
