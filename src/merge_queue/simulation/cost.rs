//! A queue of any length, for measuring what a step costs.

use super::{names::sha, ours};
use crate::{
    merge_queue::{
        MergeQueue,
        candidate::JobsDigest,
        config::{Config, ConfigError},
        effect::Effect,
        event::{Commit, Event},
        pull::Origin,
    },
    time::Timestamp,
};

/// So many entries in line, 16 workers busy, and the builds that the pipeline asked for done.
pub fn busy_queue(entries: usize) -> Result<MergeQueue, ConfigError> {
    let config = Config::new(super::names::branch(), 16);
    let tip = Commit { commit: sha(1), tree: sha(0) };
    let mut queue = MergeQueue::new(config, tip, Timestamp(0))?;
    let mut commits = 10;
    for pull in 0..entries {
        let mut events = vec![ours::enqueue(pull, Origin::Person), ours::seen(pull)];
        while let Some(event) = events.pop() {
            for effect in queue.step(event, Timestamp(0)) {
                if let Effect::BuildCandidate { candidate, .. } = effect {
                    commits += 1;
                    let (commit, tree) = (sha(commits), sha(commits));
                    let jobs = JobsDigest("jobs".to_owned());
                    events.push(Event::CandidateBuilt { candidate, commit, tree, jobs });
                }
            }
        }
    }
    Ok(queue)
}

/// The results that the queue waits for; each makes it plan anew.
#[must_use]
pub fn awaited_runs(queue: &MergeQueue) -> Vec<crate::merge_queue::id::RunId> {
    queue.runs.keys().copied().collect()
}
