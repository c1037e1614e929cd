//! Home, and one campaign.

use super::{Page, changeset::ChangesetRow};
use crate::{
    changeset::status::ChangesetStatus,
    id::{CampaignId, CampaignSpecId},
    names::{BranchName, CampaignName, NamespaceName, RepoName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRow {
    pub id: CampaignId,
    pub namespace: NamespaceName,
    pub name: CampaignName,
    /// The first line of the description, as plain text.
    pub summary: String,
    pub counts: ChangesetCounts,
    pub updated_at: Timestamp,
}

/// How many changesets of a campaign have which status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesetCounts {
    pub unpublished: u32,
    /// Queued, being worked on or retried.
    pub processing: u32,
    pub draft: u32,
    pub open: u32,
    pub merged: u32,
    pub closed: u32,
    /// Failed, in drift, or waiting for a person in another way.
    pub needs_you: u32,
}

impl ChangesetCounts {
    #[must_use]
    pub fn total(&self) -> u32 {
        let Self { unpublished, processing, draft, open, merged, closed, needs_you } = *self;
        unpublished + processing + draft + open + merged + closed + needs_you
    }
}

/// A spec that its viewer has previewed and not applied yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecRow {
    pub id: CampaignSpecId,
    pub namespace: NamespaceName,
    pub name: CampaignName,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomePage {
    pub campaigns: Page<CampaignRow>,
    /// The newest first, few.
    pub unapplied: Vec<SpecRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignPage {
    pub campaign: CampaignRow,
    /// Markdown of the description, rendered and sanitised.
    pub description_html: String,
    /// The spec that is applied now.
    pub spec: CampaignSpecId,
    pub spec_text: String,
    pub applied_by: NamespaceName,
    pub applied_at: Timestamp,
    /// Set while the apply job rewires changesets: (done, total).
    pub applying: Option<(u32, u32)>,
    pub changesets: Page<ChangesetRow>,
    /// Wishes that were accepted and of which nothing could be made: they need a person.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    pub filter: ChangesetFilter,
    /// What happened, the newest first.
    pub timeline: Vec<TimelineRow>,
    /// When the pull requests that still have to be written will be open, at the pace that the
    /// code host allows. `None` when nothing waits.
    pub eta_at: Option<Timestamp>,
}

/// A wish of which nothing was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub repo: RepoName,
    pub branch: BranchName,
    /// Why, and what to do.
    pub reason: String,
}

/// Which changesets of a campaign to list. Stands in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesetFilter {
    pub status: Option<ChangesetStatus>,
    /// A part of the repository's name or of the title.
    pub search: Option<String>,
    /// The key of the page before.
    pub after: Option<String>,
}

/// One thing that happened, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    pub at: Timestamp,
    /// The person who did it; `None` when Drover did.
    pub actor: Option<NamespaceName>,
    pub text: String,
}
