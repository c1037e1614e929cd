//! Trees that steps left to harm the server: what comes of each, and that nothing but git itself
//! ran for it.
//!
//! Every tree is laid full of canaries, commands that touch a file outside as soon as anybody
//! runs them. On top of that git writes down what it starts (its trace), which no tree can turn
//! off: reading a tree may start the few commands that are known to need no work tree, with no
//! work tree, and those may start nothing.

mod attributes;
mod commands;
mod paths;
mod table;

use super::support::{Host, commit, git, git_with};
use drover::names::CommitSha;
use drover_server::git::{
    GitConfig,
    mirror::{Mirror, Mirrors},
    patch::Diff,
    reading::ReadLimits,
    working_copy::{Changes, WorkingCopy},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A tree that a script leaves, and what comes of it.
struct Tree {
    name: &'static str,
    script: &'static str,
    outcome: Outcome,
}

enum Outcome {
    /// The commit differs from its base in these paths and nowhere else: with this content, or
    /// gone.
    Files(&'static [(&'static str, Option<&'static str>)]),
    /// With these words.
    Refused(&'static str),
}

/// The commands of git that a reading may start, none of which has a work tree.
const COMMANDS: [&str; 3] = ["update-index", "diff-index", "cat-file"];

const BASE: [(&[u8], &str); 5] = [
    (b"README", "one\n"),
    (b"a/b/c", "deep\n"),
    (b".gitignore", "*.log\nignored/\n"),
    (b"kept.log", "tracked although ignored\n"),
    (b"tool", "#!/bin/sh\n"),
];

/// What scripts may use: `$W` is the witness, `$OUT` a folder outside of the tree.
const PRELUDE: &str = r#"
repo() {
    git init -q "$1"
    git -C "$1" update-ref HEAD "$(git -C "$1" commit-tree -m sub "$(
        git -C "$1" hash-object -w -t tree /dev/null)")"
}
# Whoever looks for changes in this repository runs its filter.
arm() {
    echo a >"$1/f"
    git -C "$1" add f
    echo '* filter=x' >"$1/.gitattributes"
    git -C "$1" config filter.x.clean "touch '$W'; cat"
    echo b >"$1/f"
    touch -d '1 hour ago' "$1/f"
}
hooks() {
    mkdir -p "$1/hooks"
    for hook in pre-commit post-checkout post-index-change reference-transaction post-rewrite \
        fsmonitor-watchman pre-auto-gc proc-receive post-merge pre-push update; do
        printf '#!/bin/sh\ntouch "%s"\n' "$W" >"$1/hooks/$hook"
        chmod +x "$1/hooks/$hook"
    done
}
hooks .git
"#;

/// A repository with a submodule, its mirror, and git's account of what it starts.
struct Yard {
    host: Host,
    mirror: Mirror,
    base: CommitSha,
    trace: PathBuf,
    outside: PathBuf,
}

impl Yard {
    async fn new() -> Self {
        Self::of(&BASE).await
    }

    /// With these files and the submodule `sub`.
    async fn of(files: &[(&[u8], &str)]) -> Self {
        let host = Host::new();
        host.repository("acme/web", &[("x", "x")]);
        let path = host.path("acme/web");
        let empty = git(&path, &["hash-object", "-w", "-t", "tree", "/dev/null"], "");
        let sub = git(&path, &["commit-tree", "-m", "sub", &empty], "");
        let mut entries = format!("160000 commit {sub}\tsub\0").into_bytes();
        for (name, text) in files {
            let id = git(&path, &["hash-object", "-w", "--stdin"], text);
            entries.extend([format!("100644 blob {id}\t").as_bytes(), name, b"\0"].concat());
        }
        let base = host.commit_entries("acme/web", "main", &entries);
        let (trace, outside) = (host.scratch("trace"), host.scratch("outside"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), "secret\n").unwrap();
        let mut config = GitConfig {
            reading: ReadLimits {
                entries_max: 3_000,
                depth_max: 40,
                file_bytes_max: 8 << 20,
                bytes_max: 16 << 20,
                rules_bytes_max: 1 << 20,
                time_max: Duration::from_secs(60),
            },
            ..GitConfig::default()
        };
        config.environment.insert("GIT_TRACE2_EVENT".into(), trace.clone().into());
        config
            .environment
            .insert("GIT_TRACE2_ENV_VARS".into(), "GIT_WORK_TREE,GIT_DIR,GIT_CONFIG".into());
        let mirrors = Mirrors::new(config, host.scratch("traced-mirrors"));
        let mirror = mirrors.open(host.remote("acme/web")).await.unwrap();
        Self { host, mirror, base, trace, outside }
    }

    /// Checks the base out and lets a script loose on it.
    async fn copy(&self, script: &str) -> (WorkingCopy, PathBuf) {
        let dir = self.host.scratch("wc");
        let copy = self.mirror.checkout(&self.base, &dir).await.unwrap();
        let witness = self.host.scratch("witness");
        let output = Command::new("sh")
            .args(["-euc", &format!("{PRELUDE}{script}")])
            .current_dir(copy.tree())
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/nonexistent")])
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "S"), ("GIT_AUTHOR_EMAIL", "s@x")])
            .envs([("GIT_COMMITTER_NAME", "S"), ("GIT_COMMITTER_EMAIL", "s@x")])
            .envs([("GIT_AUTHOR_DATE", "@9 +0000"), ("GIT_COMMITTER_DATE", "@9 +0000")])
            .env("W", &witness)
            .env("OUT", &self.outside)
            .output()
            .unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        // What the script itself set off.
        let _ = std::fs::remove_file(&witness);
        let _ = std::fs::remove_file(&self.trace);
        (copy, witness)
    }

    /// Reads a tree, holds the outcome against what is expected, and looks who ran. Answers what
    /// was wrong.
    async fn check(&self, name: &str, script: &str, outcome: &Outcome) -> Vec<String> {
        let (copy, witness) = self.copy(script).await;
        let read = copy.changes().await;
        let mut faults = Vec::new();
        if witness.exists() {
            faults.push(format!("a command of a step was run: {read:?}"));
        }
        faults.extend(self.trace_faults());
        match (outcome, &read) {
            (Outcome::Files(files), Ok(Changes { diff, notes })) => {
                let changed = match diff {
                    Some(diff) => {
                        let sha = commit(&self.mirror, &self.base, diff).await;
                        self.changed(&sha.unwrap_or_else(|error| panic!("{name}: {error}")))
                    }
                    None => BTreeMap::new(),
                };
                let wanted: BTreeMap<String, Option<String>> = files
                    .iter()
                    .map(|(path, text)| ((*path).to_owned(), text.map(ToOwned::to_owned)))
                    .collect();
                if changed != wanted {
                    faults.push(format!("{changed:?} instead of {wanted:?}; {notes:?}"));
                }
            }
            (Outcome::Refused(words), Err(error)) if error.to_string().contains(words) => {}
            (Outcome::Files(_), Err(error)) => faults.push(format!("refused: {error}")),
            (Outcome::Refused(words), read) => faults.push(format!("not {words}: {read:?}")),
        }
        if std::fs::read_dir(&self.outside).unwrap().count() != 1 {
            faults.push("something was written outside".to_owned());
        }
        copy.remove().await.unwrap();
        self.clear_outside();
        faults.into_iter().map(|fault| format!("{name}: {fault}")).collect()
    }

    fn clear_outside(&self) {
        for entry in std::fs::read_dir(&self.outside).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() != "secret" {
                let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
            }
        }
    }

    /// Every process that git started is in its trace: with its arguments, and with the
    /// variables that tell it where to work.
    fn trace_faults(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(&self.trace).unwrap_or_default();
        let mut faults = Vec::new();
        for line in trace.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            let is_foreign = match text("event").as_str() {
                "start" => {
                    let command = event["argv"][1].as_str().unwrap_or_default();
                    !COMMANDS.contains(&command)
                }
                "child_start" | "exec" => true,
                "def_param" => {
                    let tree = self.host.scratch("wc/tree").display().to_string();
                    text("param") == "GIT_WORK_TREE" || text("value").starts_with(&tree)
                }
                _ => false,
            };
            if is_foreign {
                faults.push(format!("git did what it may not: {line}"));
            }
        }
        faults
    }

    fn mirror_dir(&self) -> PathBuf {
        let mirrors = std::fs::read_dir(self.host.scratch("traced-mirrors")).unwrap();
        mirrors.map(|entry| entry.unwrap().path()).next().unwrap()
    }

    /// The tree of the commit that a diff makes.
    async fn tree(&self, diff: Option<&Diff>) -> String {
        let commit = match diff {
            Some(diff) => commit(&self.mirror, &self.base, diff).await.unwrap(),
            None => self.base.clone(),
        };
        git(&self.mirror_dir(), &["rev-parse", &format!("{commit}^{{tree}}")], "")
    }

    /// The paths in which a commit differs from the base, with what they hold now.
    fn changed(&self, sha: &CommitSha) -> BTreeMap<String, Option<String>> {
        let mirror = self.mirror_dir();
        let args =
            ["diff-tree", "-r", "-z", "--no-renames", "--raw", self.base.as_str(), sha.as_str()];
        let raw = git(&mirror, &args, "");
        let fields: Vec<&str> = raw.split_terminator('\0').collect();
        let content = |meta: &str| {
            let mut parts = meta.split(' ').skip(1);
            let (mode, _old, id) = (parts.next()?, parts.next()?, parts.next()?);
            let is_there = !matches!(mode, "000000" | "160000");
            let text = || git_with(&mirror, &[], &["cat-file", "blob", id], b"").unwrap();
            // Without the line break that the helper trims.
            is_there.then(text)
        };
        fields.chunks(2).map(|pair| (pair[1].to_owned(), content(pair[0]))).collect()
    }
}

#[tokio::test]
async fn no_tree_makes_the_server_run_anything() {
    let yard = Yard::new().await;
    let (mut count, mut faults) = (0, Vec::new());
    for Tree { name, script, outcome } in table::trees() {
        faults.extend(yard.check(name, script, &outcome).await);
        count += 1;
    }
    assert!(count >= 60, "{count} trees");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn no_command_of_a_configuration_is_run() {
    let yard = Yard::new().await;
    let readme = Outcome::Files(&[("README", Some("two"))]);
    let mut faults = Vec::new();
    for key in commands::KEYS {
        faults.extend(yard.check(key, &commands::script(key), &readme).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The canaries sing: with the tree as its work tree, git itself runs what the submodule says.
#[tokio::test]
async fn git_would_run_the_filter_of_a_submodule() {
    let yard = Yard::new().await;
    for script in table::ARMED {
        let (copy, witness) = yard.copy(script).await;
        let meta = copy.tree().with_file_name("meta");
        let mirror = yard.mirror_dir();
        let env = [
            format!("GIT_DIR={}", mirror.display()),
            format!("GIT_WORK_TREE={}", copy.tree().display()),
            format!("GIT_INDEX_FILE={}", meta.join("index").display()),
        ];
        let env: Vec<&str> = env.iter().map(String::as_str).collect();
        let _ = git_with(Path::new("/"), &env, &["add", "--all"], b"");
        assert!(witness.exists(), "{script}: the canary is dumb");
        copy.remove().await.unwrap();
    }
}
