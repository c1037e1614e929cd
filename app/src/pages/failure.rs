//! What people see instead of a page: signed out, not found, not allowed, failed.

use super::sign_in::SignInForm;
use crate::{
    components::{alert::Alert, badge::Tone},
    error::ApiError,
    routes,
};
use axum::http::{StatusCode, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

#[component]
pub fn Failure(error: ApiError) -> impl IntoView {
    answer_with(status(&error));
    match error {
        ApiError::SignedOut => view! { <SignInForm next=here()/> }.into_any(),
        ApiError::NotFound { what } => view! { <NotFound what/> }.into_any(),
        error @ (ApiError::Denied(_)
        | ApiError::Spec { .. }
        | ApiError::PlanMoved { .. }
        | ApiError::Refused { .. }
        | ApiError::Internal { .. }
        | ApiError::Transport { .. }) => view! { <Refusal error/> }.into_any(),
    }
}

#[component]
pub fn NotFound(#[prop(into)] what: String) -> impl IntoView {
    answer_with(StatusCode::NOT_FOUND);
    view! {
        <Title text="Not found"/>
        <section class="empty">
            <img src="/crook.svg" alt="" width="56" height="56"/>
            <h1 class="title-1">"This one has strayed"</h1>
            <p>
                "There is no "
                {what}
                ", or it is not yours to see. Specs that nobody applied are deleted after a week."
            </p>
            <p><a class="btn btn-main" href=routes::HOME>"To the campaigns"</a></p>
        </section>
    }
    .into_any()
}

#[component]
fn Refusal(error: ApiError) -> impl IntoView {
    let (title, next) = words(&error);
    view! {
        <Title text=title/>
        <h1 class="title-1">{title}</h1>
        <Alert tone=Tone::Bad title=error.to_string()>
            <p>{next}</p>
        </Alert>
        <p class="flex flex-wrap gap-3">
            <a class="btn btn-main" href=here()>"Try again"</a>
            <a class="btn" href=routes::HOME>"To the campaigns"</a>
        </p>
    }
    .into_any()
}

fn words(error: &ApiError) -> (&'static str, &'static str) {
    match error {
        ApiError::Denied(_) => ("Not allowed", "Ask a member of the namespace, or an admin."),
        ApiError::Internal { .. } => (
            "Drover failed",
            "Nothing was changed by this request. Whoever runs this Drover finds the cause in \
             its log under the reference above.",
        ),
        ApiError::Transport { .. } => ("Not reached", "Try again in a moment."),
        ApiError::SignedOut
        | ApiError::NotFound { .. }
        | ApiError::Spec { .. }
        | ApiError::PlanMoved { .. }
        | ApiError::Refused { .. } => ("Refused", "Nothing was changed."),
    }
}

fn status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::SignedOut => StatusCode::UNAUTHORIZED,
        ApiError::Denied(_) => StatusCode::FORBIDDEN,
        ApiError::NotFound { .. } => StatusCode::NOT_FOUND,
        ApiError::Spec { .. } | ApiError::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ApiError::PlanMoved { .. } => StatusCode::CONFLICT,
        ApiError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        ApiError::Transport { .. } => StatusCode::BAD_GATEWAY,
    }
}

fn answer_with(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

/// The address of the page that is being served.
fn here() -> String {
    use_context::<Parts>()
        .and_then(|parts| parts.uri.path_and_query().map(ToString::to_string))
        .unwrap_or_else(|| routes::HOME.to_owned())
}
