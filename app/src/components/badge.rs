//! A word with a tone.

use leptos::prelude::*;

/// What a colour means, the same on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// Its turn has not come.
    Waiting,
    /// Something is being done.
    Busy,
    /// As wanted so far.
    Good,
    /// Finished for ever.
    Done,
    /// Goes on by itself, but look.
    Warn,
    /// Needs a person.
    Bad,
    /// Over, without being done.
    Closed,
}

impl Tone {
    /// The class that colours by the tone.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "tone-plain",
            Self::Waiting => "tone-waiting",
            Self::Busy => "tone-busy",
            Self::Good => "tone-good",
            Self::Done => "tone-done",
            Self::Warn => "tone-warn",
            Self::Bad => "tone-bad",
            Self::Closed => "tone-closed",
        }
    }
}

#[component]
pub fn Badge(tone: Tone, #[prop(into)] word: String) -> impl IntoView {
    view! { <span class=format!("badge {}", tone.class())>{word}</span> }
}
