//! Looks at a GitHub that does not answer them by GraphQL: several requests per target.

use super::{answer::Answer, client::Client, model::RepoJson, pulls, repos};
use crate::code_host::{
    CodeHostError, PullInfo,
    look::{LOOK_OPEN_PULLS_MAX, LookTarget, Looked, Part, RepoSight, Sight, Tip},
};
use drover::{
    changeset::push_target::Protection,
    names::{BranchName, CommitSha, RepoName},
};
use futures::future::join_all;
use serde::Deserialize;

/// The targets that are asked for at once.
const AT_ONCE: usize = 4;

pub(super) async fn look(client: &Client, targets: &[LookTarget]) -> Vec<Looked> {
    let mut looked = Vec::with_capacity(targets.len());
    for some in targets.chunks(AT_ONCE) {
        looked.extend(join_all(some.iter().map(|target| look_at(client, target))).await);
    }
    looked
}

async fn look_at(client: &Client, target: &LookTarget) -> Looked {
    let LookTarget { repo, head, base, number } = target;
    let what = format!("repository `{repo}`");
    let answer = client.get(&format!("/repos/{repo}"), &what).await?;
    let info = answer.json::<RepoJson>()?.into_info(&client.address)?;
    // Under the name of today, which costs no redirects.
    let name = &info.name;
    let pull = match number {
        Some(number) => part(pulls::load(client, name, *number).await.map(|it| it.info)),
        None => Part::NotAsked,
    };
    let open = match head {
        Some(head) => part(open_pulls(client, name, head).await),
        None => Part::NotAsked,
    };
    let (head, base) =
        (branch(client, name, head.as_ref()).await, branch(client, name, base.as_ref()).await);
    let repo = RepoSight {
        id: info.id,
        name: info.name,
        activity: info.activity,
        default_branch: Some(info.default_branch),
    };
    Ok(Sight { repo, head, base, pull, open })
}

fn part<T>(read: Result<T, CodeHostError>) -> Part<T> {
    match read {
        Ok(it) => Part::Found(it),
        Err(CodeHostError::NotFound { .. }) => Part::Absent,
        Err(error) => Part::Unknown(error),
    }
}

async fn open_pulls(
    client: &Client,
    repo: &RepoName,
    head: &BranchName,
) -> Result<Vec<PullInfo>, CodeHostError> {
    pulls::find_by_head_in(client, repo, repo.owner(), head, "open", LOOK_OPEN_PULLS_MAX).await
}

#[derive(Deserialize)]
struct BranchJson {
    name: BranchName,
    commit: CommitJson,
    #[serde(default)]
    protected: bool,
}

#[derive(Deserialize)]
struct CommitJson {
    sha: CommitSha,
}

async fn branch(client: &Client, repo: &RepoName, branch: Option<&BranchName>) -> Part<Tip> {
    let Some(branch) = branch else { return Part::NotAsked };
    let what = format!("branch `{branch}` of `{repo}`");
    let resource = format!("/repos/{repo}/branches/{}", repos::in_path(branch));
    let read = client.get(&resource, &what).await;
    match part(read.and_then(|answer: Answer| answer.json::<BranchJson>())) {
        // GitHub leads from the old name of a renamed branch to the new one, which is another.
        Part::Found(json) if json.name != *branch => Part::Absent,
        Part::Found(BranchJson { commit, protected, .. }) => {
            let protection = if protected { Protection::Protected } else { Protection::Open };
            Part::Found(Tip { commit: commit.sha, protection })
        }
        Part::NotAsked => Part::NotAsked,
        Part::Absent => Part::Absent,
        Part::Unknown(error) => Part::Unknown(error),
    }
}
