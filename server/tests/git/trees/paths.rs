//! Paths that only the base may have: they may be changed and renamed, and they may go.

use super::{
    Outcome::{Files, Refused},
    Yard,
};

const BASE: [(&[u8], &str); 8] = [
    (b"units/dev-disk-by\\x2dlabel.mount", "What=x\n"),
    (b"units/plain.mount", "x\n"),
    (b"Icon\r", "x"),
    (b"C:x", "a\n"),
    (b"git~2", "a\n"),
    (b"caf\xe9", "latin\n"),
    (b"new\nline", "x\n"),
    (b".gitmodules", "[submodule \"lib\"]\n\tpath = sub\n\turl = git://example.org/lib.git\n"),
];

#[tokio::test]
async fn what_is_there_may_change_and_go() {
    let yard = Yard::of(&BASE).await;
    let mut faults = Vec::new();
    for (script, outcome) in [
        (
            "sed -i 's/What=x/What=y/' units/*.mount",
            Files(&[(r"units/dev-disk-by\x2dlabel.mount", Some("What=y"))]),
        ),
        ("rm units/dev*", Files(&[(r"units/dev-disk-by\x2dlabel.mount", None)])),
        ("find . -name \"$(printf 'Icon\\r')\" -delete", Files(&[("Icon\r", None)])),
        ("echo y >\"$(printf 'Icon\\r')\"", Files(&[("Icon\r", Some("y"))])),
        ("chmod +x \"$(printf 'new\\nline')\"", Files(&[("new\nline", Some("x"))])),
        (
            "echo b >>C:x; echo b >>'git~2'",
            Files(&[("C:x", Some("a\nb")), ("git~2", Some("a\nb"))]),
        ),
        ("rm C:x 'git~2'", Files(&[("C:x", None), ("git~2", None)])),
        ("echo y >\"$(printf 'caf\\351')\"", Files(&[("caf\u{fffd}", Some("y"))])),
        ("rm \"$(printf 'caf\\351')\"", Files(&[("caf\u{fffd}", None)])),
        (
            "mv \"$(printf 'caf\\351')\" cafe",
            Files(&[("caf\u{fffd}", None), ("cafe", Some("latin"))]),
        ),
        (
            "mv units system",
            Files(&[
                (r"system/dev-disk-by\x2dlabel.mount", Some("What=x")),
                ("system/plain.mount", Some("x")),
                (r"units/dev-disk-by\x2dlabel.mount", None),
                ("units/plain.mount", None),
            ]),
        ),
        ("cp -r units system", Refused("backslash")),
        ("mv C:x D:x", Refused("absolute")),
        (
            "sed -i 's#git://#https://#' .gitmodules",
            Files(&[(
                ".gitmodules",
                Some("[submodule \"lib\"]\n\tpath = sub\n\turl = https://example.org/lib.git"),
            )]),
        ),
        ("git rm -q sub", Files(&[(".gitmodules", Some("")), ("sub", None)])),
        ("rm -r sub .gitmodules", Files(&[(".gitmodules", None), ("sub", None)])),
        (
            "git mv sub moved",
            Files(&[
                (
                    ".gitmodules",
                    Some("[submodule \"lib\"]\n\tpath = moved\n\turl = git://example.org/lib.git"),
                ),
                ("moved", None),
                ("sub", None),
            ]),
        ),
        ("rmdir sub; echo x >sub", Files(&[("sub", Some("x"))])),
        ("git rm -q --cached sub; echo x >sub/x", Files(&[("sub", None), ("sub/x", Some("x"))])),
        ("repo sub; git -C sub commit -q --allow-empty -m x", Refused("was moved")),
        ("repo new", Refused("is a git repository of its own")),
        ("git init -q new", Refused("is a git repository of its own")),
    ] {
        faults.extend(yard.check(script, script, &outcome).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
