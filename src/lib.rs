//! Drover changes many repositories at once: what things are, and every decision.
//!
//! This page is the design as it stands. It is changed together with the code.
//!
//! # From above
//! A *campaign spec* says which repositories, what to run in each and what the pull requests
//! shall look like. Running its steps gives one diff per repository and branch, and of each diff
//! a *changeset spec*: one immutable wish. The *preview* shows, for every wish, the *plan*: the
//! operations that would make it true. *Apply* attaches the wishes to the campaign's *changesets*
//! and returns; in the background, each changeset is reconciled with its code host until its plan
//! is empty. Reviewed pull requests land through a *merge queue*, which moves a branch only to a
//! commit that was tested as it is.
//!
//! ```text
//!   spec ──parse──▶ CampaignSpec ──steps──▶ diffs ──▶ changeset specs
//!                                                          │ rewire
//!        code host ◀──operation── plan ◀── desired ◀───────┘
//!            └───────observed──────▶ ┘
//! ```
//!
//! # Code map
//! Four crates; an arrow to the left of a crate is the only way that it may look.
//!
//! ```text
//! src (drover)  ◀──  app (drover-app)  ◀──  server (drover-server, the binary `drover`)
//!                    end2end/github (github-stand-in): the GitHub of the demo and of all tests
//! ```
//!
//! This crate compiles to native code and to WASM. It does no I/O and has no clock, no random
//! numbers and no async: times, ids and jitter are arguments, so every decision can be repeated
//! and simulated. In it:
//!
//! - [`campaign`]: specs as people write them ([`campaign::spec`]), their JSON Schema, what
//!   applying one does to changesets ([`campaign::rewire`]), and what a preview was made from
//!   ([`campaign::plan_hash`])
//! - [`changeset`]: what is desired, what is observed, and the plan between them
//!   ([`changeset::plan`]); statuses, retries, when to read again
//! - `merge_queue`: `step(event, now) -> effects`, a machine that the server and its simulator
//!   run alike
//! - [`budget`]: how fast a credential may write, and when the last write will have gone
//! - [`job`]: the kinds of background work and their limits
//! - [`view`]: what pages, the API and the command line show
//! - [`names`], [`id`], [`time`], [`diff`], [`viewer`]: the words that everything else is said in
//!
//! # Two facts and a plan
//! A changeset row holds what is *desired* ([`changeset::Desired`]); a pull request row holds
//! what was *observed* ([`changeset::Observed`]); a job row holds the *work*. Nothing else is
//! stored about how things stand. [`changeset::plan::plan`] is a pure function of the facts. The
//! reconciler performs its first operation, records what it saw, and plans again; a crash at any
//! point is "plan again". What people see ([`changeset::status`]) is computed.
//!
//! # What always holds
//! - Of one campaign, repository and branch there is at most one open pull request, and exactly
//!   one in the end where one is wanted.
//! - A branch moves only from the commit that Drover knows as its own, by a lease. Where somebody
//!   else's commit stands in the way, the changeset is in *drift* and a person chooses: adopt,
//!   overwrite that very commit, or detach.
//! - What a person closed stays closed until somebody asks. What is deleted or read-only is left
//!   alone. What is merged is, until a spec wants more: then a new pull request is made.
//! - Unknown is not "no": what has no result, or could not be read, keeps its changeset as it is.
//! - What a write is about is read before the first write, by the job that writes.
//! - A write is committed to the database before it is sent, and when its outcome is unknown, it
//!   is probed before it is sent again.
//! - The same spec applied twice does nothing the second time.
//! - What is applied is what was shown: one function decides preview, plan hash and apply, and the
//!   hash covers all that the plan was made from, what the campaign wanted before included.
//! - Every failure is tried again by itself at a known time, or says what a person has to do.
//!   Nothing stops silently.
//! - Every text, list, loop and wait has a named limit.
//! - Every job looks at the code host before its first write, and a round that changed nothing is
//!   not run again.
//! - No branch is pushed to that pull requests go into: a push takes a value
//!   ([`changeset::push_target::PushTarget`]) that only the check gives.
//! - A repository is the number that its code host gave it, and not its name.
//! - The target of a queue moves only from the tested base to the tested commit.
//! - Who may not read a repository learns no byte of its names, titles, diffs and logs.
//!
//! # Specs are read by hand
//! A spec that has five problems says so at once, each with line, column and hint. A derived
//! `Deserialize` stops at the first; so YAML is read into a tree that knows its places, and the
//! tree is read by functions that collect. One table of keys feeds the reader and the JSON
//! Schema. What Sourcegraph's language has beyond this one is refused by name, never ignored.
//!
//! # Where we differ from the system we learn from
//! - *No sleep.* It pushes, sleeps three seconds and reads. Here a read is scheduled.
//! - *A person's close is kept.* There, the next apply opens the pull request again.
//! - *Nobody's commits are overwritten.* There, a push is forced. Here, fixes that people push on
//!   top of ours are welcome until a spec has something new to push; then a person is asked.
//! - *People's words are kept.* A title that was edited on the code host lives until a spec
//!   changes its own.
//! - *One intent* ([`changeset::Intent`]) in place of flags for closing, archiving, detaching.
//! - *A status says what is over first.* There, a merged pull request whose last job failed is
//!   shown as failed.
//! - *Errors have kinds* ([`changeset::retry::Failure`]). There, all are tried every five
//!   seconds, ten times.
//! - *A branch name is free again* when its changeset is put aside; and what was put aside comes
//!   back when a spec wants it again, instead of a second pull request.
//!
//! # Where we differ from the first design
//! - *What Drover pushed is known with its content* ([`changeset::Ours`]), and every attempt is on
//!   record before it is sent, until a later one is seen to succeed. With the commit alone, a
//!   crash between a push and its record would look like drift, and the plan could not tell
//!   whether the branch is up to date.
//! - *Words that were sent are remembered* ([`changeset::words`]) until their spec is in place.
//!   The simulation found that otherwise words that were written and taken back again would stay
//!   on the code host for ever; and forgetting the previous spec instead, as was done first,
//!   overwrote what people had written into the other fields.
//! - *A pull request is reopened before its branch is pushed*, because GitHub reopens none whose
//!   branch was replaced while it was closed.
//! - *A plan has notes* ([`changeset::plan::Note`]): why it holds less than one might expect is
//!   part of the decision, so it is made in the same place.
//!
//! # Words
//! One per concept, in code, SQL, API and pages.
//!
//! - **campaign**: a named change in a namespace
//! - **namespace**: a user or an organisation, as the owner of campaigns
//! - **campaign spec**: one immutable text of a campaign
//! - **changeset spec**: one immutable wish: this diff on this base as this branch with this
//!   title, or "track pull request N"
//! - **changeset**: what a campaign wants in one repository and branch
//! - **pull request** (`pull` in code): what the code host has
//! - **plan**, **operation**: what apply would do, and one step of the reconciler
//! - **workspace**: a repository, or a directory of it, in which steps run
//! - **execution**: running the steps of a spec
//! - **queue**, **entry**: one repository's target branch, and a pull request that waits for it
//! - **candidate**: a commit that Drover built of the target and entries
//! - **slot**: a place in the pipeline of a queue, held by one entry or a batch of them
//! - **isolation lane**: where entries that were part of a failure are tested alone
//! - **run**: one test of a candidate
//! - **breakdown**: the machinery failed, not what it ran
//! - **landing**: moving the target to a candidate

pub mod budget;
pub mod campaign;
pub mod changeset;
pub mod diff;
pub mod id;
pub mod job;
pub mod merge_queue;
pub mod names;
#[cfg(test)]
mod random;
pub mod time;
pub mod view;
pub mod viewer;
