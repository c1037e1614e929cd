//! Where a GitHub's API is, and which hosts its token may be sent to.

use std::net::IpAddr;
use url::{Host, Url};

/// The API of one GitHub. The token goes to this origin and to no other, redirects included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    url: Url,
    /// What stands before `/repos/…`: empty, or `/api/v3` on Enterprise Server.
    rest: String,
    /// `/graphql`, or `/api/graphql` on Enterprise Server.
    graphql: String,
    /// The host of `github.com`'s repositories differs from that of its API.
    clone_host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a GitHub API: {reason}")]
pub struct AddressError {
    pub text: String,
    pub reason: String,
}

const DOT_COM_API: &str = "api.github.com";
const DOT_COM: &str = "github.com";
const ENTERPRISE_REST: &str = "/api/v3";
const ENTERPRISE_GRAPHQL: &str = "/api/graphql";

impl ApiAddress {
    /// Takes `https://api.github.com`, `https://HOST/api/v3`, or the root of a GitHub that serves
    /// its API there, as the stand-in does. Plain HTTP only on this very machine.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fail = |reason: &str| {
            Err(AddressError { text: without_password(text), reason: reason.to_owned() })
        };
        let Ok(url) = Url::parse(text) else { return fail("it is no URL") };
        if !url.username().is_empty() || url.password().is_some() {
            return fail("it holds a user or a password; the token is given apart");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fail("it has a query or a fragment");
        }
        let Some(host) = url.host() else { return fail("it has no host") };
        if is_forbidden(&host) {
            return fail("that host is no place for a code host");
        }
        if !(url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&host)) {
            return fail("it must start with https://");
        }
        let rest = url.path().trim_end_matches('/').to_owned();
        let graphql = match rest.strip_suffix(ENTERPRISE_REST) {
            Some(before) => format!("{before}{ENTERPRISE_GRAPHQL}"),
            None => format!("{rest}/graphql"),
        };
        let clone_host = match url.host_str() {
            Some(DOT_COM_API) => DOT_COM.to_owned(),
            host => host.unwrap_or_default().to_owned(),
        };
        Ok(Self { url, rest, graphql, clone_host })
    }

    /// Scheme, host and port, without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path of a REST resource such as `/user`.
    pub(super) fn rest(&self, resource: &str) -> String {
        format!("{}{resource}", self.rest)
    }

    pub(super) fn graphql(&self) -> &str {
        &self.graphql
    }

    /// The path and query that a redirect leads to; `None` when it leaves this origin.
    pub(super) fn follow(&self, from: &str, location: &str) -> Option<String> {
        let target = self.url.join(from).ok()?.join(location).ok()?;
        if target.origin() != self.url.origin() {
            return None;
        }
        let query = target.query().map_or_else(String::new, |query| format!("?{query}"));
        Some(format!("{}{query}", target.path()))
    }

    /// Whether git may be given the token for this URL.
    pub(super) fn may_clone(&self, url: &Url) -> bool {
        url.scheme() == self.url.scheme()
            && url.host_str() == Some(self.clone_host.as_str())
            && url.port() == self.url.port()
            && url.username().is_empty()
            && url.password().is_none()
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// Hosts that no code host has: where clouds serve their machines' secrets, and addresses that
/// reach whoever listens. A private network is fine; many an Enterprise Server lives in one.
fn is_forbidden(host: &Host<&str>) -> bool {
    let ip = match host {
        Host::Domain(name) => return *name == "metadata.google.internal",
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => ip.to_canonical(),
    };
    match ip {
        IpAddr::V4(ip) => {
            ip.is_link_local() || ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast()
        }
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast(),
    }
}

fn without_password(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ApiAddress {
        ApiAddress::parse(text).unwrap()
    }

    #[test]
    fn each_kind_of_github_has_its_paths() {
        for (text, origin, user, graphql) in [
            ("https://api.github.com", "https://api.github.com", "/user", "/graphql"),
            ("https://api.github.com/", "https://api.github.com", "/user", "/graphql"),
            ("https://ghe.acme.dev/api/v3", "https://ghe.acme.dev", "/api/v3/user", "/api/graphql"),
            (
                "https://10.0.0.7:8443/api/v3/",
                "https://10.0.0.7:8443",
                "/api/v3/user",
                "/api/graphql",
            ),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000", "/user", "/graphql"),
            ("http://[::1]:4000", "http://[::1]:4000", "/user", "/graphql"),
            ("http://localhost:4000/gh", "http://localhost:4000", "/gh/user", "/gh/graphql"),
        ] {
            let address = address(text);
            assert_eq!(address.origin(), origin, "{text}");
            assert_eq!(address.rest("/user"), user, "{text}");
            assert_eq!(address.graphql(), graphql, "{text}");
        }
    }

    #[test]
    fn what_could_carry_the_token_elsewhere_is_refused() {
        for text in [
            "",
            "github.com",
            "ftp://github.com",
            "file:///etc/passwd",
            "http://github.com",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.dev",
            "http://localhost.evil.dev",
            "https://user:secret@github.com",
            "https://user@github.com",
            "https://github.com?x=1",
            "https://github.com#x",
            "https://169.254.169.254",
            "https://0xA9FEA9FE",
            "https://2852039166",
            "https://0251.0376.0251.0376",
            "https://[::ffff:169.254.169.254]",
            "https://[fe80::1]",
            "https://[::]",
            "https://0.0.0.0",
            "http://0",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "https://metadata.google.internal",
        ] {
            assert!(ApiAddress::parse(text).is_err(), "{text:?} should be refused");
        }
        let error = ApiAddress::parse("https://user:secret@github.com").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn redirects_stay_on_their_origin() {
        let address = address("https://api.github.com");
        for (location, expected) in [
            ("https://api.github.com/repositories/7", Some("/repositories/7")),
            ("https://API.github.com:443/repositories/7?a=b", Some("/repositories/7?a=b")),
            ("/repositories/7/pulls", Some("/repositories/7/pulls")),
            ("https://evil.dev/repositories/7", None),
            ("//evil.dev/repositories/7", None),
            ("http://api.github.com/repositories/7", None),
            ("https://api.github.com:8443/repositories/7", None),
            ("https://api.github.com.evil.dev/", None),
            ("https://api.github.com@evil.dev/", None),
            ("data:text/plain,x", None),
        ] {
            assert_eq!(address.follow("/repos/a/b", location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn git_gets_the_token_for_its_own_host_only() {
        for (api, clone, expected) in [
            ("https://api.github.com", "https://github.com/a/b.git", true),
            ("https://api.github.com", "https://github.com.evil.dev/a/b.git", false),
            ("https://api.github.com", "http://github.com/a/b.git", false),
            ("https://api.github.com", "https://x:y@github.com/a/b.git", false),
            ("https://api.github.com", "https://github.com:444/a/b.git", false),
            ("https://ghe.acme.dev/api/v3", "https://ghe.acme.dev/a/b.git", true),
            ("https://ghe.acme.dev/api/v3", "https://github.com/a/b.git", false),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000/a/b.git", true),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4001/a/b.git", false),
        ] {
            let clone = clone.parse().unwrap();
            assert_eq!(address(api).may_clone(&clone), expected, "{api} and {clone}");
        }
    }
}
