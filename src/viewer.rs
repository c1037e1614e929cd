//! Who is asking.

use crate::{
    id::{NamespaceId, UserId},
    names::NamespaceName,
};
use serde::{Deserialize, Serialize};

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub id: UserId,
    pub name: NamespaceName,
    pub role: Role,
    /// The namespaces whose campaigns the viewer may change: the viewer's own and those of
    /// the viewer's organisations.
    pub namespaces: Vec<Namespace>,
}

/// A user or an organisation, as the owner of campaigns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub id: NamespaceId,
    pub name: NamespaceName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Member,
    /// May change every campaign, and the server's code hosts and credentials.
    Admin,
}

/// The viewer may not do this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{viewer} may not {action} in the namespace {namespace}")]
pub struct Denied {
    pub viewer: NamespaceName,
    pub action: String,
    pub namespace: NamespaceName,
}

impl Viewer {
    /// Campaigns are changed by the members of their namespace, and by admins.
    pub fn may_change(&self, namespace: &Namespace, action: &str) -> Result<(), Denied> {
        if self.role == Role::Admin || self.namespaces.iter().any(|own| own.id == namespace.id) {
            return Ok(());
        }
        Err(Denied {
            viewer: self.name.clone(),
            action: action.to_owned(),
            namespace: namespace.name.clone(),
        })
    }
}
