//! Text from the server: what stands in backticks is code, and a sentence starts with a large
//! letter.

use leptos::{either::Either, prelude::*};

#[component]
pub fn Said(#[prop(into)] text: String) -> impl IntoView {
    view! { <Words text=capital(&text)/> }
}

/// The same within a sentence: the first letter stays as it is.
#[component]
pub fn Words(#[prop(into)] text: String) -> impl IntoView {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => Either::Left(part.to_owned()),
        _ => Either::Right(view! { <code class="word">{part.to_owned()}</code> }),
    });
    parts.collect_view()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or(String::new(), |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_start_with_a_large_letter() {
        for (text, expected) in [("the token", "The token"), ("", ""), ("über", "Über")] {
            assert_eq!(capital(text), expected);
        }
    }
}
