//! Code hosts as the database knows them, opened: address, credential and client in one.

use crate::{
    clock,
    code_host::{
        CodeHost,
        github::{
            GitHub, SetupError, Timeouts,
            address::{AddressError as ApiAddressError, ApiAddress},
        },
        looker::Looker,
    },
    git::remote::{GitBase, Remote, RemoteError},
    secret::seal::{KeyId, OpenError, Place, SealKey, Sealed},
    store::{
        Conn, StoreError,
        code_hosts::{self, CodeHostKind, WriteLimits},
        credentials, jobs,
    },
};
use drover::{
    id::{CodeHostId, CredentialId},
    names::RepoName,
};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use url::Url;
use uuid::Uuid;

/// Opens code hosts and keeps them open: a client holds connections and knows when to wait.
pub struct Hosts {
    key: SealKey,
    timeouts: Timeouts,
    open: Mutex<BTreeMap<CredentialId, (Vec<u8>, Access)>>,
}

/// One code host with the credential to act on it.
#[derive(Clone)]
pub struct Access {
    pub host: code_hosts::CodeHost,
    pub credential: CredentialId,
    pub api: Arc<dyn CodeHost>,
    /// Looks of jobs that run at once are one request.
    pub looker: Arc<Looker>,
    git_base: GitBase,
    token: SecretString,
}

#[derive(Debug, thiserror::Error)]
pub enum HostsError {
    #[error(
        "no code host is set up: start the server with `--github-token`, or the variable \
         `DROVER_GITHUB_TOKEN`"
    )]
    NoCodeHost,
    #[error("there is no credential for {api_url}: start the server with `--github-token`")]
    NoCredential { api_url: String },
    #[error("the credential for {api_url} cannot be opened")]
    Sealed {
        api_url: String,
        #[source]
        source: OpenError,
    },
    #[error("the address of the code host {api_url} is not right")]
    Address {
        api_url: String,
        #[source]
        source: AddressError,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a server cannot work with the code host that its operator names.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    #[error(
        "the GitHub API {named} was named, and what is stored here belongs to {stored}: start \
         with `--github-url {stored}`, or choose another data directory or database; one Drover \
         works with one code host"
    )]
    Another { named: String, stored: String },
    #[error(
        "the GitHub API {named} was named without a token, and none is stored: start the server \
         with `--github-token` too, or the variable `DROVER_GITHUB_TOKEN`"
    )]
    NoToken { named: String },
    #[error(transparent)]
    Host(#[from] HostsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(transparent)]
    Git(#[from] RemoteError),
    #[error(transparent)]
    Api(#[from] ApiAddressError),
    #[error(transparent)]
    Client(#[from] SetupError),
}

/// A code host that the operator names at the start.
pub struct Setting {
    pub api_url: String,
    pub git_url: String,
    pub web_url: String,
    pub limits: WriteLimits,
    pub token: SecretString,
    pub address: Address,
}

/// Whether a code host may be at another address than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Another address is another code host.
    Fixed,
    /// The demo's stand-in lies in the data directory and may have got another port.
    Moves,
}

impl Access {
    /// Where git finds a repository.
    #[must_use]
    pub fn remote(&self, repo: &RepoName) -> Remote {
        Remote::new(&self.git_base, repo, Some(self.token.clone()))
    }
}

impl Hosts {
    #[must_use]
    pub fn new(key: SealKey, timeouts: Timeouts) -> Self {
        Self { key, timeouts, open: Mutex::default() }
    }

    /// Stores what the operator names, or brings what is stored up to date.
    pub async fn set_up(&self, conn: &mut Conn, setting: &Setting) -> Result<(), NamedError> {
        let Setting { api_url, git_url, web_url, limits, token, address } = setting;
        self.connect(api_url, git_url, token.clone())
            .map_err(|source| HostsError::Address { api_url: api_url.clone(), source })?;
        let host = code_hosts::CodeHost {
            id: CodeHostId(Uuid::new_v4()),
            kind: CodeHostKind::GitHub,
            api_url: api_url.clone(),
            git_url: git_url.clone(),
            web_url: web_url.clone(),
            limits: *limits,
        };
        match (other(conn, api_url).await?, address) {
            (None, _) => {}
            (Some(stored), Address::Moves) => code_hosts::relocate(conn, stored.id, &host).await?,
            (Some(stored), Address::Fixed) => {
                return Err(NamedError::Another { named: api_url.clone(), stored: stored.api_url });
            }
        }
        let code_host = code_hosts::upsert(conn, &host).await?;
        let place = Place::credential(code_host, None);
        let Sealed { key_id, bytes } = self.key.seal(token, &place, &mut rand::rng());
        let credential = credentials::Credential {
            id: CredentialId(Uuid::new_v4()),
            code_host,
            user: None,
            label: "set at the start of the server".to_owned(),
            sealed: bytes,
            key_id: key_id.0,
        };
        credentials::upsert(conn, &credential).await?;
        // What waited for a credential goes on with this one.
        jobs::wake_waiting(conn).await?;
        Ok(())
    }

    /// Checks that an address that came without a token is the one that is stored.
    pub async fn expect(&self, conn: &mut Conn, named: &str) -> Result<(), NamedError> {
        if let Some(stored) = other(conn, named).await? {
            return Err(NamedError::Another { named: named.to_owned(), stored: stored.api_url });
        }
        if code_hosts::list(conn).await?.is_empty() {
            return Err(NamedError::NoToken { named: named.to_owned() });
        }
        Ok(())
    }

    /// Opens the code host that was set up first: names in a spec mean its repositories.
    pub async fn first(&self, conn: &mut Conn) -> Result<Access, HostsError> {
        let host =
            code_hosts::list(conn).await?.into_iter().next().ok_or(HostsError::NoCodeHost)?;
        self.open_host(conn, host).await
    }

    pub async fn open(&self, conn: &mut Conn, id: CodeHostId) -> Result<Access, HostsError> {
        let host = code_hosts::load(conn, id).await?;
        self.open_host(conn, host).await
    }

    async fn open_host(
        &self,
        conn: &mut Conn,
        host: code_hosts::CodeHost,
    ) -> Result<Access, HostsError> {
        let api_url = || host.api_url.clone();
        let credential = credentials::find_for(conn, host.id, None)
            .await?
            .ok_or_else(|| HostsError::NoCredential { api_url: api_url() })?;
        if let Some(access) = self.find_open(&credential, &host) {
            return Ok(access);
        }
        let sealed =
            Sealed { key_id: KeyId(credential.key_id.clone()), bytes: credential.sealed.clone() };
        let token = self
            .key
            .open(&sealed, &Place::credential(host.id, None))
            .map_err(|source| HostsError::Sealed { api_url: api_url(), source })?;
        let (git_base, api) = self
            .connect(&host.api_url, &host.git_url, token.clone())
            .map_err(|source| HostsError::Address { api_url: api_url(), source })?;
        let looker = Arc::new(Looker::new(Arc::clone(&api)));
        let access = Access { host, credential: credential.id, api, looker, git_base, token };
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(credential.id, (credential.sealed, access.clone()));
        Ok(access)
    }

    /// The open one, unless the credential or the host has changed since.
    fn find_open(
        &self,
        credential: &credentials::Credential,
        host: &code_hosts::CodeHost,
    ) -> Option<Access> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (sealed, access) = open.get(&credential.id)?;
        (*sealed == credential.sealed && access.host == *host).then(|| access.clone())
    }

    fn connect(
        &self,
        api_url: &str,
        git_url: &str,
        token: SecretString,
    ) -> Result<(GitBase, Arc<dyn CodeHost>), AddressError> {
        let git_base = GitBase::parse(git_url)?;
        let address = ApiAddress::parse(api_url)?;
        let api = GitHub::new(address, token, self.timeouts, clock::now)?;
        Ok((git_base, Arc::new(api)))
    }
}

/// A stored code host that is not at `api_url`. What is stored belongs to it, and names in specs
/// mean its repositories.
async fn other(conn: &mut Conn, api_url: &str) -> Result<Option<code_hosts::CodeHost>, StoreError> {
    let stored = code_hosts::list(conn).await?;
    Ok(stored.into_iter().find(|it| !is_same(&it.api_url, api_url)))
}

/// Whether two addresses are one, however they are written.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| Url::parse(text.trim_end_matches('/')).ok();
    match (plain(one), plain(other)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_may_be_written_in_several_ways() {
        for (one, other, expected) in [
            ("https://api.github.com", "https://API.GitHub.com/", true),
            ("https://api.github.com", "https://api.github.com:443", true),
            ("https://ghe.example/api/v3", "https://ghe.example/api/v3/", true),
            ("https://ghe.example/api/v3", "https://ghe.example", false),
            ("http://ghe.example", "https://ghe.example", false),
        ] {
            assert_eq!(is_same(one, other), expected, "{one} {other}");
        }
    }
}
