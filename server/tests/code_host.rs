//! GitHub as Drover sees it, against the stand-in over HTTP, faults included.

use axum::{Router, http::Method, response::IntoResponse};
use drover::{
    campaign::spec::{RepoQuery, query::Activity},
    changeset::{PullState, marker},
    id::ChangesetId,
    names::PullNumber,
    time::Timestamp,
};
use drover_server::code_host::{
    CodeHost, CodeHostError, Limit, NewPull, PullChange, PullInfo, Readiness, Rejection,
    github::{GitHub, Timeouts, address::ApiAddress},
    look::{LookTarget, Part},
    probe::{Probe, probe},
};
use github_stand_in::{
    Access, Config, Control, Fault, FileContent, NewCommit, NewRepo, Rule, StandIn,
};
use std::{
    fmt::Debug,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

const TOKEN: &str = "ghp_ada";
const PULLS: &str = "/repos/acme/web/pulls";

/// A stand-in with `acme/web`, in which ada has pushed `drover/x`.
struct World {
    stand_in: StandIn,
    control: Control,
    github: GitHub,
}

impl World {
    async fn new() -> Self {
        let stand_in = StandIn::start(Config::default()).await.unwrap();
        let control = stand_in.control();
        control.create_user("ada", TOKEN).unwrap();
        create_repo(&control, "acme", "web", &["shop"]).await;
        control.grant("acme/web", "ada", Access::Write).unwrap();
        push(&control, "drover/x").await;
        let github = github(&stand_in.url(), TOKEN);
        Self { stand_in, control, github }
    }

    fn fault(&self, method: &str, path: &str, fault: Fault) {
        self.control.fault(Rule::once(method, path, fault));
    }

    async fn create(&self) -> Result<PullInfo, CodeHostError> {
        self.github.create_pull(&new_pull(Readiness::Ready)).await
    }

    /// What a look at the branch tells after an unknown outcome.
    async fn probe(&self) -> Probe {
        let head = name("drover/x");
        let found = self.github.find_pull_by_head(&name("acme/web"), "acme", &head).await;
        probe(&found.unwrap(), &head, &name("main"), changeset())
    }

    fn posts(&self) -> usize {
        self.control.count_requests("POST", PULLS)
    }
}

async fn create_repo(control: &Control, owner: &str, repo: &str, topics: &[&str]) {
    let wish = NewRepo {
        owner: owner.to_owned(),
        name: repo.to_owned(),
        topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        files: vec![FileContent::new("src/main.rs", "fn main() {}\n")],
        ..NewRepo::default()
    };
    control.create_repo(wish).await.unwrap();
}

async fn push(control: &Control, branch: &str) {
    let commit = NewCommit {
        repo: "acme/web".to_owned(),
        branch: branch.to_owned(),
        by: "ada".to_owned(),
        message: "Change".to_owned(),
        files: vec![FileContent::new(&branch.replace('/', "-"), branch)],
    };
    control.commit(&commit).await.unwrap();
}

fn github(url: &str, token: &str) -> GitHub {
    let timeouts =
        Timeouts { connect: Duration::from_secs(2), answer: Duration::from_millis(1_500) };
    let address = ApiAddress::parse(url).unwrap();
    GitHub::new(address, token.into(), timeouts, now).unwrap()
}

fn now() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

fn name<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn changeset() -> ChangesetId {
    name("0191a0a0-0000-7000-8000-000000000001")
}

fn new_pull(readiness: Readiness) -> NewPull {
    NewPull {
        repo: name("acme/web"),
        head: name("drover/x"),
        base: name("main"),
        title: "Title".to_owned(),
        body: marker::mark("Why.", changeset()),
        readiness,
    }
}

fn rejection(result: Result<PullInfo, CodeHostError>) -> Option<Rejection> {
    match result {
        Err(CodeHostError::Rejected { reason, .. }) => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn repositories_and_branches_are_read() {
    let world = World::new().await;
    let github = &world.github;
    assert_eq!(github.whoami().await.unwrap().name, "ada");
    let repo = github.find_repo(&name("acme/web")).await.unwrap().unwrap();
    assert_eq!((repo.name.as_str(), repo.default_branch.as_str()), ("acme/web", "main"));
    assert_eq!((repo.activity, repo.can_push), (Activity::Active, true));
    assert_eq!(repo.clone_url.as_str(), format!("{}/acme/web.git", world.stand_in.url()));
    assert_eq!(github.find_repo(&name("acme/none")).await.unwrap(), None);
    let head = github.branch_head(&name("acme/web"), &name("drover/x")).await.unwrap();
    let tip = world.control.branch_tip("acme/web", "drover/x").await.unwrap();
    assert_eq!(head.map(|sha| sha.as_str().to_owned()), tip);
    assert_eq!(github.branch_head(&name("acme/web"), &name("none")).await.unwrap(), None);
}

#[tokio::test]
async fn a_search_lists_owners_page_by_page_and_asks_for_no_single_repository() {
    let world = World::new().await;
    for at in 0..120 {
        create_repo(&world.control, "big", &format!("r{at:03}"), &["cli"]).await;
    }
    world.control.archive("big/r007").unwrap();
    world.control.clear_requests();
    for (query, expected) in [
        ("org:acme", 1),
        ("org:big topic:cli", 119),
        ("org:acme org:big archived:yes", 121),
        ("org:big archived:only", 1),
        ("org:big name:r00*", 9),
        ("org:acme topic:cli", 0),
    ] {
        let query = RepoQuery::parse(query).unwrap();
        let (mut found, mut after) = (0, None);
        loop {
            let page = world.github.search_repos(&query, after.as_ref()).await.unwrap();
            found += page.repos.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{}", query.text);
    }
    assert_eq!(world.control.requests().len(), 1 + 2 + 3 + 2 + 2 + 1);
    let unknown = RepoQuery::parse("org:nobody").unwrap();
    let error = world.github.search_repos(&unknown, None).await.unwrap_err();
    assert!(error.to_string().contains("user or organisation `nobody`"), "{error}");
}

#[tokio::test]
async fn a_pull_request_goes_through_its_life() {
    let world = World::new().await;
    let (github, repo) = (&world.github, name("acme/web"));
    let created = github.create_pull(&new_pull(Readiness::Draft)).await.unwrap();
    let number = created.pull.number;
    assert_eq!((created.pull.state, created.head_branch.as_str()), (PullState::Draft, "drover/x"));
    assert_eq!(marker::marked(&created.pull.body), Some(changeset()));
    assert_eq!(github.get_pull(&repo, number).await.unwrap(), created);
    let state = |info: PullInfo| info.pull.state;
    assert_eq!(state(github.mark_ready(&repo, number).await.unwrap()), PullState::Open);
    assert_eq!(state(github.get_pull(&repo, number).await.unwrap()), PullState::Open);
    assert_eq!(state(github.convert_to_draft(&repo, number).await.unwrap()), PullState::Draft);
    assert_eq!(state(github.mark_ready(&repo, number).await.unwrap()), PullState::Open);
    push(&world.control, "develop").await;
    let change = PullChange {
        title: Some("New".to_owned()),
        base: Some(name("develop")),
        ..PullChange::default()
    };
    let updated = github.update_pull(&repo, number, &change).await.unwrap().pull;
    assert_eq!((updated.title.as_str(), updated.base.as_str()), ("New", "develop"));
    assert_eq!(updated.body, created.pull.body);
    assert_eq!(state(github.close_pull(&repo, number).await.unwrap()), PullState::Closed);
    assert_eq!(state(github.reopen_pull(&repo, number).await.unwrap()), PullState::Open);
    world.control.merge_pull("acme/web", 1, "ada").await.unwrap();
    assert_eq!(state(github.get_pull(&repo, number).await.unwrap()), PullState::Merged);
    let gone = github.get_pull(&repo, PullNumber(99)).await.unwrap_err();
    assert!(gone.to_string().contains("pull request #99 in `acme/web`"), "{gone}");
}

#[tokio::test]
async fn one_look_tells_how_many_things_stand() {
    let world = World::new().await;
    let number = world.create().await.unwrap().pull.number;
    let target = |repo: &str, head: &str, number| LookTarget {
        repo: name(repo),
        head: Some(name(head)),
        base: Some(name("main")),
        number,
    };
    let targets = [
        target("acme/web", "drover/x", Some(number)),
        target("acme/web", "none", Some(PullNumber(99))),
        target("acme/none", "drover/x", None),
    ];
    let looked = world.github.look(&targets).await;
    let [Ok(first), Ok(second), Err(CodeHostError::NotFound { .. })] = looked.as_slice() else {
        panic!("{looked:#?}")
    };
    assert_eq!(first.repo.name, name("acme/web"));
    assert_eq!(first.repo.default_branch, Some(name("main")));
    let pull = first.pull.found().unwrap();
    assert_eq!(first.head.found().unwrap().commit, pull.pull.head);
    assert_eq!(first.open.found().unwrap().as_slice(), std::slice::from_ref(pull));
    assert_eq!((&second.head, &second.pull), (&Part::Absent, &Part::Absent));
    assert!(second.base.found().is_some());
    world.fault("POST", "/graphql", Fault::Status { status: 502 });
    world.fault("GET", "/repos/*/*", Fault::Status { status: 502 });
    let looked = world.github.look(&targets[..1]).await;
    assert!(matches!(looked[..], [Err(CodeHostError::Unavailable { .. })]), "{looked:#?}");
}

#[tokio::test]
async fn what_is_so_already_is_not_written() {
    let world = World::new().await;
    let number = world.create().await.unwrap().pull.number;
    let repo = name("acme/web");
    let before = world.github.counts().writes;
    world.github.mark_ready(&repo, number).await.unwrap();
    world.github.update_pull(&repo, number, &PullChange::default()).await.unwrap();
    assert_eq!(world.github.counts().writes, before);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let world = World::new().await;
    let create = async |head: &str, base: &str| {
        let pull = NewPull { head: name(head), base: name(base), ..new_pull(Readiness::Ready) };
        rejection(world.github.create_pull(&pull).await)
    };
    assert_eq!(create("main", "main").await, Some(Rejection::NoCommits));
    assert_eq!(create("drover/x", "none").await, Some(Rejection::Validation));
    assert_eq!(create("none", "main").await, Some(Rejection::Validation));
    assert_eq!(create("drover/x", "main").await, None);
    assert_eq!(create("drover/x", "main").await, Some(Rejection::AlreadyExists));
    world.control.archive("acme/web").unwrap();
    assert_eq!(create("drover/x", "main").await, Some(Rejection::ReadOnly));
    let read_only = world.github.get_pull(&name("acme/web"), PullNumber(1)).await.unwrap();
    assert_eq!(read_only.pull.state, PullState::ReadOnly);
}

#[tokio::test]
async fn a_write_is_sent_once_and_a_lost_answer_is_an_unknown_outcome() {
    for fault in [
        Fault::Status { status: 500 },
        Fault::Status { status: 502 },
        Fault::CutBefore,
        Fault::Hang,
    ] {
        let world = World::new().await;
        world.fault("POST", PULLS, fault.clone());
        let error = world.create().await.unwrap_err();
        assert!(matches!(error, CodeHostError::UnknownOutcome { .. }), "{fault:?}: {error:?}");
        assert_eq!((world.probe().await, world.posts()), (Probe::Absent, 1), "{fault:?}");
        world.create().await.unwrap();
        assert!(matches!(world.probe().await, Probe::Found(_)), "{fault:?}");
    }
}

#[tokio::test]
async fn what_was_done_before_its_answer_was_lost_is_found() {
    for fault in
        [Fault::StatusAfter { status: 500 }, Fault::StatusAfter { status: 504 }, Fault::CutAfter]
    {
        let world = World::new().await;
        world.fault("POST", PULLS, fault.clone());
        let error = world.create().await.unwrap_err();
        assert!(matches!(error, CodeHostError::UnknownOutcome { .. }), "{fault:?}: {error:?}");
        let Probe::Found(found) = world.probe().await else { panic!("{fault:?}: not found") };
        assert_eq!(found.pull.number, PullNumber(1));
        assert_eq!(world.posts(), 1, "{fault:?}");
        assert_eq!(world.control.pulls("acme/web").unwrap().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_read_can_be_tried_again() {
    let world = World::new().await;
    for fault in [Fault::Hang, Fault::Status { status: 500 }, Fault::CutBefore, Fault::CutAfter] {
        world.fault("GET", "/user", fault.clone());
        let error = world.github.whoami().await.unwrap_err();
        assert!(matches!(error, CodeHostError::Unavailable { .. }), "{fault:?}: {error:?}");
    }
    assert_eq!(world.control.count_requests("GET", "/user"), 4, "each is sent once");
    world.github.whoami().await.unwrap();
}

#[tokio::test]
async fn a_pull_request_of_somebody_else_is_foreign() {
    let world = World::new().await;
    let theirs = NewPull { body: "Mine.".to_owned(), ..new_pull(Readiness::Ready) };
    world.github.create_pull(&theirs).await.unwrap();
    assert_eq!(rejection(world.create().await), Some(Rejection::AlreadyExists));
    assert_eq!(world.probe().await, Probe::Foreign { number: PullNumber(1) });
}

#[tokio::test]
async fn a_revoked_token_is_unauthorized_for_reads_and_writes() {
    let world = World::new().await;
    world.github.whoami().await.unwrap();
    world.control.revoke_token(TOKEN).unwrap();
    let read = world.github.whoami().await.unwrap_err();
    let write = world.create().await.unwrap_err();
    for error in [read, write] {
        assert!(matches!(error, CodeHostError::Unauthorized { .. }), "{error:?}");
        assert!(!error.to_string().contains(TOKEN), "{error}");
    }
}

#[tokio::test]
async fn while_limited_nothing_is_sent() {
    let world = World::new().await;
    for (fault, wait_secs, limit) in [
        (Fault::SecondaryLimit { status: 403, retry_after_secs: Some(30) }, 30, Limit::Secondary),
        (Fault::SecondaryLimit { status: 429, retry_after_secs: Some(90) }, 90, Limit::Secondary),
        (Fault::SecondaryLimit { status: 403, retry_after_secs: None }, 60, Limit::Secondary),
        (Fault::SecondaryLimit { status: 429, retry_after_secs: None }, 60, Limit::Secondary),
        (Fault::PrimaryLimit { reset_after_secs: 300 }, 300, Limit::Primary),
    ] {
        let github = github(&world.stand_in.url(), TOKEN);
        world.fault("POST", PULLS, fault.clone());
        let pull = new_pull(Readiness::Ready);
        let created = github.create_pull(&pull).await;
        let Err(CodeHostError::RateLimited { until, limit: found }) = created else {
            panic!("{fault:?} is no limit")
        };
        let wait = until.since(now()).as_secs();
        assert!((wait_secs - 3..=wait_secs + 2).contains(&wait), "{fault:?}: {wait} s");
        assert_eq!(found, limit, "{fault:?}");
        let sent = world.control.requests().len();
        assert!(matches!(github.create_pull(&pull).await, Err(CodeHostError::RateLimited { .. })));
        assert!(matches!(github.whoami().await, Err(CodeHostError::RateLimited { .. })));
        assert_eq!(world.control.requests().len(), sent, "{fault:?}");
    }
}

#[tokio::test]
async fn a_read_of_what_has_not_changed_is_free() {
    let world = World::new().await;
    let number = world.create().await.unwrap().pull.number;
    let repo = name("acme/web");
    let first = world.github.get_pull(&repo, number).await.unwrap();
    let again = world.github.get_pull(&repo, number).await.unwrap();
    assert_eq!((first, world.github.counts().not_modified), (again, 1));
    world.github.close_pull(&repo, number).await.unwrap();
    let closed = world.github.get_pull(&repo, number).await.unwrap();
    assert_eq!(closed.pull.state, PullState::Closed);
}

#[tokio::test]
async fn an_enterprise_server_has_its_own_paths() {
    let world = World::new().await;
    let github = github(&format!("{}/api/v3", world.stand_in.url()), TOKEN);
    assert_eq!(github.whoami().await.unwrap().name, "ada");
    let draft = github.create_pull(&new_pull(Readiness::Draft)).await.unwrap();
    let ready = github.mark_ready(&draft.repo, draft.pull.number).await.unwrap();
    assert_eq!(ready.pull.state, PullState::Open);
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_sent() {
    let github = github("http://127.0.0.1:1", TOKEN);
    let error = github.create_pull(&new_pull(Readiness::Ready)).await.unwrap_err();
    assert!(matches!(error, CodeHostError::Unavailable { .. }), "{error:?}");
}

/// A server that answers every request alike, and counts those that carry a token.
async fn answers<R: IntoResponse + Send>(
    answer: impl Fn(Method, String) -> R + Clone + Send + Sync + 'static,
) -> (String, Arc<AtomicU32>) {
    let tokens = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&tokens);
    let app = Router::new().fallback(async move |request: axum::extract::Request| {
        let carries = u32::from(request.headers().contains_key("authorization"));
        seen.fetch_add(carries, Ordering::SeqCst);
        answer(request.method().clone(), request.uri().to_string())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, tokens)
}

#[tokio::test]
async fn a_renamed_repository_is_followed_with_the_same_method() {
    let (url, _) = answers(|method, uri| {
        if uri.starts_with("/repositories/") {
            let body = format!(r#"{{"message":"{method} {uri}"}}"#);
            return (422, "/", body).into_answer();
        }
        (307, "/repositories/7/pulls", String::new()).into_answer()
    })
    .await;
    let error = github(&url, TOKEN).create_pull(&new_pull(Readiness::Ready)).await.unwrap_err();
    let message = "POST /repositories/7/pulls".to_owned();
    assert_eq!(error, CodeHostError::Rejected { reason: Rejection::Validation, message });
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let (other, tokens) = answers(|_, _| (200, "/", "{}".to_owned()).into_answer()).await;
    for status in [301, 302, 307, 308] {
        let target = format!("{other}/user");
        let (url, _) =
            answers(move |_, _| (status, target.as_str(), String::new()).into_answer()).await;
        let error = github(&url, TOKEN).whoami().await.unwrap_err();
        assert!(matches!(error, CodeHostError::Unavailable { .. }), "{status}: {error:?}");
    }
    assert_eq!(tokens.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn endless_redirects_end() {
    let (url, tokens) = answers(|_, _| (301, "/again", String::new()).into_answer()).await;
    let error = github(&url, TOKEN).whoami().await.unwrap_err();
    assert!(error.to_string().contains("redirects"), "{error}");
    assert_eq!(tokens.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_lost() {
    for body in ["", "<html>", "[]", r#"{"number":"7"}"#] {
        let (url, _) = answers(move |_, _| (201, "/", body.to_owned()).into_answer()).await;
        let github = github(&url, TOKEN);
        let write = github.create_pull(&new_pull(Readiness::Ready)).await.unwrap_err();
        assert!(matches!(write, CodeHostError::UnknownOutcome { .. }), "{body}: {write:?}");
        let read = github.whoami().await.unwrap_err();
        assert!(matches!(read, CodeHostError::Unavailable { .. }), "{body}: {read:?}");
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_refused_at_once() {
    for token in ["", "a b", "a\nb", "ä"] {
        let address = ApiAddress::parse("https://api.github.com").unwrap();
        let made = GitHub::new(address, token.into(), Timeouts::default(), now);
        assert!(made.is_err(), "{token:?}");
    }
}

trait IntoAnswer {
    fn into_answer(self) -> axum::response::Response;
}

impl IntoAnswer for (u16, &str, String) {
    fn into_answer(self) -> axum::response::Response {
        let (status, location, body) = self;
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        (status, [("location", location)], body).into_response()
    }
}
