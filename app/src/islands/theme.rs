//! Light, dark, or as the system has it.
//!
//! The choice is a cookie, so the server sends the right colours at once: no flash of the wrong
//! ones, no script in the head, and the button works without JavaScript, as a form.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;

pub const COOKIE: &str = "drover_theme";
const AGE_SECS: u32 = 365 * 24 * 3_600;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The value of `data-theme` and of the cookie.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.key() == key)
    }

    /// What the button chooses next.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// The `Set-Cookie` that keeps it.
    #[must_use]
    pub fn cookie(self) -> String {
        format!("{COOKIE}={}; Path=/; Max-Age={AGE_SECS}; SameSite=Lax", self.key())
    }

    fn word(self) -> &'static str {
        match self {
            Self::System => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

#[island]
pub fn ThemeToggle(theme: Theme) -> impl IntoView {
    let theme = RwSignal::new(theme);
    let choose = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let next = theme.get_untracked().next();
        theme.set(next);
        keep(next);
    };
    view! {
        <form method="post" action="/api/set_theme" on:submit=choose>
            <input type="hidden" name="theme" value=move || theme.get().next().key()/>
            <button class="btn btn-quiet" title="Colours: automatic, light or dark">
                <span class="sr-only">"Colours: "</span>
                {move || theme.get().word()}
            </button>
        </form>
    }
}

fn keep(theme: Theme) {
    let Some(root) = document().document_element() else { return };
    // Setting an attribute with a valid name, and a cookie on an HTML page, cannot fail.
    let _always_ok = root.set_attribute("data-theme", theme.key());
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _always_ok = document.set_cookie(&theme.cookie());
    }
}
