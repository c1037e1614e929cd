//! The trees, one by one.

use super::{
    Outcome::{self, Files, Refused},
    Tree,
};

/// Scripts that leave something for which git itself starts a program, given the tree.
pub(super) const ARMED: [&str; 3] = [
    "repo sub; arm sub",
    "repo sub; git -C sub checkout -q --detach; arm sub",
    "repo sub; arm sub; mkdir .git/modules; mv sub/.git .git/modules/sub
     echo 'gitdir: ../.git/modules/sub' >sub/.git",
];

const NOTHING: Outcome = Files(&[]);
const README: Outcome = Files(&[("README", Some("two"))]);

pub(super) fn trees() -> Vec<Tree> {
    let groups =
        [submodules(), repositories(), top(), indexes(), kinds(), links(), sizes(), rules()];
    let all = groups.into_iter().flatten();
    all.map(|(name, script, outcome)| Tree { name, script, outcome }).collect()
}

type Row = (&'static str, &'static str, Outcome);

fn submodules() -> Vec<Row> {
    vec![
        ("submodule, armed", ARMED[0], NOTHING),
        ("submodule, armed, detached", ARMED[1], NOTHING),
        ("submodule, armed, absorbed", ARMED[2], NOTHING),
        (
            "submodule with an unborn branch",
            "git init -q sub; arm sub",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule with a forged commit",
            "repo sub; arm sub; printf '%040d' 1 >sub/.git/HEAD",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule with a repository outside",
            "repo \"$OUT/x\"; echo \"gitdir: $OUT/x/.git\" >sub/.git; rm -r \"$OUT/x\"",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule with a repository above",
            "echo 'gitdir: ../../../outside' >sub/.git",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule with a linked repository",
            "repo x; arm x; mv x/.git .git/x; rm -r x; ln -s ../.git/x sub/.git",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule whose HEAD is a link",
            "repo sub; arm sub; mv sub/.git/HEAD sub/.git/x; ln -s x sub/.git/HEAD",
            Refused("the submodule `sub` was moved"),
        ),
        (
            "submodule whose HEAD is a pipe",
            "repo sub; rm sub/.git/HEAD; mkfifo sub/.git/HEAD",
            Refused("the submodule `sub` was moved"),
        ),
        ("files in a submodule", "echo x >sub/x; echo two >README", README),
        ("submodule as a link", "rmdir sub; ln -s \"$OUT\" sub", Refused("points out")),
    ]
}

fn repositories() -> Vec<Row> {
    const OWN: Outcome = Refused("is a git repository of its own");
    vec![
        ("repository without a commit", "git init -q inner; arm inner", OWN),
        ("repository with a commit", "repo inner; arm inner", OWN),
        ("repository in a folder of the base", "repo a; arm a", OWN),
        ("repository of nothing", "mkdir -p inner/.git", OWN),
        ("`.git` as a file", "mkdir inner; echo 'gitdir: ../.git' >inner/.git", OWN),
        ("`.git` as a link", "mkdir inner; ln -s ../.git inner/.git", OWN),
        ("`.git` as a pipe", "mkdir inner; mkfifo inner/.git", OWN),
        ("ignored repository", "mkdir ignored; repo ignored/x; arm ignored/x", NOTHING),
        (
            "bare repository in plain sight",
            "mkdir -p x/objects x/refs; echo 'ref: refs/heads/x' >x/HEAD
             printf '[core]\\n\\tfsmonitor = touch %s\\n' /x >x/config",
            Files(&[
                ("x/HEAD", Some("ref: refs/heads/x")),
                ("x/config", Some("[core]\n\tfsmonitor = touch /x")),
            ]),
        ),
        ("`.GIT`", "repo x; mv x/.git x/.GIT; arm x", Refused("leads into `.git`")),
        ("`.gIt` as a file", "echo x >a/.gIt", Refused("leads into `.git`")),
        ("`git~1`", "mkdir 'git~1'; echo x >'git~1/config'", Refused("leads into `.git`")),
        ("`.git.`", "mkdir .git.; echo x >.git./config", Refused("leads into `.git`")),
        ("`.git `", "mkdir '.git '; echo x >'.git /config'", Refused("leads into `.git`")),
        (
            "`.git::$INDEX_ALLOCATION`",
            "mkdir '.git::$INDEX_ALLOCATION'; echo x >'.git::$INDEX_ALLOCATION/config'",
            Refused("leads into `.git`"),
        ),
        (
            "`.git` with a character that some systems do not see",
            "d=$(printf '.g\\342\\200\\214it'); mkdir \"$d\"; echo x >\"$d/config\"",
            Refused("leads into `.git`"),
        ),
        ("new `.gitmodules`", "echo x >a/.gitmodules", Refused("`.gitmodules`")),
    ]
}

/// What steps do to the repository that they were given.
fn top() -> Vec<Row> {
    vec![
        ("no repository", "rm -rf .git; echo two >README", README),
        (
            "a file for a repository",
            "rm -rf .git; echo 'gitdir: /etc' >.git; echo two >README",
            README,
        ),
        ("a link for a repository", "rm -rf .git; ln -s \"$OUT\" .git; echo two >README", README),
        ("a pipe for a repository", "rm -rf .git; mkfifo .git; echo two >README", README),
        ("alternates", "echo \"$OUT\" >.git/objects/info/alternates; echo two >README", README),
        ("common folder", "echo \"$OUT\" >.git/commondir; echo two >README", README),
        (
            "replaced objects",
            "git replace -f HEAD^{tree} HEAD^{tree} 2>&1 || true
            git replace -f HEAD:README HEAD:tool; echo two >README",
            README,
        ),
        ("grafts", "echo x >.git/info/grafts; echo x >.git/shallow; echo two >README", README),
        (
            "excludes",
            "echo '*' >.git/info/exclude; echo two >README; echo x >x",
            Files(&[("README", Some("two")), ("x", Some("x"))]),
        ),
        ("a broken configuration", "echo '[' >.git/config; echo two >README", README),
        (
            "a configuration for one work tree",
            "git config extensions.worktreeConfig true
             printf '[core]\\n\\tfsmonitor = touch %s\\n' \"$W\" >.git/config.worktree
             echo two >README",
            README,
        ),
        ("everything committed", "echo two >README; git commit -qam x", README),
        (
            "another branch",
            "git checkout -q --orphan x; git rm -q --cached -r .; echo two >README",
            README,
        ),
    ]
}

/// What steps do to the index that they were given.
fn indexes() -> Vec<Row> {
    const FORCED: Outcome = Files(&[("x.log", Some("x"))]);
    vec![
        ("added by force", "echo x >x.log; git add -f x.log", FORCED),
        ("added by force, changed later", "echo y >x.log; git add -f x.log; echo x >x.log", FORCED),
        (
            "added by force, with an index of version 4",
            "git config index.version 4; rm .git/index; git reset -q; echo x >x.log
             git add -f x.log; test \"$(head -c 8 .git/index | tail -c 1 | od -An -tu1)\" -eq 4",
            FORCED,
        ),
        (
            "added by force in an ignored folder",
            "mkdir -p ignored/x; echo x >ignored/x/y; echo z >ignored/z; git add -f ignored/x/y",
            Files(&[("ignored/x/y", Some("x"))]),
        ),
        ("added by force and gone", "echo x >x.log; git add -f x.log; rm x.log", NOTHING),
        ("a pipe for an index", "rm .git/index; mkfifo .git/index; echo two >README", README),
        ("a link for an index", "ln -sf \"$OUT/secret\" .git/index; echo two >README", README),
        ("no index", "rm .git/index; echo two >README", README),
        ("noise for an index", "echo noise >.git/index; echo two >README", README),
        ("a huge index", "truncate -s 1500M .git/index; echo two >README", README),
        (
            "an index that says too much",
            "printf 'DIRC\\000\\000\\000\\002\\377\\377\\377\\377' >.git/index; echo two >README",
            README,
        ),
        (
            "an index that ends too early",
            "head -c 100 .git/index >x; mv x .git/index; echo two >README",
            README,
        ),
        ("a split index", "git update-index --split-index; echo two >README", README),
        (
            "a file that git shall not look at",
            "git update-index --assume-unchanged README; git update-index --skip-worktree tool
             echo two >README",
            README,
        ),
        (
            "a change that hides its time",
            "touch -r README x; echo two >README; touch -r x README; rm x",
            README,
        ),
        (
            "a sparse checkout",
            "git sparse-checkout set --no-cone a sub",
            Files(&[(".gitignore", None), ("README", None), ("kept.log", None), ("tool", None)]),
        ),
    ]
}

fn kinds() -> Vec<Row> {
    vec![
        ("a pipe", "mkfifo pipe; echo two >README", README),
        (
            "a pipe for a file",
            "rm README; mkfifo README",
            Refused("`README` is a file of the base"),
        ),
        ("a device, where one can be made", "mknod x c 1 3 || true; echo two >README", README),
        (
            "a folder for a file",
            "rm README; mkdir README; echo x >README/x",
            Files(&[("README", None), ("README/x", Some("x"))]),
        ),
        ("a file for a folder", "rm -r a; echo x >a", Files(&[("a", Some("x")), ("a/b/c", None)])),
        ("a file for a submodule", "rmdir sub; echo two >README; mkdir sub", README),
        ("a hard link", "ln README x", Files(&[("x", Some("one"))])),
        ("a hard link to a file outside", "ln \"$OUT/secret\" x", Files(&[("x", Some("secret"))])),
        (
            "a hard link to the index",
            "ln .git/HEAD x",
            Files(&[("x", Some("ref: refs/heads/main"))]),
        ),
        ("an executable", "chmod +x tool", Files(&[("tool", Some("#!/bin/sh"))])),
        (
            "odd permissions",
            "chmod 4777 tool; chmod 4755 tool; chmod a-x tool; echo two >README",
            README,
        ),
        ("touched files", "touch README a/b/c; cp tool x; mv x tool", NOTHING),
        ("an empty folder", "mkdir -p x/y/z", NOTHING),
        ("a line break in a name", "echo x >\"$(printf 'x\\ny')\"", Refused(r"`x\ny` is refused")),
        ("a name for a terminal", "echo x >\"$(printf '\\033[2J')\"", Refused("control character")),
        ("a name that is not UTF-8", "echo x >\"$(printf '\\377')\"", Refused("not UTF-8")),
        ("a backslash", "echo x >'..\\x'", Refused("backslash")),
        ("a drive", "echo x >C:x", Refused("absolute")),
        ("a bad name that is ignored", "echo x >'..\\x.log'; echo two >README", README),
    ]
}

fn links() -> Vec<Row> {
    vec![
        ("a link out", "ln -s \"$OUT/secret\" x", Refused("points out")),
        ("a link up", "ln -s ../../x a/x", Refused("points out")),
        ("a link into `.git`", "ln -s .git/config x", Refused("points out")),
        ("a link for a file", "rm README; ln -s \"$OUT/secret\" README", Refused("points out")),
        ("a link for a folder", "rm -r a; ln -s \"$OUT\" a", Refused("points out")),
        (
            "a link for a folder, inside",
            "mv a d; ln -s d a",
            Files(&[("a", Some("d")), ("a/b/c", None), ("d/b/c", Some("deep"))]),
        ),
        ("a link that leads nowhere", "ln -s nowhere x", Files(&[("x", Some("nowhere"))])),
        ("a link to itself", "ln -s x x", Files(&[("x", Some("x"))])),
        ("an ignored link out", "ln -s \"$OUT\" x.log; echo two >README", README),
    ]
}

fn sizes() -> Vec<Row> {
    vec![
        ("a huge file of holes", "truncate -s 1500M big", Refused("`big` has 1572864000 bytes")),
        ("a file that grew by holes", "truncate -s 1500M README", Refused("`README` has")),
        ("a huge file that is ignored", "truncate -s 1500M big.log; echo two >README", README),
        (
            "many files of holes",
            "for i in 1 2 3; do truncate -s 7M big$i; done",
            Refused("more than 16777216 bytes together"),
        ),
        (
            "a deep folder",
            "p=x; for i in $(seq 45); do p=$p/x; done; mkdir -p $p; echo x >$p/x",
            Refused("more than 40 folders deep"),
        ),
        (
            "a deep folder that is ignored",
            "p=ignored; for i in $(seq 45); do p=$p/x; done; mkdir -p $p; echo x >$p/x",
            NOTHING,
        ),
        (
            "many files",
            "mkdir x; cd x; seq 3100 | xargs touch",
            Refused("more than 3000 files and folders"),
        ),
        (
            "many folders",
            "mkdir x; cd x; for i in $(seq 60); do (mkdir $i; cd $i; seq 60 | xargs mkdir); done",
            Refused("more than 3000 files and folders"),
        ),
        (
            "many files that are ignored",
            "mkdir ignored; cd ignored; seq 3100 | xargs touch",
            NOTHING,
        ),
    ]
}

fn rules() -> Vec<Row> {
    vec![
        (
            "rules as a link",
            "echo x >x; ln -s ../x a/.gitignore; echo '*' >x",
            Files(&[("a/.gitignore", Some("../x")), ("x", Some("*"))]),
        ),
        ("rules as a pipe", "mkfifo a/.gitignore; echo two >README", README),
        (
            "rules without an end",
            "truncate -s 3M a/.gitignore",
            Refused("with `a/.gitignore`, the files of rules have more"),
        ),
        (
            "rules that ask for `.git`",
            "printf '!.git\\n!.git/**\\n!*\\n' >.gitignore; git rm -q --cached .gitignore
             git checkout -q HEAD -- .gitignore; echo two >README",
            README,
        ),
        (
            "rules that ignore what is tracked",
            "printf '*\\n' >a/.gitignore; echo deeper >a/b/c; echo x >a/b/d",
            Files(&[("a/b/c", Some("deeper"))]),
        ),
        (
            "rules that take back",
            "printf '*.txt\\n!b.txt\\n' >a/.gitignore; touch a/a.txt a/b.txt a/x.log",
            Files(&[("a/.gitignore", Some("*.txt\n!b.txt")), ("a/b.txt", Some(""))]),
        ),
        (
            "rules that take time",
            "n=$(printf 'a%.0s' $(seq 200)); mkdir -p a/$n/$n/$n; touch a/$n/$n/$n/$n
             echo '*' >a/.gitignore; i=0; while [ $i -lt 20 ]; do
             printf '**/*a*a*a*a*a*a*a*a*a*b/'; i=$((i+1)); done >>a/.gitignore",
            NOTHING,
        ),
        (
            "rules beside each other",
            "mkdir x y; echo '*' >x/.gitignore; touch x/x y/y",
            Files(&[("y/y", Some(""))]),
        ),
    ]
}
