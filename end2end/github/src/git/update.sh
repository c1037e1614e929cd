#!/bin/sh
# Git asks this before it moves a ref of a push: refuses what GitHub refuses, in its words.
# PROTECTED has a line for each protected branch: what it is protected against, and its name.
ref=$1 old=$2 new=$3
name=${ref#refs/*/}

refuse_name() {
    printf "error: %s: Sorry, branch or tag names %s are not allowed.\n" "$1" "$2" >&2
    printf 'error: Invalid branch or tag name "%s"\n' "$name" >&2
    exit 1
}

decline() {
    printf 'error: GH006: Protected branch update failed for %s.\n\n- %s\n' "$ref" "$1" >&2
    exit 1
}

is_none() {
    case $1 in *[!0]*) return 1 ;; esac
}

# What is there already may still be pushed to.
if is_none "$old"; then
    case $name in
        refs/*) refuse_name GH005 "starting with 'refs/'" ;;
        *[!0-9a-fA-F]*) ;;
        *) [ ${#name} -ne 40 ] || refuse_name GH002 "consisting of 40 hex characters" ;;
    esac
fi

against=
while read -r what branch; do
    [ "refs/heads/$branch" != "$ref" ] || against=$what
done <<EOF
$PROTECTED
EOF
[ -n "$against" ] || exit 0
! is_none "$new" || decline "Cannot delete this branch"
is_none "$old" || git merge-base --is-ancestor "$old" "$new" ||
    decline "Cannot force-push to this branch"
[ "$against" != pushes ] || decline "Changes must be made through a pull request."
