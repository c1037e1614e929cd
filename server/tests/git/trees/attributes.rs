//! `.gitattributes`: what is written into a tree and what is committed of it, against plain git.

use super::{
    Outcome::{Files, Refused},
    Yard,
};
use crate::git::support::git;
use std::process::Command;

const BASE: [(&[u8], &str); 17] = [
    (
        b".gitattributes",
        "* text=auto\n*.bat eol=crlf\n*.sh text eol=lf\n*.bin -text\n*.old crlf\n\
         *.u16 text working-tree-encoding=UTF-16LE-BOM eol=crlf\n\
         *.latin working-tree-encoding=ISO-8859-1\n*.jis working-tree-encoding=SHIFT-JIS\n\
         *.id ident\n[attr]win text eol=crlf\n*.ini win\n*.dat binary\ndoc/*.txt -text\n",
    ),
    (b"run.bat", "echo 1\n"),
    (b"mixed.bat", "a\r\nb\n"),
    (b"crlf.bat", "a\r\nb\r\n"),
    (b"crlf.txt", "a\r\nb\r\n"),
    (b"lf.txt", "a\nb\n"),
    (b"x.sh", "a\n"),
    (b"x.u16", "h\u{e9}\n\u{1f600}\n"),
    (b"x.latin", "h\u{e9}\n"),
    (b"x.jis", "\u{3042}\n"),
    (b"x.id", "$Id$\n"),
    (b"x.ini", "a\nb\n"),
    (b"x.bin", "a\r\n\0"),
    (b"d/.gitattributes", "*.md -text\nb.md text\n"),
    (b"d/a.md", "a\r\n"),
    (b"d/b.md", "b\n"),
    (b"d/e/x.ini", "a\n"),
];

const SCRIPTS: [&str; 32] = [
    "true",
    "touch run.bat crlf.txt lf.txt x.u16 x.latin x.ini x.bin",
    "printf 'echo 2\\r\\n' >new.bat",
    "printf 'echo 2\\n' >new.bat",
    "printf 'echo 2\\r\\n' >run.bat",
    "printf 'echo 2\\n' >run.bat",
    "printf 'c\\r\\n' >>crlf.txt",
    "printf 'c\\n' >>crlf.txt",
    "printf 'a\\n' >crlf.txt",
    "printf 'x\\r\\ny\\n' >lf.txt",
    "printf 'x\\r\\ny\\n' >new.txt",
    "printf 'x\\r\\n\\000' >new.txt",
    "printf 'x\\r\\ny\\r' >new.txt",
    "printf 'x\\r\\n' >x.sh; printf 'x\\r\\n' >new.sh",
    "printf 'x\\r\\n' >x.bin; printf 'x\\r\\n' >new.bin; printf 'x\\r\\n' >new.dat",
    "printf 'x\\r\\n' >new.old",
    "printf '\\377\\376a\\000\\r\\000\\n\\000' >x.u16; cp x.u16 new.u16",
    "cp x.u16 y.u16; cp x.latin y.latin; cp x.jis y.jis",
    "printf 'h\\351llo\\r\\n' >x.latin; printf '\\374' >new.latin",
    "printf '\\202\\240\\202\\242' >x.jis",
    "printf '$Id: abc $\\n$Id: x\\n' >x.id; printf '$Id: abc $' >new.id; printf '$Id: a $' >x.txt",
    "printf 'a\\r\\nc\\r\\n' >x.ini; printf 'a\\r\\n' >d/new.ini",
    "mkdir doc; printf 'a\\r\\n' >doc/x.txt; printf 'a\\r\\n' >doc/x.c",
    "printf 'b\\r\\n' >d/a.md; printf 'b\\r\\n' >d/b.md; printf 'b\\r\\n' >d/c.md",
    "echo '*.txt -text' >>.gitattributes; printf 'a\\r\\n' >new.txt",
    "echo '*.bat -text' >>.gitattributes; echo x >>run.bat",
    "echo '* -text' >d/e/.gitattributes; printf 'b\\r\\n' >d/e/x.ini",
    "printf '[attr]win -text\\n* win\\n' >d/e/.gitattributes; printf 'a\\r\\n' >d/e/y.c",
    "mv run.bat other.bat; mv x.u16 other.u16",
    "chmod +x run.bat x.u16",
    ": >x.u16; : >run.bat; : >new.latin",
    "printf 'c\\r\\n' >>mixed.bat; printf 'c\\r\\n' >>crlf.bat",
];

/// Runs a script in a clone that plain git made, and answers what it would commit.
fn plain(yard: &Yard, script: &str) -> String {
    let dir = yard.host.scratch("plain");
    let from = yard.host.path("acme/web").display().to_string();
    git(yard.host.dir.path(), &["clone", "-q", &from, "plain"], "");
    let done = Command::new("sh").args(["-euc", script]).current_dir(&dir).status().unwrap();
    assert!(done.success(), "{script}");
    git(&dir, &["add", "--all"], "");
    let tree = git(&dir, &["write-tree"], "");
    std::fs::remove_dir_all(dir).unwrap();
    tree
}

#[tokio::test]
async fn attributes_hold_as_with_plain_git() {
    let yard = Yard::of(&BASE).await;
    let mut faults = Vec::new();
    for script in SCRIPTS {
        let (copy, _) = yard.copy(script).await;
        let diff = copy.changes().await.unwrap_or_else(|error| panic!("{script}: {error}")).diff;
        let ours = yard.tree(diff.as_ref()).await;
        copy.remove().await.unwrap();
        let plain = plain(&yard, script);
        if ours != plain {
            let said = git(&yard.mirror_dir(), &["ls-tree", "-r", &ours], "");
            let from = yard.host.path("acme/web");
            faults.push(format!("{script}: not {plain} but {ours} in {from:?}:\n{said}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_checkout_has_the_line_ends_and_encodings_of_plain_git() {
    let yard = Yard::of(&BASE).await;
    let (copy, _) = yard.copy("true").await;
    let from = yard.host.path("acme/web").display().to_string();
    git(yard.host.dir.path(), &["clone", "-q", &from, "plain"], "");
    // Nobody needs the keyword in a tree that is thrown away.
    let script = "diff -r --exclude=.git --exclude='*.id' \"$1\" \"$2\"";
    let same = Command::new("sh")
        .args(["-c", script, "sh"])
        .args([copy.tree(), yard.host.scratch("plain")])
        .output()
        .unwrap();
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
    assert_eq!(git(&copy.tree(), &["status", "--porcelain"], ""), "");
}

#[tokio::test]
async fn what_needs_a_program_is_refused_by_name() {
    let attributes = "*.png filter=lfs diff=lfs merge=lfs -text\n*.key filter=git-crypt\n\
                      *.odd working-tree-encoding=klingon\n*.u16 working-tree-encoding=UTF-16\n";
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:\
                   4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let base: [(&[u8], &str); 4] = [
        (b".gitattributes", attributes),
        (b"old.png", pointer),
        (b"old.key", "secret"),
        (b"x.odd", "x"),
    ];
    let yard = Yard::of(&base).await;
    let mut faults = Vec::new();
    for (script, outcome) in [
        ("head -c 4000 /dev/zero >new.png", Refused("`new.png` belongs to Git LFS")),
        ("echo x >old.png", Refused("`old.png` belongs to Git LFS")),
        (
            "mv old.png moved.png; : >empty.png; sed -i s/12345/12346/ moved.png; mv moved.png old.png",
            Files(&[
                ("empty.png", Some("")),
                (
                    "old.png",
                    Some(
                        "version https://git-lfs.github.com/spec/v1\noid sha256:\
                4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12346",
                    ),
                ),
            ]),
        ),
        ("rm old.png old.key", Files(&[("old.key", None), ("old.png", None)])),
        ("touch old.png old.key x.odd", Files(&[])),
        ("echo x >new.key", Refused("`new.key` goes through the filter `git-crypt`")),
        (
            ": >.gitattributes; echo x >new.key",
            Files(&[(".gitattributes", Some("")), ("new.key", Some("x"))]),
        ),
        ("echo y >x.odd", Refused("`x.odd` has the encoding `klingon`")),
        ("echo y >y.u16", Refused("`y.u16` is not written as `.gitattributes` say")),
    ] {
        faults.extend(yard.check(script, script, &outcome).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
