//! What a query asks for at most, before it is executed: GitHub refuses more than half a million
//! nodes, and counts points by the connections that it has to read.

use super::page::PAGE_SIZE_MAX;
use apollo_compiler::{
    ExecutableDocument,
    executable::{Field, Operation, Selection, SelectionSet},
    response::{JsonMap, JsonValue},
    validation::Valid,
};

/// GitHub's own limit.
pub(super) const NODES_MAX: u64 = 500_000;
const REQUESTS_PER_POINT: u64 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) nodes: u64,
    requests: u64,
}

impl Cost {
    pub(super) fn of(
        document: &Valid<ExecutableDocument>,
        operation: &Operation,
        variables: &JsonMap,
    ) -> Self {
        let mut cost = Self::default();
        cost.add(document, &operation.selection_set, variables, 1);
        cost
    }

    pub(super) fn points(self) -> u64 {
        self.requests.div_ceil(REQUESTS_PER_POINT).max(1)
    }

    /// Fragments cannot go round in circles: the document is valid.
    fn add(
        &mut self,
        document: &Valid<ExecutableDocument>,
        set: &SelectionSet,
        variables: &JsonMap,
        times: u64,
    ) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let times = match page_size(field, variables) {
                        Some(size) => {
                            self.requests = self.requests.saturating_add(times);
                            let nodes = times.saturating_mul(size);
                            self.nodes = self.nodes.saturating_add(nodes);
                            nodes
                        }
                        None => times,
                    };
                    self.add(document, &field.selection_set, variables, times);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = spread.fragment_def(document) {
                        self.add(document, &fragment.selection_set, variables, times);
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.add(document, &inline.selection_set, variables, times);
                }
            }
        }
    }
}

/// How many items a connection is asked for; what it refuses anyway counts as a full page.
fn page_size(field: &Field, variables: &JsonMap) -> Option<u64> {
    if !field.ty().inner_named_type().ends_with("Connection") {
        return None;
    }
    let size = ["first", "last"].into_iter().find_map(|name| {
        let value = field.specified_argument_by_name(name)?;
        match value.as_variable() {
            Some(variable) => variables.get(variable.as_str()).and_then(JsonValue::as_i64),
            None => value.to_i32().map(i64::from),
        }
    });
    u64::try_from(size.unwrap_or(PAGE_SIZE_MAX).clamp(0, PAGE_SIZE_MAX)).ok()
}
