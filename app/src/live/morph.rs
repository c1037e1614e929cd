//! Turns one tree of elements into another, keeping every node that can stay.
//!
//! Children are paired by `id` where they have one, else by position and kind. Left alone: the
//! `open` of details (a person opened them), what stands below `data-keep` and `data-load`, the
//! text of a `time` that shows the same moment, and islands, which own their nodes.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

/// What stands in a `<details>` is the reader's own choice.
const OPEN: &str = "open";

pub(super) fn morph(old: &Element, new: &Element) {
    let is_same_time =
        old.tag_name() == "TIME" && old.get_attribute("datetime") == new.get_attribute("datetime");
    if is_same_time || old.has_attribute("data-keep") || old.tag_name() == "LEPTOS-ISLAND" {
        return;
    }
    attributes(old, new);
    children(old, new);
}

fn attributes(old: &Element, new: &Element) {
    for name in names(old) {
        if name != OPEN && !new.has_attribute(&name) {
            let _always_ok = old.remove_attribute(&name);
        }
    }
    for name in names(new) {
        let value = new.get_attribute(&name);
        if name != OPEN && value != old.get_attribute(&name) {
            let _always_ok = old.set_attribute(&name, &value.unwrap_or_default());
        }
    }
}

fn names(element: &Element) -> Vec<String> {
    element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect()
}

/// Walks both lists of children at once; `here` is the old child that stands where the next new
/// one belongs.
fn children(old: &Element, new: &Element) {
    let mut here = old.first_child();
    let mut next = new.first_child();
    while let Some(wanted) = next {
        next = wanted.next_sibling();
        match partner(old, here.as_ref(), &wanted) {
            Some(found) => {
                if here.as_ref() == Some(&found) {
                    here = found.next_sibling();
                } else {
                    insert(old, &found, here.as_ref());
                }
                node(&found, &wanted);
            }
            None => {
                if let Ok(copy) = document().import_node_with_deep(&wanted, true) {
                    insert(old, &copy, here.as_ref());
                }
            }
        }
    }
    while let Some(surplus) = here {
        here = surplus.next_sibling();
        let _always_ok = old.remove_child(&surplus);
    }
}

/// The old child that becomes the wanted one.
fn partner(old: &Element, here: Option<&Node>, wanted: &Node) -> Option<Node> {
    if let Some(id) = id(wanted) {
        let found = document().get_element_by_id(&id).map(Node::from);
        return found.filter(|found| found.parent_element().as_ref() == Some(old));
    }
    let here = here?;
    let is_alike = id(here).is_none() && here.node_name() == wanted.node_name();
    is_alike.then(|| here.clone())
}

/// The attribute and not the property: that of a form is its field named `id`, where it has one.
fn id(node: &Node) -> Option<String> {
    node.dyn_ref::<Element>()?.get_attribute("id")
}

fn node(old: &Node, new: &Node) {
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => morph(old, new),
        _ if old.node_value() != new.node_value() => {
            old.set_node_value(new.node_value().as_deref());
        }
        _ => {}
    }
}

fn insert(parent: &Element, child: &Node, before: Option<&Node>) {
    // Both come from this very list, so the place exists.
    let _always_ok = parent.insert_before(child, before);
}
