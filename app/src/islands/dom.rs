//! The few calls into the browser that islands share.

use leptos::ev::{Custom, CustomEvent};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Response, SupportedType};

/// The event with which [`crate::live`] tells the islands of its page that something changed.
const HINT: &str = "drover-hint";

/// Wakes all islands that listen for hints.
pub(crate) fn send_hint() {
    if let Ok(event) = web_sys::CustomEvent::new(HINT) {
        // The answer only says whether a listener stopped it.
        let _not_stopped = window().dispatch_event(&event);
    }
}

/// Calls back whenever something may have changed.
pub(crate) fn on_hint(callback: impl Fn() + 'static) {
    let hint: Custom<CustomEvent> = Custom::new(HINT);
    window_event_listener(hint, move |_| callback());
}

/// Reads a page of this server as a document of its own. `Err` when it is none, or cannot be
/// reached.
pub(crate) async fn fetch_page(path: &str) -> Result<Document, JsValue> {
    let init = web_sys::RequestInit::new();
    let headers = web_sys::Headers::new()?;
    headers.set("accept", "text/html")?;
    headers.set("x-drover-refresh", "1")?;
    init.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(path, &init)).await?;
    let response: Response = response.dyn_into()?;
    if !response.ok() {
        return Err(response.status().into());
    }
    let html = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml)
}
