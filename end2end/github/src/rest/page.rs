//! Pages of lists, with GitHub's `Link` header.

use crate::{
    call::{ENTERPRISE_PREFIX, Urls},
    error::ApiError,
    github::Github,
};
use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::sync::Arc;

const PER_PAGE_DEFAULT: usize = 30;
const PER_PAGE_MAX: usize = 100;
/// Far more than any list here has; it keeps the arithmetic small.
const PAGE_MAX: usize = 1_000_000;

/// Which page of which address was asked for.
pub(crate) struct Page {
    number: usize,
    per_page: usize,
    path: String,
    /// All other parts of the query, as they came.
    others: Vec<(String, String)>,
}

impl Page {
    /// Shows this page of a list that is known whole.
    pub(crate) fn of<T>(self, urls: &Urls, items: &[T], show: impl FnMut(&T) -> Value) -> Response {
        let body: Vec<Value> =
            items.iter().skip(self.skip()).take(self.per_page).map(show).collect();
        self.answer(urls, items.len(), Value::Array(body))
    }

    /// Answers with a body that was made for this page of a list with so many items.
    pub(crate) fn answer(self, urls: &Urls, total: usize, body: Value) -> Response {
        let last = total.div_ceil(self.per_page).max(1);
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(self.link(urls, self.number - 1, "prev"));
        }
        if self.number < last {
            links.push(self.link(urls, self.number + 1, "next"));
            links.push(self.link(urls, last, "last"));
        }
        if self.number > 1 {
            links.push(self.link(urls, 1, "first"));
        }
        if links.is_empty() {
            return Json(body).into_response();
        }
        ([(header::LINK, links.join(", "))], Json(body)).into_response()
    }

    pub(crate) fn skip(&self) -> usize {
        (self.number - 1) * self.per_page
    }

    pub(crate) fn size(&self) -> usize {
        self.per_page
    }

    /// Some lists are ended by GitHub before their end.
    pub(crate) fn reaches_beyond(&self, items: usize) -> bool {
        self.skip() + self.per_page > items && self.skip() >= items
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.others.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn link(&self, urls: &Urls, number: usize, rel: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.others);
        query.append_pair("per_page", &self.per_page.to_string());
        query.append_pair("page", &number.to_string());
        format!("<{}{}?{}>; rel=\"{rel}\"", urls.api, self.path, query.finish())
    }
}

impl FromRequestParts<Arc<Github>> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Github>) -> Result<Self, ApiError> {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let path = uri.path().strip_prefix(ENTERPRISE_PREFIX).unwrap_or(uri.path()).to_owned();
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let (mut number, mut per_page) = (1, PER_PAGE_DEFAULT);
        let mut others = Vec::new();
        for (key, value) in pairs {
            match key.as_ref() {
                "page" => number = value.parse().unwrap_or(1),
                "per_page" => per_page = value.parse().unwrap_or(PER_PAGE_DEFAULT),
                _ => others.push((key.into_owned(), value.into_owned())),
            }
        }
        let per_page = if per_page == 0 { PER_PAGE_DEFAULT } else { per_page.min(PER_PAGE_MAX) };
        Ok(Self { number: number.clamp(1, PAGE_MAX), per_page, path, others })
    }
}
