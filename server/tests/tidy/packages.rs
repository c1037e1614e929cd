//! What we build on: licences that go with ours, and no package that was shut out.
//!
//! `.cargo/deny.toml` says the same to cargo-deny, which takes longer to build than Drover itself;
//! whoever has it gets the advisories as well. The list of licences stands there, once.

use super::root;
use std::{collections::BTreeSet, process::Command};

/// Packages that would bring a C library or a second TLS stack into a program of pure Rust.
const SHUT_OUT: [&str; 6] =
    ["aws-lc-sys", "libgit2-sys", "libsqlite3-sys", "native-tls", "openssl-sys", "pq-sys"];

/// Packages whose manifest names a file in place of a licence, and the licence that was read there.
/// `.cargo/deny.toml` clarifies the same.
const READ: [(&str, &str); 1] = [("jsonpath-rust v0.3.5", "MIT")];

/// Every package that the workspace is built of on this machine, as `name version (source)|licence`.
fn packages() -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--edges=normal,build"])
        .args(["--prefix=none", "--format={p}|{l}"])
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo tree: {error}"));
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8_lossy(&tree.stdout);
    // Cargo marks what it has printed before.
    let packages = lines.lines().map(|it| it.trim_end_matches(" (*)").to_owned());
    packages.filter(|it| !it.is_empty()).collect()
}

/// The licences of the list `allow` in `.cargo/deny.toml`.
fn allowed_licenses() -> Vec<String> {
    let path = root().join(".cargo/deny.toml");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let list = text.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.unwrap_or_else(|| panic!("{} allows no licence", path.display()));
    list.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. All expressions in use have
/// the form of alternatives, in brackets or not, that are joined by `AND`.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    expression.split(" AND ").all(|all| {
        all.split(['/', '(', ')'])
            .flat_map(|any| any.split(" OR "))
            .any(|license| allowed.iter().any(|it| it == license.trim()))
    })
}

fn faults(package: &str, allowed: &[String]) -> Vec<String> {
    let (package, license) = package.split_once('|').unwrap_or((package, ""));
    let name = package.split(' ').next().unwrap_or_default();
    let read = READ.iter().find(|(read, _)| package.starts_with(read));
    let license = read.filter(|_| license.is_empty()).map_or(license, |(_, license)| license);
    let mut faults = Vec::new();
    if SHUT_OUT.contains(&name) {
        faults.push(format!("{package} is shut out: find the feature that brings it"));
    }
    if license.is_empty() {
        faults.push(format!("{package} names no licence: read its files"));
    } else if !is_met(license, allowed) {
        faults.push(format!(
            "{package} has the licence `{license}`, which `.cargo/deny.toml` does not allow"
        ));
    }
    if package.contains("://") {
        faults.push(format!("{package} does not come from the registry"));
    }
    faults
}

#[test]
fn packages_go_with_our_licence_and_our_rules() {
    let allowed = allowed_licenses();
    let packages = packages();
    assert!(packages.iter().any(|it| it.starts_with("serde v1")), "{packages:?}");
    let faults: Vec<String> = packages.iter().flat_map(|it| faults(it, &allowed)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The glue and the module must be written by one version of wasm-bindgen.
#[test]
fn the_glue_is_of_the_version_of_the_module() {
    let locked = |path: &str, name: &str| {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        let begin = text.find(&format!("name = \"{name}\"\n")).map(|at| at + name.len() + 9);
        begin.and_then(|at| text[at..].lines().next().map(ToOwned::to_owned))
    };
    let module = locked("Cargo.lock", "wasm-bindgen");
    assert!(module.is_some(), "no wasm-bindgen in Cargo.lock");
    assert_eq!(module, locked(".ci/web-glue/Cargo.lock", "wasm-bindgen-cli-support"));
}

mod tests {
    use super::faults;

    #[track_caller]
    fn check(package: &str, count: usize) {
        let faults = faults(package, &["MIT".to_owned(), "Zlib".to_owned()]);
        assert_eq!(faults.len(), count, "{faults:?}");
    }

    #[test]
    fn a_package_that_does_not_go_with_ours_is_found() {
        check("a v1.0.0|MIT OR Apache-2.0", 0);
        check("a v1.0.0 (proc-macro)|GPL-3.0/MIT", 0);
        check("a v1.0.0|(BSD-3-Clause OR MIT) AND Zlib", 0);
        check("a v1.0.0|MIT AND GPL-3.0", 1);
        check("a v1.0.0|", 1);
        check("a v1.0.0 (https://example.org/a#1234)|MIT", 1);
        check("openssl-sys v1.0.0|MIT", 1);
    }
}
