//! One line of a workspace's log.

use drover::view::execution::{LogLine, LogStream};
use leptos::prelude::*;

#[component]
pub fn LogLineView(line: LogLine) -> impl IntoView {
    let LogLine { step, stream, text, .. } = line;
    let (class, who) = match stream {
        LogStream::Drover => ("log-line log-drover", "drover".to_owned()),
        LogStream::Stdout => ("log-line", format!("step {step}")),
        LogStream::Stderr => ("log-line log-stderr", format!("step {step} err")),
    };
    view! {
        <div class=class>
            <span class="log-who">{who}</span>
            <span class="log-text">{text}</span>
        </div>
    }
}
