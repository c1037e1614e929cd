//! GraphQL as GitHub's clients meet it: parsed, held against the schema, executed.

use crate::support::{ANNA, BOB, REPO, World, eventually};
use github_stand_in::{Access, FileContent, NewRepo};
use serde_json::{Value, json};

/// Asks as somebody, and gives the whole answer.
async fn ask(world: &World, token: &str, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    world.post("/graphql", token, body).await.is(200).body
}

async fn read(world: &World, query: &str) -> Value {
    let answer = ask(world, ANNA, query, json!({})).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"].clone()
}

/// Checks the first error of an answer: its message, and what it must have beside.
#[track_caller]
fn refused(answer: &Value, message: &str, beside: Value) {
    let error = &answer["errors"][0];
    assert_eq!(error["message"], message, "{answer:#}");
    for (key, value) in beside.as_object().unwrap() {
        assert_eq!(&error[key], value, "{key} of {answer:#}");
    }
}

#[tokio::test]
async fn a_comment_or_a_text_that_names_a_mutation_changes_nothing() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let id =
        world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.body["node_id"].clone();
    let id = id.as_str().unwrap();
    for query in [
        format!("# closePullRequest convertPullRequestToDraft {id}\n{{ viewer {{ login }} }}"),
        format!("query convertPullRequestToDraft {{ node(id: \"{id}\") {{ id }} }}"),
        "{ convertPullRequestToDraft: repository(owner: \"acme\", name: \"shop\") { id } }"
            .to_owned(),
        "query($t: String = \"mutation { convertPullRequestToDraft }\") { user(login: $t) { id } }"
            .to_owned(),
    ] {
        ask(&world, ANNA, &query, json!({ "pullRequestId": id })).await;
        let pull = &world.control().pulls(REPO).unwrap()[0];
        assert!(!pull.draft && pull.state == "open", "{query}");
    }
}

#[tokio::test]
async fn many_things_are_read_at_once_and_one_that_is_missing_hides_no_other() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let secret = NewRepo {
        owner: "acme".to_owned(),
        name: "secret".to_owned(),
        private: true,
        files: vec![FileContent::new("x", "x")],
        ..NewRepo::default()
    };
    world.control().create_repo(secret).await.unwrap();
    let query = "query($owner: String!, $n: Int!, $more: Boolean = false) {
        r0: repository(owner: $owner, name: \"shop\") {
            nameWithOwner
            defaultBranchRef { name target { oid } }
            p: pullRequest(number: $n) { ...pull }
            gone: pullRequest(number: 99) { title }
        }
        r1: repository(owner: $owner, name: \"secret\") { id }
        r2: repository(owner: $owner, name: \"shop\") { id isArchived @include(if: $more) }
    }
    fragment pull on PullRequest { number state isDraft headRefName baseRefName mergeable }";
    let variables = json!({ "owner": "acme", "n": number });
    let answer = ask(&world, ANNA, query, variables.clone()).await;
    let main = world.control().branch_tip(REPO, "main").await.unwrap();
    assert_eq!(answer["data"]["r0"]["nameWithOwner"], REPO);
    assert_eq!(answer["data"]["r0"]["defaultBranchRef"]["target"]["oid"], json!(main));
    assert_eq!(
        answer["data"]["r0"]["p"],
        json!({
            "number": number, "state": "OPEN", "isDraft": false, "headRefName": "fix",
            "baseRefName": "main", "mergeable": answer["data"]["r0"]["p"]["mergeable"],
        })
    );
    assert_eq!(answer["data"]["r0"]["gone"], Value::Null);
    assert_eq!(answer["data"]["r1"], Value::Null);
    assert_eq!(answer["data"]["r2"], json!({ "id": answer["data"]["r2"]["id"] }));
    refused(
        &answer,
        "Could not resolve to a PullRequest with the number of 99.",
        json!({ "type": "NOT_FOUND", "path": ["r0", "gone"] }),
    );
    let hidden = &answer["errors"][1];
    assert_eq!(hidden["message"], "Could not resolve to a Repository with the name 'acme/secret'.");
    assert_eq!(hidden["path"], json!(["r1"]));
    eventually(async || {
        let answer = ask(&world, ANNA, query, variables.clone()).await;
        (answer["data"]["r0"]["p"]["mergeable"] == "MERGEABLE").then_some(())
    })
    .await;
    world.control().grant("acme/secret", "anna", Access::Read).unwrap();
    let answer = ask(&world, ANNA, query, variables).await;
    assert!(answer["data"]["r1"]["id"].is_string(), "{answer:#}");
}

#[tokio::test]
async fn what_the_schema_has_not_is_refused_in_githubs_words() {
    let world = World::shop().await;
    let check = async |query: &str, message: &str, code: &str| {
        let answer = ask(&world, ANNA, query, json!({})).await;
        refused(&answer, message, json!({}));
        assert!(answer.get("data").is_none(), "{answer:#}");
        if !code.is_empty() {
            assert_eq!(answer["errors"][0]["extensions"]["code"], code);
        }
    };
    check(
        "{ viewer { nonsense } }",
        "Field 'nonsense' doesn't exist on type 'User'",
        "undefinedField",
    )
    .await;
    check(
        "{ repository(owner: \"acme\") { id } }",
        "Field 'repository' is missing required arguments: name",
        "missingRequiredArguments",
    )
    .await;
    check(
        "{ viewer(login: \"x\") { id } }",
        "Field 'viewer' doesn't accept argument 'login'",
        "argumentNotAccepted",
    )
    .await;
    check(
        "{ viewer }",
        "Field must have selections (field 'viewer' returns User but has no selections. \
         Did you mean 'viewer { ... }'?)",
        "selectionMismatch",
    )
    .await;
    check(
        "query($x: Int) { viewer { login } }",
        "Variable $x is declared by anonymous query but not used",
        "",
    )
    .await;
    let query = "query($id: ID!) { node(id: $id) { id } }";
    let answer = ask(&world, ANNA, query, json!({})).await;
    refused(
        &answer,
        "Variable $id of type ID! was provided invalid value",
        json!({ "extensions": {
            "value": null,
            "problems": [{ "path": [], "explanation": "Expected value to not be null" }],
        } }),
    );
    let broken = ask(&world, ANNA, "{ viewer { login }", json!({})).await;
    let message = broken["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Parse error on "), "{message}");
    world.post("/graphql", ANNA, json!({})).await.is(400);
    world.post("/graphql", "", json!({ "query": "{ viewer { login } }" })).await.is(401);
}

#[tokio::test]
async fn lists_have_pages_and_limits() {
    let world = World::shop().await;
    for number in 0..5 {
        let branch = format!("b{number}");
        world.push(&branch, "x", &format!("{number}\n")).await;
        world.control().open_pull(REPO, "anna", &branch, &branch, "main").await.unwrap();
    }
    world.control().close_pull(REPO, 2, "anna").await.unwrap();
    let list = async |arguments: &str| {
        let query = format!(
            "{{ repository(owner: \"acme\", name: \"shop\") {{ pullRequests({arguments}) {{
                totalCount nodes {{ number }} edges {{ cursor }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
        );
        ask(&world, ANNA, &query, json!({})).await
    };
    let numbers = |answer: &Value| {
        let nodes = &answer["data"]["repository"]["pullRequests"]["nodes"];
        let nodes = nodes.as_array().unwrap_or_else(|| panic!("{answer:#}"));
        nodes.iter().map(|it| it["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = list("first: 2").await;
    assert_eq!(numbers(&first), [1, 2]);
    let page = &first["data"]["repository"]["pullRequests"];
    assert_eq!(page["totalCount"], 5);
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    assert_eq!(page["pageInfo"]["endCursor"], page["edges"][1]["cursor"]);
    let after = page["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(numbers(&list(&format!("first: 9, after: \"{after}\"")).await), [3, 4, 5]);
    assert_eq!(numbers(&list("last: 2").await), [4, 5]);
    assert_eq!(numbers(&list("first: 9, states: CLOSED").await), [2]);
    assert_eq!(
        numbers(&list("first: 9, states: [OPEN, MERGED], baseRefName: \"x\"").await),
        [0; 0]
    );
    assert_eq!(numbers(&list("first: 9, headRefName: \"b3\", baseRefName: \"main\"").await), [4]);
    let newest = "first: 2, orderBy: { field: CREATED_AT, direction: DESC }";
    assert_eq!(numbers(&list(newest).await), [5, 4]);
    refused(
        &list("states: OPEN").await,
        "You must provide a `first` or `last` value to properly paginate the `pullRequests` \
         connection.",
        json!({ "type": "MISSING_PAGINATION_BOUNDARIES" }),
    );
    refused(
        &list("first: 101").await,
        "Requesting 101 records on the `pullRequests` connection exceeds the `first` limit of 100 \
         records.",
        json!({ "type": "EXCESSIVE_PAGINATION" }),
    );
    let deep = "{ repository(owner: \"acme\", name: \"shop\") { pullRequests(first: 100) { nodes {
        commits(first: 100) { nodes { commit { history(first: 100) { nodes { oid } } } } } } } } }";
    let too_many = ask(&world, ANNA, deep, json!({})).await;
    assert_eq!(too_many["errors"][0]["type"], "MAX_NODE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn pull_requests_are_changed_with_the_rights_of_the_caller() {
    let world = World::shop().await;
    let repo = read(&world, "{ repository(owner: \"acme\", name: \"shop\") { id } }").await;
    let change = async |token: &str, name: &str, input: Value| {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{
                pullRequest {{ id number state isDraft title headRefName merged }} }} }}"
        );
        ask(&world, token, &query, json!({ "input": input })).await
    };
    let wish = json!({
        "repositoryId": repo["repository"]["id"], "title": "Fix", "headRefName": "fix",
        "baseRefName": "main", "draft": true,
    });
    let made = change(ANNA, "createPullRequest", wish.clone()).await;
    let pull = &made["data"]["createPullRequest"]["pullRequest"];
    assert_eq!((pull["isDraft"].clone(), pull["state"].clone()), (json!(true), json!("OPEN")));
    let id = json!({ "pullRequestId": pull["id"] });
    refused(
        &change(ANNA, "createPullRequest", wish).await,
        "A pull request already exists for acme:fix.",
        json!({ "type": "UNPROCESSABLE", "path": ["createPullRequest"] }),
    );
    refused(
        &change(BOB, "closePullRequest", id.clone()).await,
        "Resource not accessible by personal access token",
        json!({ "type": "FORBIDDEN", "path": ["closePullRequest"] }),
    );
    let seen = |answer: &Value, name: &str, field: &str| {
        let value = answer["data"][name]["pullRequest"][field].clone();
        assert!(!value.is_null(), "{answer:#}");
        value
    };
    for (name, field, value) in [
        ("markPullRequestReadyForReview", "isDraft", json!(false)),
        ("convertPullRequestToDraft", "isDraft", json!(true)),
        ("closePullRequest", "state", json!("CLOSED")),
        ("reopenPullRequest", "state", json!("OPEN")),
        ("markPullRequestReadyForReview", "isDraft", json!(false)),
    ] {
        assert_eq!(seen(&change(ANNA, name, id.clone()).await, name, field), value, "{name}");
    }
    let mut edit = id.clone();
    edit["title"] = json!("Mend");
    let edited = change(ANNA, "updatePullRequest", edit).await;
    assert_eq!(seen(&edited, "updatePullRequest", "title"), "Mend");
    refused(
        &change(ANNA, "enablePullRequestAutoMerge", id.clone()).await,
        "Pull request Auto merge is not allowed for this repository",
        json!({ "type": "UNPROCESSABLE" }),
    );
    let mut stale = id.clone();
    stale["expectedHeadOid"] = json!("0".repeat(40));
    refused(
        &change(ANNA, "mergePullRequest", stale).await,
        "Head branch was modified. Review and try the merge again.",
        json!({ "type": "UNPROCESSABLE" }),
    );
    let merged = change(ANNA, "mergePullRequest", id).await;
    assert_eq!(seen(&merged, "mergePullRequest", "state"), "MERGED");
    refused(
        &change(ANNA, "closePullRequest", json!({ "pullRequestId": "PR_9_9" })).await,
        "Could not resolve to a node with the global id of 'PR_9_9'",
        json!({ "type": "NOT_FOUND" }),
    );
    world.conforms();
}

#[tokio::test]
async fn nodes_are_found_by_their_global_ids() {
    let world = World::shop().await;
    let number = world.open_pull().await;
    let rest = world.get(&format!("/repos/{REPO}/pulls/{number}"), ANNA).await.body;
    let ids = [
        rest["node_id"].clone(),
        rest["user"]["node_id"].clone(),
        rest["base"]["repo"]["node_id"].clone(),
        json!("PR_1_999"),
        json!("nonsense"),
    ];
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on PullRequest { number } ... on User { login } ... on Repository { nameWithOwner } } }";
    let answer = ask(&world, ANNA, query, json!({ "ids": ids })).await;
    let nodes = answer["data"]["nodes"].as_array().unwrap();
    assert_eq!(nodes[0], json!({ "__typename": "PullRequest", "id": ids[0], "number": number }));
    assert_eq!(nodes[1]["login"], "anna");
    assert_eq!(nodes[2]["nameWithOwner"], REPO);
    assert_eq!((&nodes[3], &nodes[4]), (&Value::Null, &Value::Null));
    assert_eq!(answer["errors"][0]["path"], json!(["nodes", 3]));
    assert_eq!(answer["errors"][1]["type"], "NOT_FOUND");
}

/// Asks for everything that can be reached, so no field is only in the schema.
#[tokio::test]
async fn every_field_of_the_schema_has_an_answer() {
    let world = World::shop().await;
    world.open_pull().await;
    let types = read(
        &world,
        "{ __schema { types { kind name possibleTypes { name } fields { name
            args { name type { kind } }
            type { name kind ofType { name kind ofType { name kind ofType { name kind } } } } } } } }",
    )
    .await;
    let types = &types["__schema"]["types"];
    for (root, depth) in [
        ("{ viewer { ALL } rateLimit { ALL } }", 1),
        ("{ repository(owner: \"acme\", name: \"shop\") { ALL } }", 3),
        ("{ repository(owner: \"acme\", name: \"shop\") { pullRequest(number: 1) { ALL } } }", 4),
        (
            "{ repository(owner: \"acme\", name: \"shop\") { object(expression: \"fix\") { ... on Commit { ALL } } } }",
            3,
        ),
        (
            "{ repository(owner: \"acme\", name: \"shop\") { object(expression: \"fix:src\") { ... on Tree { ALL } } } }",
            3,
        ),
        ("{ organization(login: \"acme\") { ALL } }", 1),
    ] {
        let mut query = root.to_owned();
        for kind in [
            ("viewer", "User"),
            ("rateLimit", "RateLimit"),
            ("pullRequest(number: 1)", "PullRequest"),
            ("... on Commit", "Commit"),
            ("... on Tree", "Tree"),
            ("organization(login: \"acme\")", "Organization"),
            ("name: \"shop\")", "Repository"),
        ] {
            let hole = format!("{} {{ ALL }}", kind.0);
            query =
                query.replace(&hole, &format!("{} {{ {} }}", kind.0, select(types, kind.1, depth)));
        }
        let answer = ask(&world, ANNA, &query, json!({})).await;
        assert!(answer.get("errors").is_none(), "{:#}", answer["errors"]);
    }
}

/// Every field of a type, and of what it leads to.
fn select(types: &Value, name: &str, depth: usize) -> String {
    let find = |name: &str| {
        types.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
    };
    let kind = find(name);
    if kind["kind"] == "UNION" || (kind["kind"] == "INTERFACE" && depth > 0) {
        let possible = kind["possibleTypes"].as_array().unwrap().iter();
        let parts = possible.map(|it| {
            let name = it["name"].as_str().unwrap();
            format!("... on {name} {{ __typename {} }}", select(types, name, 0))
        });
        return format!("__typename {}", parts.collect::<Vec<_>>().join(" "));
    }
    // Two types may give one name to different things, so every name is told apart.
    let alias = |field: &str| format!("{name}_{field}");
    let mut text = "__typename".to_owned();
    for field in kind["fields"].as_array().unwrap() {
        let mut inner = &field["type"];
        while !inner["ofType"].is_null() {
            inner = &inner["ofType"];
        }
        let field_name = field["name"].as_str().unwrap();
        let name = format!("{}: {field_name}", alias(field_name));
        let arguments: Vec<_> = field["args"].as_array().unwrap().iter().collect();
        let values: Vec<_> = arguments
            .iter()
            .filter_map(|it| match it["name"].as_str().unwrap() {
                "first" => Some("first: 1"),
                "qualifiedName" => Some("qualifiedName: \"main\""),
                "expression" => Some("expression: \"main:README.md\""),
                "refPrefix" => Some("refPrefix: \"refs/heads/\""),
                "name" => Some("name: \"bug\""),
                "number" => Some("number: 1"),
                _ => None,
            })
            .collect();
        let call = match values.len() {
            0 => name,
            _ => format!("{name}({})", values.join(", ")),
        };
        match inner["kind"].as_str().unwrap() {
            "SCALAR" | "ENUM" => text.push_str(&format!(" {call}")),
            _ if depth == 0 => (),
            _ => {
                let inside = select(types, inner["name"].as_str().unwrap(), depth - 1);
                text.push_str(&format!(" {call} {{ {inside} }}"));
            }
        }
    }
    text
}
