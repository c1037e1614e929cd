//! For which hosts requests are taken.
//!
//! A page of any site can be served under a name that its owner points at this machine a moment
//! later; the browser then lets its scripts read and post here. The name stays in the `Host`
//! header, so only our own names are served: that of the public address, the address that the
//! connection came in on, and `localhost` for a loopback one. Ports are not compared: a port
//! mapping changes them and nothing else.

use crate::{error::message_body, github::Github, wire::Wire};
use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The layer.
pub(crate) async fn only_ours(
    State(github): State<Arc<Github>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let public = github.public_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    let public = public.as_ref().and_then(Uri::host);
    let addresses = [Some(github.address), wire.local];
    let Some(host) = asked(request.uri(), request.headers()) else {
        return refuse("The request does not say for which host it is; send one `Host` header.");
    };
    if !is_ours(&host, public, &addresses) {
        return refuse(&format!(
            "This stand-in does not answer for `{host}`. Open it at its own address; whoever runs \
             it names that with --public-url."
        ));
    }
    next.run(request).await
}

fn refuse(message: &str) -> Response {
    let status = StatusCode::MISDIRECTED_REQUEST;
    (status, Json(message_body(status, message))).into_response()
}

/// The host that a request is for: of its one header, or of its address.
fn asked(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::HOST).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => Authority::try_from(line.as_bytes()).ok().map(|it| plain(it.host())),
        (Some(_), Some(_)) => None,
        (None, _) => uri.host().map(plain),
    }
}

fn is_ours(host: &str, public: Option<&str>, addresses: &[Option<SocketAddr>]) -> bool {
    if public.is_some_and(|public| plain(public) == host) {
        return true;
    }
    let mut ours = addresses.iter().flatten().map(|it| it.ip().to_canonical());
    match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        // All forms of loopback lead to the same door.
        Ok(ip) if ip.is_loopback() => ours.any(is_near),
        Ok(ip) => ours.any(|it| it == ip && !it.is_unspecified()),
        Err(_) => host == "localhost" && ours.any(is_near),
    }
}

fn is_near(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

/// A host as it is compared: in small letters, without brackets and without the final dot.
fn plain(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_served() {
        let check = |listen: &str, local: Option<&str>, host: &str, expected: bool| {
            let address = |text: &str| text.parse().ok();
            let addresses = [address(listen), local.and_then(address)];
            let host = plain(host);
            let found = is_ours(&host, Some("github.test"), &addresses);
            assert_eq!(found, expected, "{listen} {local:?} {host}");
        };
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("github.test", true),
            ("evil.test", false),
            ("localhost.evil.test", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            check("127.0.0.1:80", None, host, expected);
        }
        check("0.0.0.0:80", Some("10.0.0.1:80"), "10.0.0.1", true);
        check("0.0.0.0:80", Some("10.0.0.1:80"), "10.0.0.2", false);
        check("0.0.0.0:80", Some("10.0.0.1:80"), "0.0.0.0", false);
        check("10.0.0.1:80", None, "localhost", false);
    }
}
