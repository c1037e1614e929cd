//! Life: a page follows what happens on the server.
//!
//! One stream of server-sent events per page, `/events?topic=…`. A message carries nothing, it
//! only says "look again"; a lost one costs nothing, because every (re)connection looks again
//! too. [`Live`] then reads the page's own address once more and brings the regions marked
//! `data-live` up to date, [`morph`]ing the old tree into the new one, so that focus, selection,
//! scroll position and open details stay.
//!
//! Not a server function per page with reactive views: every page would have to exist twice, as
//! HTML from the server and as WebAssembly with its read models, for the same bytes on the wire
//! compressed. One renderer, no page in the browser, and a page that is live cannot show
//! anything that a reload would not.

mod morph;

use crate::{
    islands::{fetch_page, send_hint},
    routes,
};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Document, Element, EventSource};

/// The shortest time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Follows a topic: `execution:ID`, `preview:ID`, `campaign:ID` or `changeset:ID`.
#[island]
pub fn Live(topic: String) -> impl IntoView {
    let link = RwSignal::new(Link::Off);
    let look = StoredValue::new(Look::Idle);
    Effect::new(move |_| follow(&topic, link, look));
    view! {
        <span class="live" data-link=move || link.get().key() role="status">
            {move || link.get().word()}
        </span>
    }
}

/// The connection to the stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Not connected yet, or never: the page stands still.
    Off,
    On,
    Lost,
}

impl Link {
    fn key(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Lost => "lost",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::On => "Live",
            Self::Lost => "Reconnecting",
        }
    }
}

/// Whether the page is being read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Idle,
    Looking,
    /// Something happened meanwhile: look once more.
    Hinted,
}

fn follow(topic: &str, link: RwSignal<Link>, look: StoredValue<Look>) {
    let Ok(events) = EventSource::new(&format!("{}?topic={topic}", routes::EVENTS)) else { return };
    let hinted = Closure::<dyn FnMut()>::new(move || hint(look));
    let opened = Closure::<dyn FnMut()>::new(move || {
        link.set(Link::On);
        hint(look);
    });
    // The browser connects again by itself.
    let lost = Closure::<dyn FnMut()>::new(move || link.set(Link::Lost));
    events.set_onmessage(Some(hinted.as_ref().unchecked_ref()));
    events.set_onopen(Some(opened.as_ref().unchecked_ref()));
    events.set_onerror(Some(lost.as_ref().unchecked_ref()));
    // They live as long as the page, whose end closes the stream.
    for closure in [hinted, opened, lost] {
        closure.forget();
    }
}

fn hint(look: StoredValue<Look>) {
    if look.get_value() != Look::Idle {
        look.set_value(Look::Hinted);
        return;
    }
    look.set_value(Look::Looking);
    spawn_local(async move {
        refresh().await;
        send_hint();
        set_timeout(move || rest(look), LOOK_EVERY);
    });
}

fn rest(look: StoredValue<Look>) {
    let missed = look.get_value() == Look::Hinted;
    look.set_value(Look::Idle);
    if missed {
        hint(look);
    }
}

async fn refresh() {
    let Ok(here) = window().location().href() else { return };
    // What cannot be read now is read at the next hint.
    let Ok(fresh) = fetch_page(&here).await else { return };
    for old in regions(&document()) {
        let name = old.get_attribute("data-live").unwrap_or_default();
        if let Ok(Some(new)) = fresh.query_selector(&format!("[data-live={name}]")) {
            morph::morph(&old, &new);
        }
    }
    go_on(&fresh);
}

fn regions(document: &Document) -> Vec<Element> {
    let Ok(nodes) = document.query_selector_all("[data-live]") else { return Vec::new() };
    (0..nodes.length()).filter_map(|index| nodes.get(index)?.dyn_into::<Element>().ok()).collect()
}

/// A link marked `data-go` has appeared: the page is over, and the next one is there.
fn go_on(fresh: &Document) {
    let link = fresh.query_selector("[data-live] a[data-go]").ok().flatten();
    if let Some(path) = link.and_then(|link| link.get_attribute("href")) {
        // A path that our own server wrote is one that the browser takes.
        let _always_ok = window().location().assign(&path);
    }
}
