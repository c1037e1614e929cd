//! What is wrong with a spec, in the same words on the command line, in the API and on pages.

use super::{
    characters::{first_invisible, invisible},
    limits::PROBLEMS_MAX,
};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// One thing that is wrong with a spec: what, where, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpecProblem {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The key, such as `steps[0].run`; empty for the text as a whole.
    pub path: String,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SpecProblem {
    /// A problem of the text as a whole.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self { line: 1, column: 1, path: String::new(), message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Sorts problems by their place, keeps the first [`PROBLEMS_MAX`], and names what nobody sees in
/// their lines: it is the cause more often than not.
pub(super) fn finished(text: &str, mut problems: Vec<SpecProblem>) -> Vec<SpecProblem> {
    problems.sort();
    problems.dedup();
    let left_out = problems.len().saturating_sub(PROBLEMS_MAX);
    problems.truncate(PROBLEMS_MAX);
    let lines: Vec<&str> = text.lines().collect();
    for problem in &mut problems {
        let line = lines.get(index_of(problem.line)).copied().unwrap_or_default();
        if let Some(character) = first_invisible(line) {
            let cause = format!(
                "the line has the invisible character {character}: write an ordinary space, or \
                 nothing, in its place"
            );
            let hint = problem.hint.take();
            problem.hint = Some(hint.map_or(cause.clone(), |hint| format!("{hint}; {cause}")));
        }
    }
    if left_out > 0 {
        let message = format!("{left_out} more problems are not listed");
        problems.push(SpecProblem::whole(message).hint("mend the ones above first"));
    }
    problems
}

fn index_of(line: u32) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1)
}

/// Renders problems for people, each with its line of the text and a caret below the place.
#[must_use]
pub fn render_problems(text: &str, problems: &[SpecProblem], file_name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for problem in problems {
        render(&mut out, &lines, problem, file_name);
    }
    let _ = match problems.len() {
        0 => Ok(()),
        1 => writeln!(out, "{file_name} has 1 problem"),
        many => writeln!(out, "{file_name} has {many} problems"),
    };
    out
}

/// Characters of a line that are shown on each side of the place.
const AROUND_CHARS: usize = 60;

fn render(out: &mut String, lines: &[&str], problem: &SpecProblem, file_name: &str) {
    let SpecProblem { line, column, path, message, hint } = problem;
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let at = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let mut rows = vec![format!("{file_name}:{line}:{column}: {at}{message}")];
    if let Some(source) = lines.get(index_of(*line)) {
        let (shown, caret) = excerpt(source, usize::try_from(*column).unwrap_or(1));
        rows.push(format!("{gutter} |"));
        rows.push(format!("{number} | {shown}"));
        rows.push(format!("{gutter} | {}^", " ".repeat(caret)));
    }
    rows.extend(hint.iter().map(|hint| format!("{gutter} = hint: {hint}")));
    for row in rows {
        out.push_str(&row);
        out.push('\n');
    }
    out.push('\n');
}

/// The part of a line around a column, with a sign for what nobody sees, and where the caret goes.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let chars: Vec<char> = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let place = column.saturating_sub(1).min(chars.len());
    let (start, end) = (place.saturating_sub(AROUND_CHARS), chars.len().min(place + AROUND_CHARS));
    let cut_before = if start > 0 { "…" } else { "" };
    let cut_behind = if end < chars.len() { "…" } else { "" };
    let shown: String = chars[start..end]
        .iter()
        .map(|&c| if invisible(c).is_some() { '\u{fffd}' } else { c })
        .collect();
    let caret = place - start + cut_before.chars().count();
    (format!("{cut_before}{shown}{cut_behind}"), caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: u32, column: u32) -> SpecProblem {
        SpecProblem {
            line,
            column,
            path: "stpes".to_owned(),
            message: "unknown key `stpes`".to_owned(),
            hint: Some("did you mean `steps`?".to_owned()),
        }
    }

    #[test]
    fn a_problem_shows_its_line_with_a_caret_and_a_hint() {
        let text = "name: x\nstpes:\n";
        let shown = render_problems(text, &[problem(2, 1)], "spec.yaml");
        assert_eq!(
            shown,
            "spec.yaml:2:1: stpes: unknown key `stpes`\n  |\n2 | stpes:\n  | ^\n  = hint: did you mean \
             `steps`?\n\nspec.yaml has 1 problem\n"
        );
    }

    #[test]
    fn a_place_behind_the_text_has_no_excerpt() {
        assert!(!render_problems("a: b", &[problem(9, 9)], "x").contains(" | "));
    }

    #[test]
    fn the_caret_stands_below_its_character() {
        let check = |line: &str, column: usize, under: Option<char>| {
            let (shown, caret) = excerpt(line, column);
            assert_eq!(shown.chars().nth(caret), under, "{line:?} at {column}: {shown:?} {caret}");
        };
        check("name: x", 7, Some('x'));
        check("ünïcode: x", 10, Some('x'));
        check("abc", 4, None);
        check("abc", 99, None);
        check("", 1, None);
        let long = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        check(&long, 501, Some('x'));
        check("a\u{1b}[31mb", 2, Some('\u{fffd}'));
        check("\u{a0} - a", 1, Some('\u{fffd}'));
    }
}
