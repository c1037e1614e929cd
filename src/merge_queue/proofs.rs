//! Passed runs by tree and jobs: the same tree need not be tested twice.

use super::{
    bugs::{Bug, planted},
    candidate::{Built, JobsDigest},
    id::RunId,
};
use crate::names::{PullNumber, TreeSha};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Only passes are kept: a failure may have been the machinery's, and is asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Proofs(BTreeMap<TreeSha, Proof>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Proof {
    run: RunId,
    jobs: JobsDigest,
    /// Whose retest takes the proof away: all that the tree added to the target of its time.
    pulls: BTreeSet<PullNumber>,
}

/// The trees that are remembered; the ones that passed longest ago are forgotten first.
const PROOFS_MAX: usize = 128;

impl Proofs {
    pub(super) fn insert(&mut self, built: &Built, run: RunId, pulls: BTreeSet<PullNumber>) {
        self.0.insert(built.tree.clone(), Proof { run, jobs: built.jobs.clone(), pulls });
        if self.0.len() > PROOFS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, proof)| proof.run);
            if let Some(tree) = oldest.map(|(tree, _)| tree.clone()) {
                self.0.remove(&tree);
            }
        }
    }

    pub(super) fn find(&self, built: &Built) -> Option<RunId> {
        self.0
            .get(&built.tree)
            .filter(|proof| proof.jobs == built.jobs || planted(Bug::ReuseAcrossJobs))
            .map(|proof| proof.run)
    }

    /// Nothing that was tested with this pull request counts any more.
    pub(super) fn forget(&mut self, pull: PullNumber) {
        self.0.retain(|_, proof| !proof.pulls.contains(&pull));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(tree: usize, jobs: &str) -> Built {
        let sha = format!("{:040x}", tree + 1);
        Built {
            commit: sha.parse().unwrap(),
            tree: sha.parse().unwrap(),
            jobs: JobsDigest(jobs.to_owned()),
        }
    }

    #[test]
    fn a_pass_counts_for_the_same_tree_and_the_same_jobs() {
        let mut proofs = Proofs::default();
        proofs.insert(&built(1, "jobs"), RunId(9), BTreeSet::from([PullNumber(1)]));
        assert_eq!(proofs.find(&built(1, "jobs")), Some(RunId(9)));
        assert_eq!(proofs.find(&built(1, "other jobs")), None);
        assert_eq!(proofs.find(&built(2, "jobs")), None);
        proofs.forget(PullNumber(1));
        assert_eq!(proofs.find(&built(1, "jobs")), None);
    }

    #[test]
    fn the_oldest_proof_makes_room() {
        let mut proofs = Proofs::default();
        for tree in 0..=PROOFS_MAX {
            proofs.insert(&built(tree, "jobs"), RunId(tree as u64), BTreeSet::new());
        }
        assert_eq!(proofs.find(&built(0, "jobs")), None);
        assert_eq!(proofs.0.len(), PROOFS_MAX);
    }
}
