//! Rows to start a test from: one person, one code host, repositories, specs.

use super::db::TestDb;
use drover::{
    changeset::{
        Capabilities, Pull, PullState, Support,
        spec::{Author, BranchSpec, ChangesetSpec, CommitSpec},
    },
    diff::DiffStat,
    id::{
        CampaignId, CampaignSpecId, ChangesetSpecId, CodeHostId, CredentialId, NamespaceId, PullId,
        RepoId, UserId,
    },
    names::{HostRepoId, PullNumber},
    viewer::Role,
};
use drover_server::store::{
    campaign_specs::{self, NewCampaignSpec},
    campaigns::{self, Accepted},
    changeset_specs::{self, NewChangesetSpec, NewDiff},
    code_hosts::{self, CodeHost, CodeHostKind, WriteLimits},
    credentials::{self, Credential},
    pulls::{self, SeenPull},
    repositories::{self, Archive, Repository, SeenRepository},
    users,
};
use uuid::Uuid;

/// Limits that no test reaches by accident.
pub(crate) const LIMITS: WriteLimits =
    WriteLimits { per_minute: 79, per_hour: 495, gap_millis: 1_000 };

/// A code host that can do everything.
pub(crate) const ALL: Capabilities =
    Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes };

/// What nearly every test needs.
pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) user: UserId,
    pub(crate) namespace: NamespaceId,
    pub(crate) code_host: CodeHostId,
}

impl World {
    pub(crate) async fn new() -> Self {
        let db = TestDb::new().await;
        let (user, namespace) = (UserId(Uuid::new_v4()), NamespaceId(Uuid::new_v4()));
        let code_host = CodeHostId(Uuid::new_v4());
        let conn = &mut *db.conn().await;
        users::insert_user(conn, user, namespace, &"ada".parse().unwrap(), Role::Admin)
            .await
            .unwrap();
        let host = CodeHost {
            id: code_host,
            kind: CodeHostKind::GitHub,
            api_url: "http://127.0.0.1/api".to_owned(),
            git_url: "http://127.0.0.1/git".to_owned(),
            web_url: "http://127.0.0.1".to_owned(),
            limits: LIMITS,
        };
        code_hosts::upsert(conn, &host).await.unwrap();
        Self { db, user, namespace, code_host }
    }

    pub(crate) async fn repos(&self, names: &[&str]) -> Vec<Repository> {
        let seen: Vec<SeenRepository> = names
            .iter()
            .map(|name| SeenRepository {
                id: number_of(name),
                name: name.parse().unwrap(),
                default_branch: "main".parse().unwrap(),
                archive: Archive::Active,
                language: Some("Rust".to_owned()),
                topics: vec!["one".to_owned(), "two".to_owned()],
            })
            .collect();
        repositories::upsert(&mut *self.db.conn().await, self.code_host, &seen).await.unwrap()
    }

    pub(crate) async fn credential(&self) -> CredentialId {
        let credential = Credential {
            id: CredentialId(Uuid::new_v4()),
            code_host: self.code_host,
            user: None,
            label: "token".to_owned(),
            sealed: vec![1, 2, 3],
            key_id: "key".to_owned(),
        };
        credentials::upsert(&mut *self.db.conn().await, &credential).await.unwrap()
    }

    /// A spec of a campaign with these wishes, whose steps ran to the end.
    pub(crate) async fn spec(
        &self,
        name: &str,
        wishes: &[(RepoId, ChangesetSpec)],
    ) -> CampaignSpecId {
        let id = self.bare_spec(name).await;
        self.db
            .run(&format!(
                "INSERT INTO executions (id, campaign_spec_id, state, finished_at)
                 VALUES (gen_random_uuid(), '{id}', 'done', now())"
            ))
            .await;
        let conn = &mut *self.db.conn().await;
        for (repo, spec) in wishes {
            let diff = match spec {
                ChangesetSpec::Branch(_) => Some(NewDiff {
                    bytes: b"diff",
                    stat: DiffStat { files: 1, added: 2, removed: 3 },
                }),
                ChangesetSpec::Existing { .. } => None,
            };
            let new = NewChangesetSpec {
                id: ChangesetSpecId(Uuid::new_v4()),
                campaign_spec: Some(id),
                repo: *repo,
                spec,
                diff,
            };
            changeset_specs::insert(conn, &new).await.unwrap();
        }
        id
    }

    /// A spec whose steps did not run.
    pub(crate) async fn bare_spec(&self, name: &str) -> CampaignSpecId {
        let id = CampaignSpecId(Uuid::new_v4());
        let new = NewCampaignSpec {
            id,
            namespace: self.namespace,
            author: self.user,
            name: &name.parse().unwrap(),
            text: "name: x",
            description: "First line\nSecond line",
        };
        campaign_specs::insert(&mut *self.db.conn().await, &new).await.unwrap();
        id
    }

    /// The steps of a spec failed in a repository.
    pub(crate) async fn fail_in(
        &self,
        spec: CampaignSpecId,
        repo: RepoId,
        branch: &str,
        why: &str,
    ) {
        self.db
            .run(&format!(
                "INSERT INTO workspaces (id, execution_id, repository_id, branch, state,
                                         steps_total, reason, finished_at)
                 SELECT gen_random_uuid(), id, '{repo}', '{branch}', 'failed', 1, '{why}', now()
                 FROM executions WHERE campaign_spec_id = '{spec}'"
            ))
            .await;
    }

    /// Makes a spec what its campaign wants.
    pub(crate) async fn accept(&self, spec: CampaignSpecId) -> CampaignId {
        let conn = &mut *self.db.conn().await;
        let new = CampaignId(Uuid::new_v4());
        match campaigns::accept(conn, new, spec, self.user).await.unwrap() {
            Accepted::Now(id) => id,
            Accepted::Already => panic!("the campaign wants this spec already"),
        }
    }

    pub(crate) async fn pull(&self, repo: RepoId, number: i64, state: PullState) -> PullId {
        let seen = SeenPull {
            repo,
            pull: Pull {
                number: PullNumber(number),
                state,
                title: "Title".to_owned(),
                body: "Body".to_owned(),
                base: "main".parse().unwrap(),
                head: "a".repeat(40).parse().unwrap(),
                merged_at: None,
            },
            branch: "drover/x".parse().unwrap(),
            url: "http://127.0.0.1/pull".to_owned(),
            next_sync_at: None,
        };
        pulls::upsert(&mut *self.db.conn().await, &seen).await.unwrap()
    }
}

/// A number that goes with a name, in any case of letters.
pub(crate) fn number_of(name: &str) -> HostRepoId {
    let fold = |sum: i64, byte: u8| (sum * 31 + i64::from(byte.to_ascii_lowercase())) % (1 << 40);
    HostRepoId(name.bytes().fold(1, fold))
}

/// A wish for a branch.
pub(crate) fn on_branch(repo: &Repository, branch: &str, title: &str) -> (RepoId, ChangesetSpec) {
    let spec = BranchSpec {
        repo: repo.name.clone(),
        base: "main".parse().unwrap(),
        base_commit: "a".repeat(40).parse().unwrap(),
        head: branch.parse().unwrap(),
        title: title.to_owned(),
        body: "Body".to_owned(),
        commit: CommitSpec {
            message: "Message".to_owned(),
            author: Author { name: "Ada".to_owned(), email: "ada@example.org".to_owned() },
        },
        published: None,
        diff_digest: "d".repeat(64),
    };
    (repo.id, ChangesetSpec::Branch(spec))
}

/// A wish to track a pull request that exists.
pub(crate) fn tracking(repo: &Repository, number: i64) -> (RepoId, ChangesetSpec) {
    let spec = ChangesetSpec::Existing { repo: repo.name.clone(), number: PullNumber(number) };
    (repo.id, spec)
}
