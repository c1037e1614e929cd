//! `drover apply`: applies a plan and waits until its changesets are as wanted.

use super::{
    CliError, Outcome,
    args::ApplyArgs,
    client::Client,
    console::{Console, Format},
    preview, status,
    wait::Patience,
};
use crate::api::wire::ErrorCode;
use drover::{
    id::CampaignSpecId,
    view::{
        campaign::CampaignPage,
        preview::{PreviewPage, Standing},
    },
};
use serde::Serialize;

/// The result for programs that do not wait.
#[derive(Serialize)]
struct Accepted<'a> {
    spec: CampaignSpecId,
    campaign: &'a str,
}

/// What a preview allows.
enum Step {
    Applied,
    Nothing,
}

pub(super) async fn run(args: &ApplyArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let client = Client::new(&args.server)?;
    let page = match (&args.what.file, args.what.spec) {
        (Some(file), _) => {
            preview::execute(&client, file, args.namespace.as_ref(), console).await?.1
        }
        (None, Some(id)) => client.preview(id).await?,
        (None, None) => {
            return Err(CliError::NotReady { reason: "no spec was named".to_owned() });
        }
    };
    let campaign = format!("{}/{}", page.namespace, page.campaign);
    match apply(&client, &page).await? {
        Step::Nothing => {
            console.progress(&format!("{campaign} wants this already: nothing to do"))?;
        }
        Step::Applied if args.no_wait => {
            match console.format {
                Format::Text => console.line(&format!("{campaign} is being applied"))?,
                Format::Json => {
                    console.json(&Accepted { spec: page.spec, campaign: &campaign })?;
                }
            }
            return Ok(Outcome::Done);
        }
        Step::Applied => wait(&client, &page, console).await?,
    }
    let result = status::load(&client, &page.namespace, &page.campaign).await?;
    status::show(&result, console)?;
    match result.campaign.counts.needs_you {
        0 => Ok(Outcome::Done),
        count => Err(CliError::NeedsYou { campaign, count }),
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
        Some((done, total)) => format!("applying: {done} of {total} changesets"),
        None => status::counts(&page.campaign.counts),
    }
}
