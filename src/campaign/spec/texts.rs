//! What no text of a spec may have, and where the parts of a text stand in the source.

use super::{
    characters::shown,
    expressions::{self, OPENING},
    limits::{PROBLEMS_MAX, SCALAR_BYTES_MAX},
    tree::{Node, Value},
    values::{Place, Reader, join},
};

impl Reader<'_> {
    /// Refuses in all texts what no text may have.
    pub(super) fn check_texts(&mut self, node: &Node, path: &str) {
        match &node.value {
            Value::Text(text) => self.check_text(node, path, text),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_texts(item, &format!("{path}[{index}]"));
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let Value::Text(name) = &key.value else { continue };
                    self.check_texts(value, &join(path, name));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number => {}
        }
    }

    fn check_text(&mut self, node: &Node, path: &str, text: &str) {
        if text.len() > SCALAR_BYTES_MAX {
            let message =
                format!("this text has {} bytes; at most {SCALAR_BYTES_MAX} are taken", text.len());
            self.hinted(node, path, message, "keep long texts in a file of a repository");
        }
        if text.contains('\0') {
            self.hinted(node, path, "this text has a NUL character", "remove `\\0`");
        }
        self.check_expressions(node, path, text);
    }

    /// Every expression at its own place, once: an alias repeats what its anchor has.
    fn check_expressions(&mut self, node: &Node, path: &str, text: &str) {
        let places = self.places(node, text, OPENING);
        for expression in expressions::foreign(text).take(PROBLEMS_MAX + 1) {
            let at = places.get(expression.index);
            let place = at.map_or((node.line, node.column), |at| self.place(*at));
            if at.is_some_and(|at| !self.expressions.insert(*at)) {
                continue;
            }
            let name = shown(expression.name);
            let message = format!("`{OPENING} {name} }}}}` is not filled in");
            self.problem(place, path, message, Some(expressions::hint(&name)));
        }
    }

    /// The place of a part of a text; where that cannot be told, of the text.
    pub(super) fn within(&self, node: &Node, text: &str, offset: usize) -> Place {
        let rest = text.get(offset..).unwrap_or_default();
        let word = rest.split_whitespace().next().unwrap_or_default();
        let before = text.get(..offset).unwrap_or_default();
        let at = match word {
            "" => None,
            word => {
                let index = before.matches(word).count();
                self.places(node, text, word).get(index).copied()
            }
        };
        at.map_or((node.line, node.column), |at| self.place(at))
    }

    /// The offsets in the source at which a part of a text stands, one for each time that the
    /// text has it. None when the source writes the text in another way, such as by escapes.
    fn places(&self, node: &Node, text: &str, part: &str) -> Vec<usize> {
        let source = self.source.get(node.bytes.clone()).unwrap_or_default();
        let places: Vec<usize> =
            source.match_indices(part).map(|(at, _)| node.bytes.start + at).collect();
        if places.len() == text.matches(part).count() { places } else { Vec::new() }
    }

    /// The line and the column of an offset in the source.
    fn place(&self, offset: usize) -> Place {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.source.get(start..offset).unwrap_or_default().chars().count() + 1;
        (number(line), number(column))
    }
}
