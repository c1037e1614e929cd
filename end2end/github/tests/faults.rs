use crate::support::{ANNA, Answer, REPO, World};
use github_stand_in::{Class, Fault, Rule};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const PATTERN: &str = "/repos/*/*/pulls";

fn pulls() -> String {
    format!("/repos/{REPO}/pulls")
}

/// Tries to open a pull request; none when the connection broke or nothing came in time.
async fn try_open(world: &World) -> Option<Answer> {
    let wish = json!({ "title": "x", "head": "fix", "base": "main" });
    let request = world.request(Method::POST, &pulls(), ANNA).json(&wish);
    let response = request.timeout(Duration::from_secs(2)).send().await.ok()?;
    Some(Answer::of(response).await)
}

#[tokio::test]
async fn each_fault_does_what_it_says_and_no_more() {
    let check = async |fault: Fault, status: Option<u16>, made: usize| {
        let world = World::shop().await;
        world.control().fault(Rule::once("POST", PATTERN, fault.clone()));
        let answer = try_open(&world).await;
        assert_eq!(answer.map(|answer| answer.status.as_u16()), status, "{fault:?}");
        assert_eq!(world.control().pulls(REPO).unwrap().len(), made, "{fault:?}");
        let then = try_open(&world).await.expect("the fault is used up");
        assert_eq!(then.status.as_u16(), if made == 0 { 201 } else { 422 });
        assert_eq!(world.control().count_requests("POST", "/pulls"), 2);
        assert_eq!(world.control().request_counts()[&Class::ContentWrite], 2);
    };
    check(Fault::Status { status: 502 }, Some(502), 0).await;
    check(Fault::StatusAfter { status: 500 }, Some(500), 1).await;
    check(Fault::Delay { millis: 50 }, Some(201), 1).await;
    check(Fault::Hang, None, 0).await;
    check(Fault::HangAfter, None, 1).await;
    check(Fault::CutBefore, None, 0).await;
    check(Fault::CutAfter, None, 1).await;
    check(Fault::PrimaryLimit { reset_after_secs: 60 }, Some(403), 0).await;
    let limit = |status, retry_after_secs| Fault::SecondaryLimit { status, retry_after_secs };
    check(limit(403, Some(7)), Some(403), 0).await;
    check(limit(429, None), Some(429), 0).await;
}

#[tokio::test]
async fn a_secondary_limit_says_when_to_come_back_only_if_told_to() {
    let world = World::shop().await;
    for (secs, expected) in [(Some(7), Some("7")), (None, None)] {
        let fault = Fault::SecondaryLimit { status: 403, retry_after_secs: secs };
        world.control().fault(Rule::once("GET", PATTERN, fault));
        let refused = world.get(&pulls(), ANNA).await.is(403);
        let told = refused.headers.get("retry-after").and_then(|it| it.to_str().ok());
        assert_eq!(told, expected);
        assert!(refused.message().contains("secondary rate limit"));
    }
}

#[tokio::test]
async fn a_stale_read_sees_what_was_there_before() {
    let world = World::shop().await;
    world.open_pull().await;
    world.control().fault(Rule::once("GET", PATTERN, Fault::StaleRead));
    assert_eq!(world.get(&pulls(), ANNA).await.body, json!([]));
    assert_eq!(world.get(&pulls(), ANNA).await.body[0]["number"], 1);
}

#[tokio::test]
async fn the_control_endpoints_do_the_same_from_another_process() {
    let world = World::shop().await;
    let act = async |action| world.post("/_control/actions", "", action).await;
    let fault = json!({ "kind": "status", "status": 503 });
    let fault = json!({ "do": "fault", "path": "/user", "times": 1, "fault": fault });
    act(fault).await.is(200);
    world.get("/user", ANNA).await.is(503);
    act(json!({ "do": "revoke_token", "token": ANNA })).await.is(200);
    world.get("/user", ANNA).await.is(401);
    let commit = json!({
        "do": "commit", "repo": REPO, "branch": "other", "by": "bob", "message": "m",
        "files": [{ "path": "x", "content": "x" }],
    });
    let sha = act(commit).await.is(200).body["sha"].clone();
    let tip = world.control().branch_tip(REPO, "other").await.unwrap().unwrap();
    assert_eq!(sha, tip.as_str());
    let no_branch = json!({
        "do": "commit", "repo": REPO, "branch": "-x", "by": "bob", "message": "", "files": [],
    });
    act(no_branch).await.is(422);
    act(json!({ "do": "archive", "repo": "acme/none" })).await.is(404);
    let counts = world.get("/_control/counts", "").await.is(200);
    assert_eq!(counts.body["read"], 2);
    act(json!({ "do": "reset" })).await.is(200);
    assert_eq!(world.get("/_control/requests", "").await.is(200).body, json!([]));
    assert_eq!(world.get("/_control/violations", "").await.is(200).body, json!([]));
}
