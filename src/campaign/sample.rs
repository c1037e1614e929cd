//! A spec to start from.

/// The spec that a new editor holds. It works on the repositories of the demo and needs no
/// network.
pub const SAMPLE: &str = r#"# A campaign changes many repositories at once and opens one pull request in each.
# Press "Preview": the steps run, and every pull request is shown before anything is sent.
version: 1
name: add-security-policy
description: |
  Every repository says how to report a security problem, and its README points there.

# Which repositories. A query goes over names (`web`, `acme/*`), organisations (`org:`),
# topics (`topic:`) and languages (`language:`); `-` before a term leaves its matches out.
# Archived repositories are left out unless you write `archived:yes`.
on:
  - repositoriesMatchingQuery: org:acme org:globex
  # One repository can be named as well, and its branches:
  # - repository: acme/web
  #   branch: main

# What to run in each of them, in the root of a fresh working copy, with `sh`.
# A step that fails leaves its repository out. Where nothing changes, no pull request is made.
steps:
  - run: |
      cat > SECURITY.md <<EOF
      # Security policy

      Please report security problems to <$CONTACT>, not in a public issue.
      You will have an answer within $ANSWER_DAYS days.
      EOF
    env:
      CONTACT: security@example.org
      ANSWER_DAYS: "3"
  - run: |
      # The second step sees what the first one wrote.
      if [ -f README.md ] && ! grep -q SECURITY.md README.md; then
        printf '\nSee [SECURITY.md](SECURITY.md) for how to report a security problem.\n' >> README.md
      fi

# What the pull requests look like.
changesetTemplate:
  title: Add a security policy
  body: |
    This adds `SECURITY.md`, so that people know where to report a security problem.

    The pull request was made by a campaign; comment here if the text should differ.
  branch: drover/add-security-policy
  commit:
    message: Say how to report a security problem
    author:
      name: Drover
      email: drover@example.org
  # true opens the pull requests when you apply; "draft" opens drafts; false opens none.
  # Leave it out to decide for each pull request on its page.
  published: true
"#;
