//! The lines of a hunk as HTML.
//!
//! Written as text and not as a view: a view would build and walk an object for each of the
//! thousands of lines, to arrive at the same bytes.

use drover::view::diff::{LineKind, LineView};
use std::fmt::Write;

/// Old and new lines in one column.
#[must_use]
pub fn unified_html(lines: &[LineView]) -> String {
    let mut html = String::new();
    for line in lines {
        let (tag, sign) = mark(line.kind);
        let (old, new) = (number(line.old), number(line.new));
        push(&mut html, tag, &format!("{old:>5} {new:>5} {sign}"), &line.html);
    }
    html
}

/// Pairs of lines: the old one at the left, the new one at the right.
#[must_use]
pub fn split_html(lines: &[LineView]) -> String {
    let mut html = String::new();
    for (old, new) in pairs(lines) {
        half(&mut html, old, |line| line.old);
        half(&mut html, new, |line| line.new);
    }
    html
}

/// Removed lines stand beside the added ones that follow them.
fn pairs(lines: &[LineView]) -> Vec<(Option<&LineView>, Option<&LineView>)> {
    let mut pairs = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(first) = rest.first() {
        if first.kind == LineKind::Context {
            pairs.push((Some(first), Some(first)));
            rest = &rest[1..];
            continue;
        }
        let (removed, behind) = take(rest, LineKind::Removed);
        let (added, behind) = take(behind, LineKind::Added);
        let height = removed.len().max(added.len());
        pairs.extend((0..height).map(|index| (removed.get(index), added.get(index))));
        rest = behind;
    }
    pairs
}

fn take(lines: &[LineView], kind: LineKind) -> (&[LineView], &[LineView]) {
    let end = lines.iter().position(|line| line.kind != kind).unwrap_or(lines.len());
    lines.split_at(end)
}

fn half(html: &mut String, line: Option<&LineView>, side: fn(&LineView) -> Option<u32>) {
    let Some(line) = line else {
        html.push_str("<i></i>");
        return;
    };
    let (tag, sign) = mark(line.kind);
    push(html, tag, &format!("{:>5} {sign}", number(side(line))), &line.html);
}

fn mark(kind: LineKind) -> (&'static str, char) {
    match kind {
        LineKind::Context => ("span", ' '),
        LineKind::Added => ("ins", '+'),
        LineKind::Removed => ("del", '−'),
    }
}

fn number(number: Option<u32>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

fn push(html: &mut String, tag: &str, gutter: &str, line: &str) {
    // Writing to a string cannot fail. The line was escaped by who made the view; its end stands
    // within the element, so that an empty line has a height and copied lines stay lines.
    let _always_ok = write!(html, "<{tag} data-n=\"{gutter}\">{line}\n</{tag}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: LineKind, old: u32, new: u32) -> LineView {
        let some = |number: u32| (number > 0).then_some(number);
        LineView { kind, old: some(old), new: some(new), html: "x".into() }
    }

    fn check(lines: &[LineView], expected: &[(u32, u32)]) {
        let side = |line: Option<&LineView>, of: fn(&LineView) -> Option<u32>| {
            line.and_then(of).unwrap_or(0)
        };
        let found = pairs(lines)
            .into_iter()
            .map(|(old, new)| (side(old, |line| line.old), side(new, |line| line.new)))
            .collect::<Vec<_>>();
        assert_eq!(found, expected);
    }

    #[test]
    fn removed_lines_stand_beside_the_added_ones_that_follow() {
        use LineKind::{Added, Context, Removed};
        let lines = [
            line(Context, 1, 1),
            line(Removed, 2, 0),
            line(Removed, 3, 0),
            line(Added, 0, 2),
            line(Context, 4, 3),
            line(Added, 0, 4),
        ];
        check(&lines, &[(1, 1), (2, 2), (3, 0), (4, 3), (0, 4)]);
        check(&[], &[]);
    }

    #[test]
    fn an_added_line_carries_its_number_and_sign() {
        let html = unified_html(&[line(LineKind::Added, 0, 7)]);
        assert_eq!(html, "<ins data-n=\"          7 +\">x\n</ins>");
    }
}
