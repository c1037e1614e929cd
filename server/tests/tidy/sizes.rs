//! A file and a function have a length that a reader can hold.

use super::{File, Finding, source::Source};
use std::path::Path;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// Markup takes more lines than logic does.
const VIEW_LINES_MAX: usize = 100;

/// What people write and read; lock files and texts of licences are neither.
const WRITTEN: [&str; 6] = ["css", "md", "rs", "sh", "sql", "ts"];
/// Printed by the migrations' own tool.
const GENERATED: [&str; 1] = ["server/src/store/schema.rs"];

pub(super) fn file_findings(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    let extension = Path::new(&file.path).extension().and_then(|it| it.to_str());
    let counts = extension.is_some_and(|it| WRITTEN.contains(&it));
    if !counts || GENERATED.contains(&file.path.as_str()) || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    let text = format!("{lines} lines, {FILE_LINES_MAX} are allowed: split it by idea");
    vec![Finding::new(&file.path, FILE_LINES_MAX, text)]
}

pub(super) fn function_findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in source.functions() {
        let is_view = function.body.contains("view!");
        let limit = if is_view { VIEW_LINES_MAX } else { FUNCTION_LINES_MAX };
        if function.lines > limit {
            let text = format!(
                "`{}` has {} lines, {limit} are allowed: let it decide, and its parts compute",
                function.name, function.lines
            );
            findings.push(Finding::new(&source.path, function.line, text));
        }
    }
    findings
}

mod tests {
    use super::super::{File, check};
    use super::{file_findings, function_findings};

    #[test]
    fn a_long_file_is_found() {
        let finds = |path: &str, lines: usize| {
            file_findings(&File { path: path.into(), text: "a\n".repeat(lines) }).len()
        };
        assert_eq!(finds("src/a.rs", 500), 0);
        assert_eq!(finds("src/a.rs", 501), 1);
        assert_eq!(finds("package-lock.json", 501), 0);
    }

    #[test]
    fn a_long_function_is_found() {
        let function = |open: &str, lines: usize| format!("\n{open}{}}}", "a;\n".repeat(lines - 1));
        check(function_findings, "src/a.rs", &function("fn a() {", 70), &[]);
        check(function_findings, "src/a.rs", &function("fn a() {", 71), &[2]);
        check(function_findings, "src/a.rs", &function("fn a() { view! {}", 100), &[]);
        check(function_findings, "src/a.rs", &function("fn a() { view! {}", 101), &[2]);
    }
}
