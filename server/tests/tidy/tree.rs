//! The shape of the tree: maps at the door of each folder, migrations that go both ways.

use super::{
    File, Finding,
    source::{Source, lines_with},
};
use std::collections::BTreeMap;

pub(super) fn findings(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_door = ["/mod.rs", "/lib.rs"].iter().any(|it| file.path.ends_with(it));
    if is_door && !file.text.starts_with("//!") {
        let text = "opens without a map: write `//!` what it is, what it refuses, why this way";
        findings.push(Finding::new(&file.path, 1, text));
    }
    if file.path.starts_with("src/view/") {
        let source = Source::new(&file.path, &file.text);
        for word in ["usize", "isize"] {
            for (line, _) in lines_with(&source.product_code(), word) {
                let text = format!("`{word}` has 32 bits in the browser: use `u32` or `i64`");
                findings.push(Finding::new(&file.path, line, text));
            }
        }
    }
    findings
}

/// Every migration goes up and down.
pub(super) fn migration_findings(files: &[File]) -> Vec<Finding> {
    let mut migrations: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        let inner = file.path.strip_prefix("migrations/").and_then(|it| it.split_once('/'));
        if let Some((migration, _)) = inner {
            migrations.entry(migration).or_default().push(file);
        }
    }
    let mut findings = Vec::new();
    for (migration, files) in migrations {
        for half in ["up.sql", "down.sql"] {
            let path = format!("migrations/{migration}/{half}");
            if !files.iter().any(|it| it.path == path && !it.text.trim().is_empty()) {
                findings.push(Finding::new(&path, 1, "is missing or empty: each way is tested"));
            }
        }
    }
    findings
}

mod tests {
    use super::super::File;
    use super::{findings, migration_findings};

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_folder_without_a_map_is_found() {
        assert_eq!(findings(&file("src/a/mod.rs", "use b;")).len(), 1);
        assert_eq!(findings(&file("src/a/mod.rs", "//! What it is.\nuse b;")).len(), 0);
        assert_eq!(findings(&file("src/a/b.rs", "use b;")).len(), 0);
    }

    #[test]
    fn a_size_of_the_machine_does_not_cross_to_the_browser() {
        assert_eq!(findings(&file("src/view/a.rs", "struct A { b: usize }")).len(), 1);
        assert_eq!(findings(&file("src/view/a.rs", "struct A { b: u32 } // usize")).len(), 0);
    }

    #[test]
    fn a_migration_without_its_way_back_is_found() {
        let up = || file("migrations/1_a/up.sql", "create table a ();");
        assert_eq!(migration_findings(&[up()]).len(), 1);
        assert_eq!(migration_findings(&[up(), file("migrations/1_a/down.sql", " ")]).len(), 1);
        assert_eq!(migration_findings(&[up(), file("migrations/1_a/down.sql", "drop")]).len(), 0);
    }
}
