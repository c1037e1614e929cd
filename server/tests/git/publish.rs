//! From a diff to a branch on the code host.

use super::support::{Host, addition, branch, commit, git, parsed, somebody, target};
use drover::{changeset::spec::Author, time::Timestamp};
use drover_server::git::{
    commit::CommitRequest,
    error::{DeclinedBy, GitError},
    patch::Diff,
    push::{Expected, PushOutcome},
};

const README: &[(&str, &str)] = &[("README", "one\n"), ("src/a.rs", "fn a() {}\n")];

#[tokio::test]
async fn a_diff_becomes_a_branch() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    assert_eq!(mirror.default_branch().await.unwrap(), branch("main"));
    assert_eq!(mirror.fetch_branch(&branch("main")).await.unwrap(), base);

    let sha = commit(&mirror, &base, &parsed(&addition("new", "100755", "hi\n"))).await.unwrap();
    let pushed = mirror.push(&sha, &target("drover/x"), &Expected::Absent).await.unwrap();
    assert_eq!(pushed, PushOutcome::Pushed);
    assert_eq!(mirror.remote_head(&branch("drover/x")).await.unwrap(), Some(sha));
    let shown = host.git("acme/web", &["log", "-1", "--format=%an <%ae> %at %P%n%B", "drover/x"]);
    let expected = format!("Ada L <ada@example.com> 1700000000 {base}\nChange things\n\nBecause.");
    assert_eq!(shown, expected);
    let listed = host.git("acme/web", &["ls-tree", "-r", "drover/x"]);
    assert!(listed.contains("100755 blob 45b983be36b73c0788dc9cbcb76cbb80fc7bb057\tnew"));
    assert_eq!(listed.lines().count(), 3);
}

#[tokio::test]
async fn the_same_request_gives_the_same_commit_in_another_mirror() {
    let (one, two) = (Host::new(), Host::new());
    let base = one.repository("acme/web", README);
    assert_eq!(two.repository("acme/web", README), base);
    let diff = parsed(&addition("new", "100644", "hi\n"));
    let first = commit(&one.mirror("acme/web").await, &base, &diff).await.unwrap();
    let second = commit(&two.mirror("acme/web").await, &base, &diff).await.unwrap();
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_lease_keeps_the_commits_of_somebody_else() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let ours = commit(&mirror, &base, &parsed(&addition("a", "100644", "1\n"))).await.unwrap();
    let newer = commit(&mirror, &base, &parsed(&addition("a", "100644", "2\n"))).await.unwrap();
    let (there, absent) = (target("taken"), target("not-there"));
    let theirs = host.commit("acme/web", "taken", &[("x", "theirs\n")]);

    let lost = PushOutcome::LeaseLost { at: Some(theirs.clone()) };
    let at_ours = Expected::At(ours.clone());
    assert_eq!(mirror.push(&ours, &there, &Expected::Absent).await.unwrap(), lost);
    assert_eq!(mirror.push(&newer, &there, &at_ours).await.unwrap(), lost);
    let gone = PushOutcome::LeaseLost { at: None };
    assert_eq!(mirror.push(&newer, &absent, &at_ours).await.unwrap(), gone);
    assert_eq!(mirror.remote_head(there.branch()).await.unwrap(), Some(theirs.clone()));
    assert_eq!(mirror.remote_head(absent.branch()).await.unwrap(), None);

    let overwrite = Expected::At(theirs);
    assert_eq!(mirror.push(&ours, &there, &overwrite).await.unwrap(), PushOutcome::Pushed);
    assert_eq!(mirror.push(&newer, &there, &at_ours).await.unwrap(), PushOutcome::Pushed);
    assert_eq!(mirror.push(&newer, &there, &at_ours).await.unwrap(), PushOutcome::AlreadyThere);
    let absent_again = mirror.push(&newer, &there, &Expected::Absent).await.unwrap();
    assert_eq!(absent_again, PushOutcome::AlreadyThere);
}

#[tokio::test]
async fn a_branch_whose_name_is_a_folder_of_another_is_in_the_way() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    mirror.fetch_branch(&branch("main")).await.unwrap();
    let ours = commit(&mirror, &base, &parsed(&addition("new", "100644", "hi\n"))).await.unwrap();
    host.commit("acme/web", "drover", &[("x", "theirs\n")]);
    host.commit("acme/web", "fix/deps/lodash", &[("x", "theirs\n")]);
    // Names that only end alike are in nobody's way.
    host.commit("acme/web", "old/free", &[("x", "theirs\n")]);
    for (name, by) in
        [("drover/x/y", "drover"), ("fix/deps", "fix/deps/lodash"), ("fix", "fix/deps/lodash")]
    {
        let blocked = mirror.push(&ours, &target(name), &Expected::Absent).await.unwrap();
        assert_eq!(blocked, PushOutcome::Blocked { by: branch(by) }, "{name}");
    }
    let free = mirror.push(&ours, &target("free/x"), &Expected::Absent).await.unwrap();
    assert_eq!(free, PushOutcome::Pushed);
}

#[tokio::test]
async fn a_push_works_when_the_code_host_has_moved_on() {
    let host = Host::new();
    let big = "line\n".repeat(1_000);
    let base = host.repository("acme/web", &[("README", "one\n"), ("unread", &big)]);
    let mirror = host.mirror("acme/web").await;
    mirror.fetch_branch(&branch("main")).await.unwrap();
    host.commit("acme/web", "main", &[("README", "two\n")]);
    let sha = commit(&mirror, &base, &parsed(&addition("n", "100644", "1\n"))).await.unwrap();
    let pushed = mirror.push(&sha, &target("x"), &Expected::Absent).await.unwrap();
    assert_eq!(pushed, PushOutcome::Pushed);
    host.git("acme/web", &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn contents_that_the_mirror_lacks_are_fetched_for_a_commit() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let changed = host.commit("acme/web", "x", &[("README", "two\n")]);
    let args =
        ["diff", "--full-index", "--no-renames", "--binary", base.as_str(), changed.as_str()];
    let diff = parsed(&format!("{}\n", host.git("acme/web", &args)));
    assert_eq!(diff.stat().files, 2);
    let sha = commit(&mirror, &base, &diff).await.unwrap();
    let pushed = mirror.push(&sha, &target("y"), &Expected::Absent).await.unwrap();
    assert_eq!(pushed, PushOutcome::Pushed);
    assert_eq!(host.git("acme/web", &["diff", "x", "y"]), "");
}

#[tokio::test]
async fn a_damaged_mirror_is_cloned_again() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    mirror.fetch_branch(&branch("main")).await.unwrap();
    for (damage, path) in [("", "objects/pack"), ("garbage", "HEAD"), ("[", "config")] {
        let mirrors = host.scratch("mirrors");
        let dir = std::fs::read_dir(&mirrors).unwrap().next().unwrap().unwrap().path();
        if damage.is_empty() {
            for file in std::fs::read_dir(dir.join(path)).unwrap() {
                let file = file.unwrap().path();
                std::fs::remove_file(&file).unwrap();
                std::fs::write(&file, "no pack").unwrap();
            }
        } else {
            std::fs::write(dir.join(path), damage).unwrap();
        }
        let copy = mirror.checkout(&base, &host.scratch(&format!("wc-{}", path.len()))).await;
        let copy = copy.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        assert_eq!(std::fs::read_to_string(copy.tree().join("README")).unwrap(), "one\n");
        mirror.fetch_branch(&branch("main")).await.unwrap();
    }
}

#[tokio::test]
async fn a_branch_that_makes_room_for_a_folder_is_fetched() {
    let host = Host::new();
    host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    host.commit("acme/web", "a", README);
    mirror.fetch_branch(&branch("a")).await.unwrap();
    host.git("acme/web", &["update-ref", "-d", "refs/heads/a"]);
    let inner = host.commit("acme/web", "a/b", README);
    assert_eq!(mirror.fetch_branch(&branch("a/b")).await.unwrap(), inner);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let missing = mirror.fetch_branch(&branch("nope")).await;
    assert!(matches!(missing, Err(GitError::NotFound { .. })), "{missing:?}");
    let unfetched = mirror.resolve_branch(&branch("main")).await;
    assert!(matches!(unfetched, Err(GitError::NotFound { .. })), "{unfetched:?}");
    let nowhere = host.mirror("acme/nowhere").await.fetch_branch(&branch("main")).await;
    assert!(matches!(nowhere, Err(GitError::NotFound { .. })), "{nowhere:?}");
    let unknown = "1234567890123456789012345678901234567890".parse().unwrap();
    let unknown = mirror.ensure_commit(&unknown).await;
    assert!(matches!(unknown, Err(GitError::NotFound { .. })), "{unknown:?}");
    mirror.ensure_commit(&base).await.unwrap();

    git(&host.path("acme/web"), &["symbolic-ref", "HEAD", "refs/heads/none"], "");
    let none = mirror.default_branch().await;
    assert!(matches!(none, Err(GitError::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn a_diff_that_does_not_fit_its_base_is_refused() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let done = commit(&mirror, &base, &parsed(&addition("README", "100644", "x\n"))).await;
    assert!(matches!(done, Err(GitError::DoesNotApply { .. })), "{done:?}");
}

#[tokio::test]
async fn a_diff_whose_contents_are_not_those_it_names_is_refused() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let text = addition("new", "100644", "hi\n").replace("+hi\n", "+ho\n");
    let done = commit(&mirror, &base, &parsed(&text)).await;
    assert!(matches!(&done, Err(GitError::Mismatch { path }) if path == "new"), "{done:?}");
}

#[tokio::test]
async fn identities_that_git_would_bend_are_refused() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let mirror = host.mirror("acme/web").await;
    let diff = parsed(&addition("new", "100644", "hi\n"));
    let good = somebody();
    let author = |name: &str, email: &str| Author { name: name.into(), email: email.into() };
    for (bad, message) in [
        (author("", "a@x"), "m"),
        (author("A", " "), "m"),
        (author("A\nB", "a@x"), "m"),
        (author("A <b@x>", "a@x"), "m"),
        (author("A", "a@x>"), "m"),
        (author("A\0", "a@x"), "m"),
        (good.clone(), ""),
        (good.clone(), " \n"),
        (good.clone(), "m\0"),
    ] {
        let (base, diff, author, committer) = (&base, &diff, &bad, &good);
        let request = CommitRequest { base, diff, message, author, committer, at: Timestamp(0) };
        let done = mirror.commit(&request).await;
        let refused =
            matches!(done, Err(GitError::BadIdentity { .. } | GitError::EmptyIdentity { .. }));
        assert!(refused, "{bad:?} {message:?}: {done:?}");
    }
}

#[tokio::test]
async fn a_rule_of_the_code_host_declines_a_push() {
    let host = Host::new();
    let base = host.repository("acme/web", README);
    let hook = host.path("acme/web").join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho protected >&2; exit 1\n").unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let mirror = host.mirror("acme/web").await;
    let sha = commit(&mirror, &base, &parsed(&addition("a", "100644", "1\n"))).await.unwrap();
    let done = mirror.push(&sha, &target("x"), &Expected::Absent).await;
    let declined = matches!(&done, Err(GitError::Declined { by: DeclinedBy::Hook, detail })
        if detail.contains("protected") && detail.contains("hook declined"));
    assert!(declined, "{done:?}");
}

#[test]
fn an_empty_diff_is_none() {
    assert_eq!(Diff::parse(Vec::new()), Ok(None));
}
