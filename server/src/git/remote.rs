//! Where a repository lives and with which credential.

use base64::{Engine, prelude::BASE64_STANDARD};
use drover::names::RepoName;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

/// Why an address is no code host for git.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    #[error("the git address is no URL: {reason}")]
    NotAUrl { reason: String },
    #[error("the git address uses `{scheme}`: only https, http and file are taken")]
    Scheme { scheme: String },
    #[error("the git address carries a user or a password: credentials are kept apart")]
    Credential,
    #[error("the git address needs a host")]
    NoHost,
    #[error("the git address holds {what}, which an address of a code host never does")]
    Odd { what: &'static str },
}

/// The address below which a code host serves its repositories as `owner/name.git`.
///
/// An operator's setting: `http` and `file` are taken because it says so, and nothing else ever
/// turns a remote into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitBase(Url);

impl GitBase {
    pub fn parse(text: &str) -> Result<Self, RemoteError> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(RemoteError::Odd { what: "a space or a control character" });
        }
        if text.contains('\\') {
            return Err(RemoteError::Odd { what: "a backslash" });
        }
        let url = Url::parse(text).map_err(|it| RemoteError::NotAUrl { reason: it.to_string() })?;
        match url.scheme() {
            "https" | "http" => {
                let host = url.host_str().ok_or(RemoteError::NoHost)?;
                if host.starts_with('-') {
                    return Err(RemoteError::Odd { what: "a host that starts with `-`" });
                }
            }
            "file" if url.host().is_some() => {
                return Err(RemoteError::Odd { what: "a host in a file address" });
            }
            "file" => (),
            scheme => return Err(RemoteError::Scheme { scheme: scheme.to_owned() }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RemoteError::Credential);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RemoteError::Odd { what: "a query or a fragment" });
        }
        // The text, as the URL has resolved what climbs.
        if text.contains("/..") || text.contains('%') {
            return Err(RemoteError::Odd { what: "`..` or an escaped character" });
        }
        Ok(Self(url))
    }
}

/// One repository, and the credential to reach it with.
#[derive(Clone, Debug)]
pub struct Remote {
    url: String,
    /// Scheme, host and port: the credential is sent nowhere else.
    origin: String,
    protocol: String,
    repo: RepoName,
    token: Option<SecretString>,
}

impl Remote {
    #[must_use]
    pub fn new(base: &GitBase, repo: &RepoName, token: Option<SecretString>) -> Self {
        let base = &base.0;
        let url = format!("{}/{repo}.git", base.as_str().trim_end_matches('/'));
        let protocol = base.scheme().to_owned();
        let origin = format!("{}/", &base[..url::Position::BeforePath]);
        Self { url, origin, protocol, repo: repo.clone(), token }
    }

    #[must_use]
    pub fn repo(&self) -> &RepoName {
        &self.repo
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn protocol(&self) -> &str {
        &self.protocol
    }

    /// The folder of its mirror: readable, and unique by the whole address.
    pub(super) fn folder(&self) -> String {
        let digest = hex::encode(Sha256::digest(&self.url));
        format!("{}+{}+{}.git", self.repo.owner(), self.repo.name(), &digest[..16])
    }

    /// Git's configuration of the remote `origin`, passed by the environment so that neither a
    /// file nor a list of processes shows the credential.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![
            ("remote.origin.url".to_owned(), self.url.clone()),
            ("remote.origin.promisor".to_owned(), "true".to_owned()),
            ("remote.origin.partialclonefilter".to_owned(), "blob:none".to_owned()),
        ];
        if let Some(basic) = self.basic_credential() {
            let header = format!("Authorization: Basic {basic}");
            settings.push((format!("http.{}.extraHeader", self.origin), header));
        }
        settings
    }

    /// Takes the credential out of a text that came from outside.
    pub(super) fn redact(&self, text: &str) -> String {
        let Some(token) = &self.token else { return text.to_owned() };
        let basic = self.basic_credential().unwrap_or_default();
        [token.expose_secret(), &basic]
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "[credential]"))
    }

    fn basic_credential(&self) -> Option<String> {
        let token = self.token.as_ref()?.expose_secret();
        Some(BASE64_STANDARD.encode(format!("x-access-token:{token}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_taken_out_of_any_text() {
        let base = GitBase::parse("https://host").unwrap();
        let token = SecretString::from("tok-123");
        let remote = Remote::new(&base, &"a/b".parse().unwrap(), Some(token));
        let basic = BASE64_STANDARD.encode("x-access-token:tok-123");
        let text = remote.redact(&format!("got tok-123 and Basic {basic}"));
        assert_eq!(text, "got [credential] and Basic [credential]");
        assert!(!format!("{remote:?}").contains("tok-123"));
    }

    #[test]
    fn a_remote_lies_below_its_code_host() {
        let repo: RepoName = "acme/web".parse().unwrap();
        for (base, url, origin) in [
            ("https://github.com", "https://github.com/acme/web.git", "https://github.com/"),
            ("http://[::1]:80/git/", "http://[::1]/git/acme/web.git", "http://[::1]/"),
            ("http://h:81/a", "http://h:81/a/acme/web.git", "http://h:81/"),
            ("file:///srv/git", "file:///srv/git/acme/web.git", "file:///"),
        ] {
            let remote = Remote::new(&GitBase::parse(base).unwrap(), &repo, None);
            assert_eq!((remote.url(), &*remote.origin), (url, origin));
        }
    }
}
