//! The code host and the runners as they really are, whatever the queue believes.

use super::super::{names::sha, random::Random};
use crate::{
    merge_queue::{
        candidate::Member,
        event::{Against, Ancestry, Commit, History, RunResult},
    },
    names::{CommitSha, PullNumber},
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Hash)]
pub struct Host {
    pub target: CommitSha,
    /// Where the target has been, the present last.
    pub history: Vec<CommitSha>,
    commits: BTreeMap<CommitSha, Contents>,
    last_commit: u64,
    pub faults: Faults,
}

/// How often things go wrong, in percent.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Faults {
    pub defective: u64,
    pub interacting: u64,
    pub conflicting: u64,
    pub flaky: u64,
    pub infra: u64,
    pub timeouts: u64,
    /// Pull requests with which the machinery breaks whenever they are tested.
    pub breaking: u64,
    pub builds: u64,
    /// Landings that the code host refuses by rules of its own.
    pub refusals: u64,
    /// Landings after which the target shows something else.
    pub audits: u64,
}

impl Faults {
    pub const NONE: Self = Self {
        defective: 0,
        interacting: 0,
        conflicting: 0,
        flaky: 0,
        infra: 0,
        timeouts: 0,
        breaking: 0,
        builds: 0,
        refusals: 0,
        audits: 0,
    };
    pub const MANY: Self = Self {
        defective: 15,
        interacting: 5,
        conflicting: 3,
        flaky: 8,
        infra: 6,
        timeouts: 4,
        breaking: 3,
        builds: 4,
        refusals: 3,
        audits: 8,
    };
    /// About half of the faults: a world in which everything goes wrong at once never gets far.
    pub fn some(random: &mut Random) -> Self {
        let mut drawn = |percent| if random.percent(50) { percent } else { 0 };
        let Self {
            defective,
            interacting,
            conflicting,
            flaky,
            infra,
            timeouts,
            breaking,
            builds,
            refusals,
            audits,
        } = Self::MANY;
        Self {
            defective: drawn(defective),
            interacting: drawn(interacting),
            conflicting: drawn(conflicting),
            flaky: drawn(flaky),
            infra: drawn(infra),
            timeouts: drawn(timeouts),
            breaking: drawn(breaking),
            builds: drawn(builds),
            refusals: drawn(refusals),
            audits: drawn(audits),
        }
    }

    /// What is left when only the pull requests themselves are at fault.
    #[must_use]
    pub fn of_pulls(self) -> Self {
        let Self { defective, interacting, conflicting, breaking, .. } = self;
        Self { defective, interacting, conflicting, breaking, ..Self::NONE }
    }
}

#[derive(Clone, Debug, Hash)]
struct Contents {
    tree: u64,
    heads: Vec<CommitSha>,
}

pub enum Build {
    Done(Commit),
    Conflict(PullNumber, Against),
}

impl Host {
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        let root: CommitSha = sha(1);
        let contents = Contents { tree: 0, heads: vec![] };
        Self {
            target: root.clone(),
            history: vec![root.clone()],
            commits: BTreeMap::from([(root, contents)]),
            last_commit: 1_000_000,
            faults,
        }
    }

    #[must_use]
    pub fn tip(&self) -> Commit {
        self.commit(&self.target)
    }

    fn commit(&self, commit: &CommitSha) -> Commit {
        let tree = self.commits.get(commit).map_or(0, |contents| contents.tree);
        Commit { commit: commit.clone(), tree: sha(tree) }
    }

    /// Builds the same commit whenever it is asked again.
    pub fn build(&mut self, number: u64, base: &CommitSha, members: &[Member]) -> Build {
        let Some(below) = self.commits.get(base).cloned() else {
            return Build::Conflict(PullNumber(0), Against::Target);
        };
        let mut contents = below;
        for (at, member) in members.iter().enumerate() {
            if draw(&[&member.head]) % 100 < self.faults.conflicting {
                return Build::Conflict(member.pull, Against::Target);
            }
            let clash = members[..at].iter().find(|mate| {
                draw(&[&mate.head, &member.head]) / 100 % 100 < self.faults.conflicting
            });
            if let Some(mate) = clash {
                return Build::Conflict(member.pull, Against::Pull(mate.pull));
            }
            contents.tree = contents.tree.wrapping_add(draw(&[&member.head]));
            contents.heads.push(member.head.clone());
        }
        let commit: CommitSha = sha(1_000 + number);
        self.commits.insert(commit.clone(), contents);
        Build::Done(self.commit(&commit))
    }

    /// What a run of this commit says.
    pub fn test(&self, commit: &CommitSha, random: &mut Random) -> RunResult {
        let drawn = random.draw() % 100;
        let faults = self.faults;
        if self.breaks(commit) {
            return RunResult::Infra;
        }
        if drawn < faults.infra {
            return if drawn.is_multiple_of(2) { RunResult::Infra } else { RunResult::Cancelled };
        }
        if drawn < faults.infra + faults.timeouts {
            return RunResult::TimedOut;
        }
        let is_flaky = drawn < faults.infra + faults.timeouts + faults.flaky;
        if is_flaky || !self.is_sound(commit) { RunResult::Failed } else { RunResult::Passed }
    }

    /// Only the youngest can break what has landed.
    fn recent(&self, commit: &CommitSha) -> &[CommitSha] {
        let heads = self.commits.get(commit).map_or(&[][..], |contents| &contents.heads);
        &heads[heads.len().saturating_sub(8)..]
    }

    fn breaks(&self, commit: &CommitSha) -> bool {
        let is_breaking = |head: &CommitSha| draw(&[head]) / 1_000_000 % 100 < self.faults.breaking;
        self.recent(commit).iter().any(is_breaking)
    }

    fn is_sound(&self, commit: &CommitSha) -> bool {
        let recent = self.recent(commit);
        recent.iter().enumerate().all(|(at, head)| {
            draw(&[head]) / 10_000 % 100 >= self.faults.defective
                && recent[..at]
                    .iter()
                    .all(|other| draw(&[other, head]) % 100 >= self.faults.interacting)
        })
    }

    /// The compare-and-swap. Whether it was done is the answer, and cannot be taken back.
    pub fn swap(&mut self, expect: &CommitSha, to: &CommitSha) -> Swap {
        if self.target != *expect {
            return if self.target == *to { Swap::Done } else { Swap::Refused };
        }
        self.move_to(to.clone());
        Swap::Done
    }

    fn move_to(&mut self, to: CommitSha) {
        self.target = to.clone();
        self.history.push(to);
    }

    /// Somebody pushes to the target.
    pub fn push_by_others(&mut self) {
        self.last_commit += 1;
        let commit: CommitSha = sha(self.last_commit);
        let mut contents =
            self.commits.get(&self.target).cloned().unwrap_or(Contents { tree: 0, heads: vec![] });
        contents.tree = contents.tree.wrapping_add(draw(&[&commit]));
        self.commits.insert(commit.clone(), contents);
        self.move_to(commit);
    }

    /// Somebody rewinds the target: what landed is not in its history any more.
    pub fn force_push_by_others(&mut self) {
        if self.history.len() > 1 {
            self.history.pop();
            self.target = self.history.last().cloned().unwrap_or_else(|| sha(1));
        }
    }

    #[must_use]
    pub fn history(&self, landing: Option<&CommitSha>, last: &CommitSha) -> History {
        History { landing: self.ancestry(landing), last: self.ancestry(Some(last)) }
    }

    fn ancestry(&self, commit: Option<&CommitSha>) -> Ancestry {
        match commit {
            None => Ancestry::NotAsked,
            Some(commit) if self.history.contains(commit) => Ancestry::Contained,
            Some(_) => Ancestry::Absent,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    Done,
    Refused,
}

/// A number that depends on the commits, not on their order.
fn draw(commits: &[&CommitSha]) -> u64 {
    let sum = commits.iter().fold(0_u64, |sum, commit| {
        let number = u64::from_str_radix(&commit.as_str()[24..], 16).unwrap_or(0);
        sum.wrapping_add(Random::new(number).draw())
    });
    Random::new(sum).draw()
}
