//! Names, addresses, diffs and repositories that mean harm.

use super::support::{Host, addition, branch, commit, git, git_with, parsed};
use drover_server::git::{
    error::GitError,
    patch::{Diff, DiffError},
    path::RepoPath,
    remote::GitBase,
};

const PATHS: &[&[u8]] = &[
    b"",
    b"/",
    b"/etc/passwd",
    b"//x",
    b"..",
    b".",
    b"../x",
    b"a/..",
    b"a/../b",
    b"a/./b",
    b"./a",
    b"a//b",
    b"a/",
    b"a/b/../../../c",
    b".git",
    b".git/",
    b".git/config",
    b"a/.git",
    b"a/.git/hooks/pre-commit",
    b".GIT",
    b".Git/config",
    b".gIt/x",
    b".git.",
    b".git..",
    b".git ",
    b".git . .",
    b".git. /x",
    b"a/.git /config",
    b"git~1",
    b"GIT~1",
    b"git~1/config",
    b"git~2",
    b"git~10",
    b"GiT~1/x",
    b"a/git~1/hooks",
    b"git~1.",
    b"git~1 ",
    b".git:x",
    b".git::$INDEX_ALLOCATION",
    b".git::$INDEX_ALLOCATION/config",
    b".git:$DATA",
    b"git~1:x",
    ".g\u{200c}it".as_bytes(),
    ".gi\u{200d}t/config".as_bytes(),
    "\u{feff}.git".as_bytes(),
    ".git\u{200b}".as_bytes(),
    ".\u{200e}git".as_bytes(),
    ".g\u{200f}it".as_bytes(),
    ".\u{202a}git".as_bytes(),
    ".g\u{202e}it".as_bytes(),
    ".gi\u{206a}t".as_bytes(),
    ".git\u{206f}".as_bytes(),
    "a/.g\u{200c}IT/x".as_bytes(),
    ".g\u{ad}it".as_bytes(),
    ".git\u{2060}".as_bytes(),
    ".gi\u{fe0f}t".as_bytes(),
    b".gitmodules",
    b"a/.gitmodules",
    b".GITMODULES",
    b".gitmodules ",
    b"gitmod~1",
    b"GITMOD~4",
    b".gitmodules:x",
    ".gitm\u{200c}odules".as_bytes(),
    b"a\nb",
    b"a\r",
    b"\r",
    b"a\r/b",
    b"\n",
    b"a\0b",
    b"\0",
    b"a\tb",
    b"\x1b[2J",
    b"a\x07",
    b"a\x7f",
    "a\u{85}b".as_bytes(),
    "a\u{2028}".as_bytes(),
    "a\u{2029}b".as_bytes(),
    b"a\\b",
    b"..\\x",
    b"\\\\host\\share",
    b".git\\config",
    b"a\\..\\b",
    b"C:",
    b"C:/x",
    b"c:\\x",
    b"z:x",
    b"\xff",
    b"a/\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x28\x8c\xbc",
    &[b'a'; 256],
    &[b'a'; 5_000],
    b"a/.git/modules/x/config",
    b"a/b/c/../../.git",
];

#[test]
fn hostile_paths_are_refused() {
    for path in PATHS {
        let shown = String::from_utf8_lossy(path);
        assert!(RepoPath::parse(path).is_err(), "{shown:?} should be refused");
    }
}

#[test]
fn hostile_addresses_are_refused() {
    let addresses = [
        "",
        "x",
        "/srv/git",
        "../x",
        "--upload-pack=touch /tmp/x",
        "-u",
        "ext::sh -c id",
        "ext::sh",
        "ssh://-oProxyCommand=id/x",
        "ssh://host/x",
        "git@host:x",
        "git://host/x",
        "ftp://host/x",
        "fd::17",
        "javascript:1",
        "data:text/plain,x",
        "HTTPS://user@host",
        "https://u:p@host",
        "https://:p@host",
        "https://host/?x",
        "https://host/#x",
        "https://",
        "https:///x?y",
        "https://-host/",
        "https://host/../x",
        "https://host/a/..",
        "https://host/%2e%2e/x",
        "https://host/%2E%2E",
        "https://host/a%2fb",
        "https://host/a%0ab",
        "https://host/a%0d",
        "https://host/%00",
        "https://host/%5cx",
        "https://host\\x",
        "https://host/a b",
        "https://host/\n",
        "https://ho\nst",
        "\thttps://host",
        "https://host\r",
        " https://host",
        "https://host/a\u{85}",
        "file://host/x",
        "file:///a/../b",
        "file:///a%00",
        "http://host:99999",
        "https://[::1",
        "https://ho st",
        "transport::https://host",
        "https::https://host",
        "https://host/\u{2028}",
    ];
    for address in addresses {
        assert!(GitBase::parse(address).is_err(), "{address:?} should be refused");
    }
}

/// A diff of one file with these lines at its head.
fn headed(path: &str, head: &str) -> String {
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let head = head.replace("ONE", &one).replace("TWO", &two).replace("ZERO", &"0".repeat(40));
    format!("diff --git a/{path} b/{path}\n{head}")
}

const CHANGE: &str = "index ONE..TWO 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

#[test]
fn a_diff_that_git_would_not_write_is_refused() {
    let good = headed("x", CHANGE);
    assert!(Diff::parse(good.clone().into_bytes()).is_ok());
    let without = |what: &str| good.replace(what, "");
    let with = |what: &str, instead: &str| good.replace(what, instead);
    for bad in [
        "garbage\n".to_owned(),
        format!("garbage\n{good}"),
        format!("{good}garbage\n"),
        format!("{good}\n"),
        good.trim_end().to_owned(),
        without("+b\n"),
        without("-a\n"),
        without("--- a/x\n"),
        without("@@ -1 +1 @@\n"),
        with("--- a/x", "--- a/y"),
        with("--- a/x", "--- /dev/null"),
        with("+++ b/x", "+++ b/../x"),
        with("+++ b/x", "+++ /etc/passwd"),
        with("a/x b/x", "a/x b/y"),
        with("a/x b/x", "x x"),
        with("@@ -1 +1 @@", "@@ -1 +1,9 @@"),
        with("@@ -1 +1 @@", "@@ -1,99999999999 +1 @@"),
        with("@@ -1 +1 @@", "@@ -1 +1 @@@"),
        with("@@ -1 +1 @@", "@@ -0,0 +0,0 @@"),
        with("-a\n+b\n", "-a\n+b\n\\ sneaky\n"),
        with("100644", "100644 100755"),
        with("100644", "0100644"),
        with(" 100644", ""),
        with(&"1".repeat(40), &"1".repeat(7)),
        with(&"1".repeat(40), &"1".repeat(39)),
        with(&"2".repeat(40), &"1".repeat(40)),
        with(&"1".repeat(40), &"G".repeat(40)),
        with(&"1".repeat(40), &"0".repeat(40)),
        headed("x", "similarity index 100%\nrename from x\nrename to .git/config\n"),
        headed("x", "copy from y\ncopy to x\n"),
        headed("x", "new file mode 100644\nindex ONE..TWO\n"),
        headed("x", "deleted file mode 100644\nindex ONE..TWO\n"),
        headed("x", "old mode 100644\nnew mode 120000\n"),
        headed("x", "old mode 100644\n"),
        headed("x", "index ONE..TWO 100644\nBinary files a/x and b/x differ\n"),
        headed("x", "index ONE..TWO 100644\nGIT binary patch\nliteral 3\n\n"),
        headed("x", "index ONE..TWO 100644\nGIT binary patch\nliteral x\n\nliteral 0\n\n"),
        headed("x", "index ONE..TWO 100644\nGIT binary patch\nexec 3\n\nliteral 0\n\n"),
        headed("x", "index ONE..TWO 100644\nGIT binary patch\nliteral 3\n\"'\n\nliteral 0\n\n"),
    ] {
        let done = Diff::parse(bad.clone().into_bytes());
        let refused = matches!(done, Err(DiffError::Syntax { .. } | DiffError::Mode { .. }));
        assert!(refused, "{bad}\n{done:?}");
    }
}

type IsRight = fn(&DiffError) -> bool;

#[test]
fn a_diff_that_means_harm_is_refused_by_name() {
    let file = |path: &str| addition(path, "100644", "x\n");
    let link = |path: &str, target: &str| addition(path, "120000", target);
    let rows: Vec<(String, IsRight)> = vec![
        (file("../x"), |it| matches!(it, DiffError::Path { .. })),
        (file(".git/hooks/post-checkout"), |it| matches!(it, DiffError::Path { .. })),
        (file("a/.GIT/config"), |it| matches!(it, DiffError::Path { .. })),
        (file("git~1/config"), |it| matches!(it, DiffError::Path { .. })),
        (file(".gitmodules"), |it| matches!(it, DiffError::Path { .. })),
        (file("a\rb"), |it| matches!(it, DiffError::Path { .. })),
        (file("sub\r/x"), |it| matches!(it, DiffError::Path { .. })),
        (
            headed("x", "new file mode 100644\nindex ZERO..TWO\n")
                .replace("a/x b/x", r#""a/x\n" "b/x\n""#),
            |it| matches!(it, DiffError::Path { path, .. } if path == "x\\n"),
        ),
        (headed("x", CHANGE).replace("a/x b/x", r#""a/\056git/x" "b/\056git/x""#), |it| {
            matches!(it, DiffError::Path { .. })
        }),
        (headed("x", "new file mode 160000\nindex ZERO..TWO\n"), |it| {
            matches!(it, DiffError::Submodule { .. })
        }),
        (headed("x", "index ONE..TWO 160000\n"), |it| matches!(it, DiffError::Submodule { .. })),
        (headed("x", "old mode 160000\nnew mode 100644\n"), |it| {
            matches!(it, DiffError::Submodule { .. })
        }),
        (headed("x", "new file mode 040000\nindex ZERO..TWO\n"), |it| {
            matches!(it, DiffError::Mode { .. })
        }),
        (headed("x", "new file mode 100666\nindex ZERO..TWO\n"), |it| {
            matches!(it, DiffError::Mode { .. })
        }),
        (headed("x", "old mode 100644\nnew mode 104755\n"), |it| {
            matches!(it, DiffError::Mode { .. })
        }),
        (link("a", "/etc/passwd"), |it| matches!(it, DiffError::Link { .. })),
        (link("a", "../x"), |it| matches!(it, DiffError::Link { .. })),
        (link("a/b", "../../x"), |it| matches!(it, DiffError::Link { .. })),
        (link("a", ".git"), |it| matches!(it, DiffError::Link { .. })),
        (link("a", "b\n"), |it| matches!(it, DiffError::Link { .. })),
        (headed("a", "new file mode 120000\nindex ZERO..TWO\n"), |it| {
            matches!(it, DiffError::Link { .. })
        }),
        (
            headed(
                "a",
                "new file mode 120000\nindex ZERO..TWO\nGIT binary patch\nliteral 1\n\n\
                      literal 0\n\n",
            ),
            |it| matches!(it, DiffError::Link { .. }),
        ),
        (format!("{}{}", link("a", "b"), file("a/x")), |it| {
            matches!(it, DiffError::BelowFile { .. })
        }),
        (format!("{}{}", file("a/b/x"), file("a")), |it| matches!(it, DiffError::BelowFile { .. })),
        (file("a").repeat(2), |it| matches!(it, DiffError::Twice { .. })),
        (format!("{}{}", headed("x", CHANGE), addition("x", "100644", "y")), |it| {
            matches!(it, DiffError::Twice { .. })
        }),
    ];
    for (text, is_right) in rows {
        let error = Diff::parse(text.clone().into_bytes()).expect_err(&text);
        assert!(is_right(&error), "{text}\n{error:?}");
    }
    let big = vec![b'x'; (50 << 20) + 1];
    assert!(matches!(Diff::parse(big), Err(DiffError::TooLarge { .. })));
}

#[tokio::test]
async fn a_file_below_a_link_of_the_base_is_refused() {
    let host = Host::new();
    host.repository("acme/web", &[("README", "x")]);
    let path = host.path("acme/web");
    let id = git(&path, &["hash-object", "-w", "--stdin"], "/tmp");
    let base = host.commit_entries("acme/web", "main", format!("120000 blob {id}\tout\0"));
    let diff = parsed(&addition("out/x", "100644", "x\n"));
    let done = commit(&host.mirror("acme/web").await, &base, &diff).await;
    let refused = matches!(done, Err(GitError::DoesNotApply { .. } | GitError::Mismatch { .. }));
    assert!(refused, "{done:?}");
}

/// Writes trees that git itself would not make.
fn raw_tree(host: &Host, entries: &[(&str, &[u8], &str)]) -> String {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
        let bytes = id.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        tree.extend(bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap()));
    }
    let args = ["hash-object", "-w", "-t", "tree", "--literally", "--stdin"];
    git_with(&host.path("acme/web"), &[], &args, &tree).unwrap()
}

#[tokio::test]
async fn hostile_trees_are_refused_or_harmless() {
    let names: [&[u8]; 13] = [
        b".git",
        b".GIT",
        b".git ",
        b".git.",
        b"git~1",
        b"..",
        b".",
        b"a/b",
        b"../../x",
        b"/etc",
        ".g\u{200c}it".as_bytes(),
        b".git::$INDEX_ALLOCATION",
        b"",
    ];
    for name in names {
        let host = Host::new();
        host.repository("acme/web", &[("README", "x")]);
        let blob = git(&host.path("acme/web"), &["hash-object", "-w", "--stdin"], "evil\n");
        let inner = raw_tree(&host, &[("100644", b"config", &blob)]);
        let tree = raw_tree(&host, &[("40000", name, &inner)]);
        let base = host.commit_tree("acme/web", "main", &tree);
        let done = host.mirror("acme/web").await.checkout(&base, &host.scratch("in/wc")).await;
        let shown = String::from_utf8_lossy(name);
        assert!(done.is_err(), "{shown:?} was checked out");
        assert!(!host.scratch("in/wc/tree/.git/hooks").exists());
        assert!(!host.scratch("in/wc/x").exists() && !host.scratch("in/x").exists(), "{shown:?}");
    }
}

#[tokio::test]
async fn submodules_filters_and_links_of_a_repository_do_nothing() {
    let host = Host::new();
    let main = host.repository("acme/web", &[("README", "x")]);
    let path = host.path("acme/web");
    let witness = host.scratch("witness");
    let modules = format!(
        "[submodule \"x\"]\n\tpath = sub\n\turl = ext::touch {}\n\tupdate = !touch {}\n",
        witness.display(),
        witness.display()
    );
    let blob = |text: &str| git(&path, &["hash-object", "-w", "--stdin"], text);
    let entries = format!(
        "100644 blob {}\t.gitattributes\0100644 blob {}\t.lfsconfig\0160000 commit {main}\tsub\0\
         120000 blob {}\tlink\0100644 blob {}\tfile\0",
        blob("* filter=lfs diff=evil merge=evil text eol=crlf\n"),
        blob("[lfs]\n\turl = http://127.0.0.1:1/\n"),
        blob("/etc/passwd"),
        blob("version https://git-lfs.github.com/spec/v1\n"),
    );
    let base = host.commit_entries("acme/web", "main", &entries);
    let mirror = host.mirror("acme/web").await;
    let copy = mirror.checkout(&base, &host.scratch("wc")).await.unwrap();
    assert_eq!(copy.changes().await.unwrap().diff, None);
    assert_eq!(std::fs::read_dir(copy.tree().join("sub")).unwrap().count(), 0);
    let modules_id = blob(&modules);
    let with_modules = format!("{entries}100644 blob {modules_id}\t.gitmodules\0");
    let base = host.commit_entries("acme/web", "main", &with_modules);
    // Git's own check of what it fetches may refuse it; nothing may be run.
    let _ = mirror.checkout(&base, &host.scratch("wc2")).await;
    assert!(!witness.exists());
}

#[tokio::test]
async fn branches_that_look_like_options_are_no_branches() {
    for name in [
        "--upload-pack=touch x",
        "-u",
        "--all",
        "--delete",
        "-f",
        "a b",
        "a:b",
        ":a",
        "+a",
        "a..b",
        "a^{}",
        "@{-1}",
        "HEAD",
        "refs/heads/*",
        "a\nb",
        "",
        "a.lock",
        "/a",
        "a//b",
        "a~1",
        "@",
    ] {
        let is_branch = name.parse::<drover::names::BranchName>().is_ok();
        assert!(!is_branch || name == "+a", "{name:?}");
    }
    let host = Host::new();
    host.repository("acme/web", &[("README", "x")]);
    let plus = host.mirror("acme/web").await.fetch_branch(&branch("+a")).await;
    assert!(matches!(plus, Err(GitError::NotFound { .. })), "{plus:?}");
}
