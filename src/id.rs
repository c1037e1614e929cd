//! Typed ids: a campaign's id cannot be passed where a changeset's is expected.
//!
//! Every id is a UUID. The domain never makes one up: whoever acts passes it in.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A person who signs in.
    UserId,
    /// An organisation whose members share campaigns.
    OrganisationId,
    /// A user or an organisation, as the owner of campaigns.
    NamespaceId,
    /// A code host that Drover talks to, such as one GitHub.
    CodeHostId,
    /// A secret with which Drover acts on a code host.
    CredentialId,
    /// A repository on a code host.
    RepoId,
    /// One immutable text of a campaign. Unguessable: it is part of the preview's URL.
    CampaignSpecId,
    /// One immutable wish: this diff on this base as this branch with this title.
    ChangesetSpecId,
    /// A named change in a namespace.
    CampaignId,
    /// What a campaign wants in one repository and branch.
    ChangesetId,
    /// What the code host has.
    PullId,
    /// Running the steps of a spec.
    ExecutionId,
    /// A repository, or a directory of it, in which steps run.
    WorkspaceId,
    /// One piece of background work.
    JobId,
    /// A spec text that does not parse yet, kept for its author.
    DraftId,
}
