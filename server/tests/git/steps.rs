//! A working copy before and after steps.

use super::support::{Host, commit, git, git_with, target};
use drover_server::git::{
    error::GitError,
    patch::{Change, DiffError},
    push::{Expected, PushOutcome},
    reading::fault::TreeFault,
    working_copy::WorkingCopy,
};
use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

const FILES: &[(&str, &str)] = &[
    ("README", "one\ntwo\nthree\n"),
    ("a b/c\"d", "quoted\n"),
    ("gone", "bye\n"),
    ("tool.sh", "#!/bin/sh\n"),
    (".gitignore", "*.log\ntarget/\n"),
    ("kept.log", "tracked although ignored\n"),
    ("crlf", "a\r\nb\r\n"),
    (".gitattributes", "* diff=evil merge=evil ident\n"),
    ("ident", "$Id$\n"),
];

async fn checkout(host: &Host) -> WorkingCopy {
    let base = host.repository("acme/web", FILES);
    host.mirror("acme/web").await.checkout(&base, &host.scratch("wc")).await.unwrap()
}

fn write(copy: &WorkingCopy, path: &str, text: &str) {
    let path = copy.tree().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn what_steps_change_is_what_is_committed() {
    let host = Host::new();
    let copy = checkout(&host).await;
    assert_eq!(copy.changes().await.unwrap().diff, None, "nothing was changed");
    write(&copy, "README", "one\n2\nthree\nfour");
    write(&copy, "a b/c\"d", "changed\n");
    std::fs::remove_file(copy.tree().join("gone")).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(copy.tree().join("tool.sh"), executable).unwrap();
    write(&copy, "deep/new ü", "");
    write(&copy, "deep/bytes", "\0\u{1}binary\0");
    symlink("../README", copy.tree().join("deep/link")).unwrap();
    write(&copy, "noise.log", "ignored");
    write(&copy, "target/x", "ignored");
    write(&copy, "kept.log", "changed\n");
    std::fs::remove_file(copy.tree().join("ident")).unwrap();
    symlink("README", copy.tree().join("ident")).unwrap();

    let diff = copy.changes().await.unwrap().diff.unwrap();
    let paths: Vec<String> = diff.files().iter().map(|file| file.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "README",
            "a b/c\"d",
            "deep/bytes",
            "deep/link",
            "deep/new ü",
            "gone",
            "ident",
            "ident",
            "kept.log",
            "tool.sh"
        ]
    );
    assert!(matches!(diff.files()[9].change, Change::Mode { .. }));
    assert_eq!((diff.stat().added, diff.stat().removed), (6, 5));

    let mirror = host.mirror("acme/web").await;
    let sha = commit(&mirror, copy.base(), &diff).await.unwrap();
    let pushed = mirror.push(&sha, &target("x"), &Expected::Absent).await.unwrap();
    assert_eq!(pushed, PushOutcome::Pushed);
    let again = mirror.checkout(&sha, &host.scratch("wc2")).await.unwrap();
    let script = "diff -r --exclude=.git --exclude=noise.log --exclude=target \
                  --no-dereference \"$1\" \"$2\"";
    let same = std::process::Command::new("sh")
        .args(["-c", script, "sh"])
        .args([copy.tree(), again.tree()])
        .output()
        .unwrap();
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
    copy.remove().await.unwrap();
    assert!(!host.scratch("wc").exists());
}

#[tokio::test]
async fn a_checkout_holds_the_bytes_of_the_commit() {
    let host = Host::new();
    let copy = checkout(&host).await;
    for (path, text) in FILES {
        assert_eq!(std::fs::read_to_string(copy.tree().join(path)).unwrap(), *text, "{path}");
    }
}

#[tokio::test]
async fn steps_find_a_repository_without_history() {
    let host = Host::new();
    host.repository("acme/web", &[("secret", "old\n")]);
    let base = host.commit("acme/web", "main", &FILES[..6]);
    let mirror = host.mirror("acme/web").await;
    let copy = mirror.checkout(&base, &host.scratch("wc")).await.unwrap();
    let tree = copy.tree();
    assert_eq!(git(&tree, &["status", "--porcelain"], ""), "");
    assert_eq!(git(&tree, &["log", "--format=%s"], ""), "The state before the first step");
    assert_eq!(git(&tree, &["grep", "-l", "two"], ""), "README");
    assert_eq!(git(&tree, &["remote"], ""), "");
    git(&tree, &["mv", "README", "READ"], "");
    git(&tree, &["commit", "-qm", "mine"], "");
    git(&tree, &["fsck", "--strict"], "");
    let all = git(&tree, &["cat-file", "--batch-all-objects", "--batch-check"], "");
    let old = git(&host.path("acme/web"), &["rev-parse", "main~1:secret"], "");
    assert!(!all.contains(&old), "history leaked");
    let diff = copy.changes().await.unwrap().diff.unwrap();
    let paths: Vec<String> = diff.files().iter().map(|file| file.path.to_string()).collect();
    assert_eq!(paths, ["READ", "README"]);
}

/// Does something nasty to a working copy; the diff must come out as said.
async fn refused(nasty: impl Fn(&Path), is_right: impl Fn(&GitError) -> bool) {
    let host = Host::new();
    let copy = checkout(&host).await;
    nasty(&copy.tree());
    let error = copy.changes().await.expect_err("the diff is refused");
    assert!(is_right(&error), "{error:?}");
}

#[tokio::test]
async fn a_symlink_out_of_the_tree_is_refused() {
    for target in ["/etc/passwd", "..", "../x", "a/../../x", ".git/config", "\n", "x\ny"] {
        refused(
            |tree| symlink(target, tree.join("link")).unwrap(),
            |error| matches!(error, GitError::Diff(DiffError::Link { .. })),
        )
        .await;
    }
}

#[tokio::test]
async fn a_file_named_with_a_line_break_is_refused_by_its_escaped_name() {
    refused(
        |tree| std::fs::write(tree.join("a\nb"), "x").unwrap(),
        |error| error.to_string().contains(r"the path `a\nb` is refused: it holds a line break"),
    )
    .await;
}

#[tokio::test]
async fn other_bad_names_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    for name in [&b"a\rb"[..], b"a\\b", b"\xff", b"a\x1b[2J", b"git~1", b".GIT ", b".gitmodules"] {
        refused(
            |tree| std::fs::write(tree.join(std::ffi::OsStr::from_bytes(name)), "x").unwrap(),
            // Git itself refuses some of them first.
            |error| {
                matches!(error, GitError::Diff(DiffError::Path { .. }) | GitError::Hostile { .. })
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_repository_inside_the_tree_is_refused() {
    refused(
        |tree| {
            let inner = tree.join("inner");
            std::fs::create_dir(&inner).unwrap();
            git(&inner, &["init", "-q"], "");
            std::fs::write(inner.join("x"), "x").unwrap();
            git(&inner, &["add", "x"], "");
            git(&inner, &["commit", "-qm", "x"], "");
        },
        |error| matches!(error, GitError::Tree(TreeFault::Repository { .. })),
    )
    .await;
}

#[tokio::test]
async fn a_diff_above_the_limit_is_refused() {
    refused(
        |tree| {
            let line = "0123456789abcde\n";
            std::fs::write(tree.join("big"), line.repeat((50 << 20) / line.len())).unwrap();
        },
        |error| error.to_string().contains("larger than 50 MB"),
    )
    .await;
}

#[tokio::test]
async fn nothing_that_steps_leave_in_git_is_run_or_read() {
    let host = Host::new();
    let copy = checkout(&host).await;
    let (tree, witness) = (copy.tree(), host.scratch("witness"));
    let script = tree.join("evil.sh");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let evil = script.display().to_string();
    for key in ["core.fsmonitor", "filter.lfs.clean", "diff.evil.command", "diff.evil.textconv"] {
        git(&tree, &["config", key, &evil], "");
    }
    git(&tree, &["config", "filter.lfs.required", "true"], "");
    std::fs::create_dir_all(tree.join(".git/hooks")).unwrap();
    for hook in ["pre-commit", "post-index-change", "reference-transaction"] {
        std::fs::copy(&script, tree.join(".git/hooks").join(hook)).unwrap();
    }
    std::fs::write(tree.join(".git/info/exclude"), "*\n").unwrap();
    std::fs::write(tree.join(".git/info/attributes"), "* filter=lfs diff=evil\n").unwrap();
    write(&copy, "README", "changed\n");
    let diff = copy.changes().await.unwrap().diff.unwrap();
    assert_eq!(diff.files().len(), 2);
    assert!(!witness.exists(), "a program of a step was run");

    // Not even a repository, or one that points elsewhere.
    std::fs::remove_dir_all(tree.join(".git")).unwrap();
    std::fs::write(tree.join(".git"), "gitdir: /etc\n").unwrap();
    assert_eq!(copy.changes().await.unwrap().diff.unwrap(), diff);
}

#[tokio::test]
async fn pipes_and_locked_folders_stop_nothing() {
    let host = Host::new();
    let copy = checkout(&host).await;
    let script = "mkfifo pipe && mkdir -p locked/in && touch locked/in/x && echo target >> \
                  .gitignore && mkdir target && mv locked target && chmod 0 target/locked/in";
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .current_dir(copy.tree())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(copy.changes().await.unwrap().diff.unwrap().files().len(), 1);
    copy.remove().await.unwrap();
    assert!(!host.scratch("wc").exists());
}

#[tokio::test]
async fn a_link_that_leads_out_of_the_base_commit_is_not_followed() {
    let host = Host::new();
    host.repository("acme/web", FILES);
    let outside = host.scratch("outside");
    std::fs::create_dir(&outside).unwrap();
    let id = git_with(
        &host.path("acme/web"),
        &[],
        &["hash-object", "-w", "--stdin"],
        outside.display().to_string().as_bytes(),
    )
    .unwrap();
    let base = host.commit_entries("acme/web", "main", format!("120000 blob {id}\tout\0"));
    let mirror = host.mirror("acme/web").await;
    let copy = mirror.checkout(&base, &host.scratch("wc")).await.unwrap();
    // A step that writes through the link writes outside of the tree: no diff comes of it.
    std::fs::write(copy.tree().join("out/file"), "x").unwrap();
    assert_eq!(copy.changes().await.unwrap().diff, None);
    copy.remove().await.unwrap();
    assert!(outside.join("file").exists());
}
