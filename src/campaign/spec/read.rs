//! From the tree to the spec. Every function gives its value or leaves problems behind, so that
//! the reading goes on and finds them all.

use super::{
    AUTHOR_EMAIL_DEFAULT, AUTHOR_NAME_DEFAULT, BRANCH_PREFIX_DEFAULT, Branches, CampaignSpec,
    ChangesetTemplate, On, RepoQuery, SpecProblem, Step,
    heads::{self, Target},
    keys::{AUTHOR, COMMIT, ON, ROOT, STEP, TEMPLATE},
    limits::{AUTHOR_CHARS_MAX, BODY_CHARS_MAX, BRANCHES_MAX, ON_MAX, STEPS_MAX, TITLE_CHARS_MAX},
    tree::{Node, Value},
    values::{Lines, Map, Place, Reader, join},
};
use crate::{
    changeset::{
        Publication,
        spec::{Author, CommitSpec},
    },
    names::{BranchName, CampaignName},
};
use std::collections::BTreeMap;

pub(super) fn read(source: &str, tree: &Node) -> Result<CampaignSpec, Vec<SpecProblem>> {
    let mut reader = Reader::new(source);
    reader.check_texts(tree, "");
    match root(&mut reader, tree) {
        Some(spec) if reader.problems.is_empty() => Ok(spec),
        Some(_) | None => Err(reader.problems),
    }
}

fn root(reader: &mut Reader<'_>, tree: &Node) -> Option<CampaignSpec> {
    let map = reader.map(tree, "", ROOT)?;
    version(reader, &map);
    let name: Option<CampaignName> =
        reader.required(&map, "name").and_then(|(node, path)| reader.parsed(node, &path));
    let description = map
        .get("description")
        .and_then(|(node, path)| reader.text(node, &path, Lines::Many, usize::MAX))
        .unwrap_or_default();
    let on = reader.list(&map, "on", ON_MAX, on);
    let steps = reader.list(&map, "steps", STEPS_MAX, step);
    let template = map
        .get("changesetTemplate")
        .and_then(|(node, path)| template(reader, node, &path, name.as_ref()));
    whole(reader, &map);
    if let Some(template) = &template {
        check_heads(reader, &map, template, name.as_ref());
    }
    Some(CampaignSpec { name: name?, description, on, steps, changeset_template: template })
}

fn version(reader: &mut Reader<'_>, map: &Map<'_>) {
    let Some((node, path)) = map.get("version") else { return };
    if !matches!(node.value, Value::Number) || reader.source(node) != "1" {
        let message = format!("expected the version 1, found {}", reader.found(node));
        reader.hinted(node, &path, message, "write `version: 1`, or leave the key out");
    }
}

/// What the spec alone tells about the branches to push.
fn check_heads(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    template: &ChangesetTemplate,
    name: Option<&CampaignName>,
) {
    let branch = map.get("changesetTemplate").and_then(|(node, path)| {
        let Value::Map(entries) = &node.value else { return None };
        let is_branch = |key: &Node| matches!(&key.value, Value::Text(text) if text == "branch");
        let (_, value) = entries.iter().find(|(key, _)| is_branch(key))?;
        Some(((value.line, value.column), join(&path, "branch")))
    });
    let targets = std::mem::take(&mut reader.targets);
    heads::check(reader, &targets, template, branch, name.and_then(branch_of_campaign));
}

/// The branch that is named after the campaign. Campaigns may have names that no branch may.
fn branch_of_campaign(name: &CampaignName) -> Option<BranchName> {
    format!("{BRANCH_PREFIX_DEFAULT}{name}").parse().ok()
}

/// What the parts of a spec need of each other.
fn whole(reader: &mut Reader<'_>, map: &Map<'_>) {
    let [on, steps, template] = ["on", "steps", "changesetTemplate"]
        .map(|key| map.get(key).filter(|(it, _)| has_items(it)));
    if let (Some((node, path)), None) = (&steps, &template) {
        let hint = "add `changesetTemplate:` with a `title:`";
        reader.hinted(node, path, "there are `steps` but no `changesetTemplate`", hint);
    }
    if let (None, Some((node, path))) = (&steps, &template) {
        let hint = "add `steps:` with a `run:`, or remove the template";
        reader.hinted(node, path, "there is a `changesetTemplate` but no `steps`", hint);
    }
    if let (Some((node, path)), None) = (&steps, &on) {
        let hint = "add `on:` with a `repository:` or a `repositoriesMatchingQuery:`";
        reader.hinted(node, path, "there are `steps` but no repositories in `on`", hint);
    }
    if let (Some((node, path)), None) = (&on, &steps) {
        let hint = "add `steps:` with a `run:`, or remove `on`";
        reader.hinted(node, path, "there are repositories in `on` but no `steps`", hint);
    }
}

fn has_items(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => !items.is_empty(),
        Value::Null => false,
        Value::Bool(_) | Value::Number | Value::Text(_) | Value::Map(_) => true,
    }
}

fn on(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<On> {
    let map = reader.map(node, path, ON)?;
    match (map.get("repository"), map.get("repositoriesMatchingQuery")) {
        (Some((node, path)), None) => repository(reader, &map, node, &path),
        (None, Some((node, path))) => {
            for key in ["branch", "branches"] {
                if let Some((node, path)) = map.get(key) {
                    let hint = "name the repository by `repository:` to choose its branches";
                    let message = format!("`{key}` goes with `repository`, not with a query");
                    reader.hinted(node, &path, message, hint);
                }
            }
            query(reader, node, &path).map(On::Query)
        }
        (Some((_, path)), Some((node, _))) => {
            let message = "`repository` and `repositoriesMatchingQuery` stand in one entry";
            reader.hinted(node, &path, message, "make two entries of it");
            None
        }
        (None, None) => {
            let message = "this entry names no repository";
            let hint = "expected `repository: owner/name` or `repositoriesMatchingQuery: …`";
            reader.hinted(node, path, message, hint);
            None
        }
    }
}

/// A branch with its place in the text.
type Placed = (BranchName, Place, String);

fn repository(reader: &mut Reader<'_>, map: &Map<'_>, node: &Node, path: &str) -> Option<On> {
    let named = match (map.get("branch"), map.get("branches")) {
        (None, None) => Some(Vec::new()),
        (Some((node, path)), None) => placed(reader, node, &path).map(|branch| vec![branch]),
        (None, Some((node, path))) => branches(reader, map, node, &path),
        (Some(_), Some((node, path))) => {
            let message = "`branch` and `branches` stand in one entry";
            reader.hinted(node, &path, message, "keep one of them");
            None
        }
    };
    let (repo, named) = (reader.repository(node, path)?, named?);
    if named.is_empty() {
        let target = Target::new(&repo, None, (node.line, node.column), path.to_owned());
        reader.targets.push(target);
        return Some(On::Repository { repo, branches: Branches::Default });
    }
    let mut branches = Vec::new();
    for (branch, place, path) in named {
        reader.targets.push(Target::new(&repo, Some(branch.clone()), place, path));
        branches.push(branch);
    }
    Some(On::Repository { repo, branches: Branches::Named(branches) })
}

fn placed(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Placed> {
    reader.parsed(node, path).map(|branch| (branch, (node.line, node.column), path.to_owned()))
}

/// At least one branch, none twice.
fn branches(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    list: &Node,
    list_path: &str,
) -> Option<Vec<Placed>> {
    let mut named: Vec<Placed> = Vec::new();
    for item in reader.list(map, "branches", BRANCHES_MAX, placed) {
        if named.iter().any(|(branch, _, _)| *branch == item.0) {
            let (branch, place, path) = item;
            let message = format!("the branch `{branch}` is named twice");
            reader.problem(place, &path, message, Some("keep one of them".to_owned()));
        } else {
            named.push(item);
        }
    }
    if named.is_empty() {
        if matches!(&list.value, Value::List(items) if items.is_empty()) {
            let hint = "name a branch, or leave the key out for the default branch";
            reader.hinted(list, list_path, "the list of branches is empty", hint);
        }
        return None;
    }
    Some(named)
}

fn query(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<RepoQuery> {
    let text = reader.text(node, path, Lines::One, usize::MAX)?;
    match RepoQuery::parse(&text) {
        Ok(query) => Some(query),
        Err(problems) => {
            for problem in problems {
                let place = reader.within(node, &text, problem.offset);
                reader.problem(place, path, problem.message, Some(problem.hint));
            }
            None
        }
    }
}

fn step(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Step> {
    let map = reader.map(node, path, STEP)?;
    let run = reader
        .required(&map, "run")
        .and_then(|(node, path)| reader.filled(node, &path, Lines::Many, usize::MAX));
    let env = match map.get("env") {
        Some((node, path)) => reader.env(node, &path),
        None => BTreeMap::new(),
    };
    let container = map.get("container").and_then(|(node, path)| reader.parsed(node, &path));
    Some(Step { run: run?, env, container })
}

fn template(
    reader: &mut Reader<'_>,
    node: &Node,
    path: &str,
    name: Option<&CampaignName>,
) -> Option<ChangesetTemplate> {
    let map = reader.map(node, path, TEMPLATE)?;
    let title = reader
        .required(&map, "title")
        .and_then(|(node, path)| reader.filled(node, &path, Lines::One, TITLE_CHARS_MAX));
    let body = map
        .get("body")
        .and_then(|(node, path)| reader.text(node, &path, Lines::Many, BODY_CHARS_MAX))
        .unwrap_or_default();
    let branch = match map.get("branch") {
        Some((node, path)) => reader.parsed(node, &path),
        None => default_branch(reader, node, path, name),
    };
    let published = map.get("published").and_then(|(node, path)| published(reader, node, &path));
    let commit = commit(reader, &map, title.as_deref());
    Some(ChangesetTemplate { title: title?, body, branch: branch?, commit: commit?, published })
}

fn default_branch(
    reader: &mut Reader<'_>,
    node: &Node,
    path: &str,
    name: Option<&CampaignName>,
) -> Option<BranchName> {
    let name = name?;
    let branch = branch_of_campaign(name);
    if branch.is_none() {
        let message =
            format!("the campaign's name makes no branch name: `{BRANCH_PREFIX_DEFAULT}{name}`");
        reader.hinted(node, path, message, "choose one with `branch:`");
    }
    branch
}

fn published(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Publication> {
    let hint = match &node.value {
        Value::Bool(true) => return Some(Publication::Published),
        Value::Bool(false) => return Some(Publication::Unpublished),
        Value::Text(text) if text == "draft" => return Some(Publication::Draft),
        Value::Null => return None,
        Value::Text(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => "write `true`, without quotes",
            "false" | "no" | "off" => "write `false`, without quotes",
            _ => "leave the key out to let a person decide",
        },
        Value::List(_) => "Drover takes one value for all repositories so far",
        Value::Number | Value::Map(_) => "leave the key out to let a person decide",
    };
    let message = format!("expected true, false or \"draft\", found {}", reader.found(node));
    reader.hinted(node, path, message, hint);
    None
}

fn commit(reader: &mut Reader<'_>, template: &Map<'_>, title: Option<&str>) -> Option<CommitSpec> {
    let map = match template.get("commit") {
        Some((node, path)) => reader.map(node, &path, COMMIT)?,
        None => Map::empty(),
    };
    let message = match map.get("message") {
        Some((node, path)) => reader.filled(node, &path, Lines::Many, BODY_CHARS_MAX),
        None => title.map(str::to_owned),
    };
    let author = match map.get("author") {
        Some((node, path)) => author(reader, node, &path),
        None => Some(Author {
            name: AUTHOR_NAME_DEFAULT.to_owned(),
            email: AUTHOR_EMAIL_DEFAULT.to_owned(),
        }),
    };
    Some(CommitSpec { message: message?, author: author? })
}

fn author(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Author> {
    let map = reader.map(node, path, AUTHOR)?;
    let [name, email] = ["name", "email"].map(|key| {
        let (node, path) = reader.required(&map, key)?;
        let text = reader.filled(node, &path, Lines::One, AUTHOR_CHARS_MAX)?;
        if text.contains(['<', '>']) {
            let hint = "the name and the address stand in keys of their own";
            reader.hinted(node, &path, "`<` and `>` cannot stand in an author", hint);
            return None;
        }
        if key == "email" && !text.contains('@') {
            let hint = "such as `ada@example.org`";
            reader.hinted(node, &path, format!("`{text}` is no address of e-mail"), hint);
            return None;
        }
        Some(text)
    });
    Some(Author { name: name?, email: email? })
}
