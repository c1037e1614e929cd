//! The one message that a form leaves for the next page.
//!
//! Forms work without JavaScript: a server function that fails cannot show its error, it can
//! only redirect. So it leaves the error in a cookie that lives for a minute; the next page shows
//! it and clears it. Not in the URL, where a link could put words into Drover's mouth and a
//! reload would show them again; not in the database, which it would not be worth.

use crate::error::ApiError;
use axum::http::{HeaderName, HeaderValue, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const COOKIE: &str = "drover_flash";
/// Cookies hold 4 KiB; encoding may triple a text.
const TEXT_BYTES_MAX: usize = 1_000;
const AGE_SECS: u32 = 60;
/// Sent by a page that only refreshes its regions: it must not eat another page's message.
pub const REFRESH_HEADER: &str = "x-drover-refresh";

/// Ends the serving of a form: goes to `there`, and says there what went wrong, if anything did.
pub fn go(there: &str, result: Result<(), ApiError>) {
    if let Err(error) = result {
        leave(&error);
    }
    leptos_axum::redirect(there);
}

/// Leaves an error for the next page.
pub fn leave(error: &ApiError) {
    let text = error.to_string();
    let text = utf8_percent_encode(cut(&text), NON_ALPHANUMERIC).to_string();
    set_cookie(&format!("{COOKIE}={text}; Path=/; Max-Age={AGE_SECS}; HttpOnly; SameSite=Lax"));
}

/// Takes the message that the form before left, so that it is shown once.
#[must_use]
pub fn take() -> Option<String> {
    let parts = use_context::<Parts>()?;
    if parts.headers.contains_key(HeaderName::from_static(REFRESH_HEADER)) {
        return None;
    }
    let text = cookie(&parts, COOKIE)?;
    set_cookie(&format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
    Some(text)
}

/// The value of a cookie of the request, decoded.
#[must_use]
pub fn cookie(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let value = pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// Adds a `Set-Cookie` header to the response.
pub fn set_cookie(value: &str) {
    let response = use_context::<ResponseOptions>();
    if let (Some(response), Ok(value)) = (response, HeaderValue::from_str(value)) {
        response.append_header(header::SET_COOKIE, value);
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let request = Request::builder()
            .header(header::COOKIE, "xdrover_flash=no; drover_flash=a%20b; other=1")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        assert_eq!(cookie(&parts, "drover_flash").as_deref(), Some("a b"));
        assert_eq!(cookie(&parts, "flash"), None);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = "ü".repeat(TEXT_BYTES_MAX);
        assert_eq!(cut(&text).len(), TEXT_BYTES_MAX);
        assert_eq!(cut(&format!("x{text}")).len(), TEXT_BYTES_MAX - 1);
    }
}
