//! Every address of Drover's pages, typed: a link to a page that is not there does not compile.

use crate::{components::diff::Layout, words};
use drover::{
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, DraftId, ExecutionId, WorkspaceId},
    names::{CampaignName, NamespaceName},
    view::{campaign::ChangesetFilter, preview::PlanHash},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub const HOME: &str = "/";
pub const NEW: &str = "/new";
pub const SIGN_IN: &str = "/sign-in";
/// The stream of hints; [`crate::live`] names its topics.
pub const EVENTS: &str = "/events";

/// The editor with a draft that has problems.
#[must_use]
pub fn draft(id: DraftId, namespace: &NamespaceName) -> String {
    format!("{NEW}?draft={id}&namespace={namespace}")
}

/// The editor with the text that the tab has kept, after the server could not take it.
#[must_use]
pub fn editor_again(namespace: &NamespaceName) -> String {
    format!("{NEW}?again=1&namespace={namespace}")
}

/// The editor with the text of a spec, to change it.
#[must_use]
pub fn edit(spec: CampaignSpecId, namespace: &NamespaceName) -> String {
    format!("{NEW}?spec={spec}&namespace={namespace}")
}

#[must_use]
pub fn execution(id: ExecutionId) -> String {
    format!("/executions/{id}")
}

#[must_use]
pub fn execution_log(id: ExecutionId, workspace: WorkspaceId) -> String {
    format!("/executions/{id}?workspace={workspace}#log")
}

#[must_use]
pub fn preview(id: CampaignSpecId) -> String {
    format!("/previews/{id}")
}

/// The preview that says what moved since the plan that a viewer saw.
#[must_use]
pub fn preview_since(id: CampaignSpecId, seen: &PlanHash) -> String {
    format!("/previews/{id}{}", query(&[("seen", Some(&seen.0))]))
}

#[must_use]
pub fn preview_diff(id: CampaignSpecId, spec: ChangesetSpecId, layout: Layout) -> String {
    format!("/previews/{id}/changesets/{spec}{}", layout_query(layout))
}

#[must_use]
pub fn campaign(namespace: &NamespaceName, name: &CampaignName) -> String {
    format!("/campaigns/{namespace}/{name}")
}

#[must_use]
pub fn campaign_list(
    namespace: &NamespaceName,
    name: &CampaignName,
    filter: &ChangesetFilter,
) -> String {
    let query = query(&[
        ("status", filter.status.map(words::status_key)),
        ("search", filter.search.as_deref()),
        ("after", filter.after.as_deref()),
    ]);
    format!("{}{query}", campaign(namespace, name))
}

#[must_use]
pub fn changeset(id: ChangesetId) -> String {
    format!("/changesets/{id}")
}

#[must_use]
pub fn changeset_diff(id: ChangesetId, layout: Layout) -> String {
    format!("/changesets/{id}{}#diff", layout_query(layout))
}

/// The page of a list that starts behind a key.
#[must_use]
pub fn after(path: &str, key: &str) -> String {
    format!("{path}{}", query(&[("after", Some(key))]))
}

fn layout_query(layout: Layout) -> &'static str {
    match layout {
        Layout::Unified => "",
        Layout::Split => "?view=split",
    }
}

fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        let Some(value) = value else { continue };
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    text
}

/// The path if it leads to a page of this server, and home otherwise: a sign-in form sends
/// people back to where they were and nowhere else.
#[must_use]
pub fn local(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\r', '\n', '\t'])
        && path.is_ascii();
    if is_local { path } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_query_are_encoded() {
        assert_eq!(after("/", "a b&c=ü/+"), "/?after=a%20b%26c%3D%C3%BC%2F%2B");
    }

    #[test]
    fn only_local_paths_are_gone_back_to() {
        for (path, expected) in [
            ("/new?draft=1", "/new?draft=1"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(path), expected, "{path:?}");
        }
    }
}
