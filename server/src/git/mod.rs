//! Git: mirrors, checkouts, diffs, commits and pushes, through the git program.
