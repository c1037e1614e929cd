//! Writing a campaign spec.
//!
//! Without JavaScript a spec with problems comes back as a stored draft, `/new?draft=ID`, with
//! the problems beside its lines.

use super::{loaded, query};
use crate::{
    backend::{Backend, EditorSource, Started, backend, viewer},
    error::ApiError,
    islands::editor::{Restore, SpecEditor},
    routes,
};
use drover::{campaign::spec::SpecProblem, names::NamespaceName, viewer::Viewer};
use leptos::prelude::*;
use leptos_meta::Title;
use std::sync::Arc;

/// Where to go after a spec was sent: on to its execution, or back to its text.
#[must_use]
pub fn after_start(namespace: &NamespaceName, started: Result<&Started, &ApiError>) -> String {
    match started {
        Ok(Started::Execution(id)) => routes::execution(*id),
        Ok(Started::Draft(id)) => routes::draft(*id, namespace),
        Err(_) => routes::editor_again(namespace),
    }
}

struct Editor {
    text: String,
    problems: Vec<SpecProblem>,
    namespaces: Vec<NamespaceName>,
    namespace: NamespaceName,
}

#[component]
pub fn NewCampaign() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let (source, namespace) = (source(), query("namespace"));
    let restore = if query("again").is_some() { Restore::Yes } else { Restore::No };
    let load = async move { load(backend, viewer?, source?, namespace).await };
    loaded(load, move |Editor { text, problems, namespaces, namespace }| {
        view! {
            <Title text="New campaign"/>
            <div class="grid gap-1">
                <h1 class="title-1">"New campaign"</h1>
                <p class="text-faint">
                    "Which repositories, what to run in each, and the pull requests you want."
                </p>
            </div>
            <SpecEditor text problems namespaces namespace restore/>
        }
    })
}

fn source() -> Result<EditorSource, ApiError> {
    let missing = |what: &str| ApiError::NotFound { what: what.to_owned() };
    if let Some(id) = query("draft") {
        return id.parse().map(EditorSource::Draft).map_err(|_| missing("draft"));
    }
    if let Some(id) = query("spec") {
        return id.parse().map(EditorSource::Spec).map_err(|_| missing("campaign spec"));
    }
    Ok(EditorSource::Sample)
}

async fn load(
    backend: Arc<dyn Backend>,
    viewer: Viewer,
    source: EditorSource,
    namespace: Option<String>,
) -> Result<Editor, ApiError> {
    let text = backend.editor_text(&viewer, source).await?;
    let problems = backend.validate(&viewer, &text).await?;
    let namespaces =
        viewer.namespaces.iter().map(|namespace| namespace.name.clone()).collect::<Vec<_>>();
    let wanted = namespaces.iter().find(|name| Some(name.as_str()) == namespace.as_deref());
    let namespace = wanted.cloned().unwrap_or_else(|| viewer.name.clone());
    Ok(Editor { text, problems, namespaces, namespace })
}
