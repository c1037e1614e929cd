//! The parts that pages are made of. All text from outside goes through [`escape`].

use crate::state::{Pull, PullState, Repo};
use std::sync::Arc;

pub(super) fn page(title: &str, crumbs: &[(&str, &str)], body: &str) -> String {
    let crumbs: String = crumbs
        .iter()
        .map(|(text, link)| format!(" / <a href=\"{}\">{}</a>", escape(link), escape(text)))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · GitHub stand-in</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <link rel=\"icon\" href=\"data:,\"></head>\
         <body><header><nav aria-label=\"Where you are\"><a href=\"/\">GitHub stand-in</a>{crumbs}\
         </nav></header><main>{body}</main></body></html>",
        escape(title)
    )
}

pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// GitHub does not show the HTML comments of a text: programs leave their marks in them.
pub(super) fn without_comments(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        shown.push_str(before);
        let Some((_, after)) = comment.split_once("-->") else { return shown };
        rest = after;
    }
    shown.push_str(rest);
    shown
}

pub(super) fn repo_list(repos: &[Arc<Repo>]) -> String {
    let show = |repo: &Arc<Repo>| {
        let open = repo.open_pulls().count();
        let facts = [
            repo.main_language().map(str::to_owned),
            Some(format!("{open} open pull request{}", if open == 1 { "" } else { "s" })),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        format!(
            "<li><a href=\"/{}\">{}</a>{} <span class=\"quiet\">{}</span><br>{}</li>",
            escape(&repo.full_name()),
            escape(&repo.name),
            archived(repo),
            escape(&facts.join(" · ")),
            escape(repo.description.as_deref().unwrap_or_default()),
        )
    };
    format!("<ul class=\"list\">{}</ul>", repos.iter().map(show).collect::<String>())
}

pub(super) fn pull_list(repo: &Repo) -> String {
    if repo.pulls.is_empty() {
        return "<p>There are no pull requests yet.</p>".to_owned();
    }
    let show = |pull: &Pull| {
        let (word, class) = state(pull);
        format!(
            "<li><span class=\"badge {class}\">{word}</span> \
             <a href=\"/{}/pull/{number}\">{}</a> \
             <span class=\"quiet\">#{number} by {}</span></li>",
            escape(&repo.full_name()),
            escape(&pull.title),
            escape(&pull.author),
            number = pull.number,
        )
    };
    let pulls: String = repo.pulls.values().rev().map(show).collect();
    format!("<ul class=\"list\">{pulls}</ul>")
}

pub(super) fn archived(repo: &Repo) -> &'static str {
    if repo.is_archived() { " <span class=\"badge closed\">Archived</span>" } else { "" }
}

/// The state in a word, and the class that colours it.
pub(super) fn state(pull: &Pull) -> (&'static str, &'static str) {
    match pull.state {
        PullState::Open if pull.is_draft() => ("Draft", "draft"),
        PullState::Open => ("Open", "open"),
        PullState::Closed { .. } => ("Closed", "closed"),
        PullState::Merged { .. } => ("Merged", "merged"),
    }
}

pub(super) fn avatar(login: &str) -> String {
    let letter = login.chars().next().map(|letter| letter.to_uppercase().to_string());
    let hue = login.bytes().fold(0_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 40\"><rect width=\"40\" \
         height=\"40\" rx=\"8\" fill=\"hsl({hue} 45% 40%)\"/><text x=\"20\" y=\"27\" fill=\"#fff\" \
         font-family=\"sans-serif\" font-size=\"20\" text-anchor=\"middle\">{}</text></svg>",
        escape(&letter.unwrap_or_default())
    )
}

#[cfg(test)]
mod tests {
    use super::{escape, without_comments};

    #[test]
    fn comments_in_a_text_are_not_shown() {
        for (text, expected) in [
            ("a <!-- x --> b<!--y-->", "a  b"),
            ("a <!-- without an end", "a "),
            ("a --> b", "a --> b"),
        ] {
            assert_eq!(without_comments(text), expected, "{text}");
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<a href='x' b=\"&\">"),
            "&lt;a href=&#39;x&#39; b=&quot;&amp;&quot;&gt;"
        );
    }
}
