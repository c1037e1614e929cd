//! Requests that change something come from our own pages, or carry a token of their own.
//!
//! Browsers say where a request comes from. A cookie that is sent along with a form of another
//! site is refused here; `SameSite=Lax` is the second lock.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    if is_safe(request.method()) || may_change(request.headers()) {
        return next.run(request).await;
    }
    let text = "This request came from another site, so it was refused. \
                Open the page in Drover itself and send it again.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the headers prove that no other site's page sent the request.
fn may_change(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    // A page of another site cannot make a browser add this header.
    if headers.contains_key(header::AUTHORIZATION) {
        return true;
    }
    match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(header::HOST).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)], allowed: &str) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, header::HeaderValue::from_static(value));
        }
        assert_eq!(may_change(&map), allowed == "allowed", "{headers:?}");
    }

    #[test]
    fn only_our_own_pages_and_bearers_of_tokens_change_things() {
        check(&[], "refused");
        check(&[("sec-fetch-site", "same-origin")], "allowed");
        check(&[("sec-fetch-site", "none")], "allowed");
        check(&[("sec-fetch-site", "same-site")], "refused");
        check(&[("sec-fetch-site", "cross-site")], "refused");
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://a")], "refused");
        check(&[("origin", "http://a:1"), ("host", "a:1")], "allowed");
        check(&[("origin", "http://evil"), ("host", "a:1")], "refused");
        check(&[("origin", "null"), ("host", "a:1")], "refused");
        check(&[("authorization", "Bearer x")], "allowed");
    }
}
