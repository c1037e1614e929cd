//! Campaign specs, each a little other than the one that says hello.

use serde_json::{Value, json};

/// A campaign spec. JSON is YAML.
#[derive(Clone)]
pub(crate) struct Spec(Value);

impl Spec {
    /// Writes `HELLO` and wants pull requests that are ready for review.
    pub(crate) fn new(name: &str) -> Self {
        Self(json!({
            "version": 1,
            "name": name,
            "on": [],
            "steps": [{ "run": "echo hello > HELLO" }],
            "changesetTemplate": {
                "title": "Say hello",
                "body": "So that **everybody** is greeted.",
                "branch": format!("drover/{name}"),
                "commit": {
                    "message": "Say hello\n\nPolitely.",
                    "author": { "name": "Grete Grüßer", "email": "grete@example.org" },
                },
                "published": true,
            },
        }))
    }

    pub(crate) fn on(mut self, repo: &str) -> Self {
        self.list("on").push(json!({ "repository": repo }));
        self
    }

    /// Into these branches of a repository.
    pub(crate) fn into(mut self, repo: &str, branches: &[&str]) -> Self {
        self.list("on").push(json!({ "repository": repo, "branches": branches }));
        self
    }

    pub(crate) fn matching(mut self, query: &str) -> Self {
        self.list("on").push(json!({ "repositoriesMatchingQuery": query }));
        self
    }

    /// One step with this script, instead of the step that says hello.
    pub(crate) fn run(self, script: &str) -> Self {
        self.set("/steps", json!([{ "run": script }]))
    }

    pub(crate) fn title(self, title: &str) -> Self {
        self.set("/changesetTemplate/title", json!(title))
    }

    pub(crate) fn published(self, published: impl Into<Value>) -> Self {
        self.set("/changesetTemplate/published", published.into())
    }

    /// Puts a value in place of what is at a JSON pointer.
    pub(crate) fn set(mut self, pointer: &str, value: Value) -> Self {
        *self.0.pointer_mut(pointer).unwrap() = value;
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    fn list(&mut self, key: &str) -> &mut Vec<Value> {
        self.0[key].as_array_mut().unwrap()
    }
}
