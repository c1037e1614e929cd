//! Every setting of git that names a command or a place to read more settings from.

/// `KEY` or `KEY=VALUE`; without a value it is the canary.
pub(super) const KEYS: [&str; 44] = [
    "core.fsmonitor",
    "core.hooksPath",
    "core.pager",
    "core.editor",
    "core.sshCommand",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "core.attributesFile=.git/evil-attributes",
    "core.excludesFile=.git/evil-excludes",
    "core.worktree=/",
    "core.bare=true",
    "core.autocrlf=true",
    "core.eol=crlf",
    "core.ignoreCase=true",
    "core.symlinks=false",
    "core.fileMode=false",
    "core.untrackedCache=true",
    "core.sparseCheckout=true",
    "core.splitIndex=true",
    "core.repositoryFormatVersion=9",
    "extensions.worktreeConfig=true",
    "extensions.objectFormat=sha256",
    "diff.external",
    "diff.x.command",
    "diff.x.textconv",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "filter.x.required=true",
    "filter.lfs.clean",
    "merge.x.driver",
    "gpg.program",
    "credential.helper",
    "uploadpack.packObjectsHook",
    "sequence.editor",
    "pager.diff-index",
    "interactive.diffFilter",
    "alias.update-index",
    "remote.origin.url=ext::touch",
    "include.path=evil-config",
    "includeIf.gitdir:/.path=evil-config",
    "submodule.sub.update",
    "trailer.x.command",
];

/// Sets a key in the repository of the steps and in the one of a submodule, and changes a file.
pub(super) fn script(key: &str) -> String {
    let (key, value) = key.split_once('=').unwrap_or((key, "canary"));
    let value = match (key, value) {
        // A command of a shell, wherever a leading `!` says so.
        ("credential.helper" | "alias.update-index" | "submodule.sub.update", _) => {
            r#"!touch "$W""#.to_owned()
        }
        ("core.hooksPath", _) => "$PWD/.git/hooks".to_owned(),
        (_, "canary") => r#"$PWD/.git/canary"#.to_owned(),
        (_, value) => value.to_owned(),
    };
    format!(
        r#"
printf '#!/bin/sh\ntouch "%s"\ncat\n' "$W" >.git/canary
chmod +x .git/canary
echo '* filter=x diff=x merge=x' >.git/evil-attributes
echo '* filter=x diff=x merge=x' >>.git/info/attributes
echo 'README' >.git/evil-excludes
printf '[filter "x"]\n\tclean = "touch '"'$W'"'"\n' >.git/evil-config
repo sub
hooks sub/.git
cp .git/evil-* sub/.git/
echo a >sub/f
git -C sub add f
echo '* filter=x filter=lfs diff=x merge=x' >sub/.gitattributes
echo b >sub/f
touch -d '1 hour ago' sub/f
value="{value}"
git config --file sub/.git/config '{key}' "$value"
git config --file .git/config '{key}' "$value"
echo two >README
"#,
        value = value.replace('"', "\\\"").replace("\\\"$W\\\"", "'$W'"),
    )
}
