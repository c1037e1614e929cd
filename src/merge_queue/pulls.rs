//! Pull requests come, change and go.

use super::{
    bugs::{Bug, planted},
    config::Policy,
    effect::Refusal,
    entry::{Entry, Phase, Record, Wish, Withdrawal},
    id::{EntryId, RunId},
    pull::{Authorisation, Condition, Origin, Priority, PullFacts, Trust},
    queue::{ENTRIES_MAX, MergeQueue, Outbox},
};
use crate::names::{CommitSha, PullNumber};
use std::collections::BTreeSet;

impl MergeQueue {
    pub(super) fn see_pull(&mut self, facts: PullFacts, out: &mut Outbox) -> Result<(), Refusal> {
        let pull = facts.number;
        match self.by_pull.get(&pull).copied() {
            Some(id) => self.update_entry(id, facts, out),
            None if facts.target != self.config.target => Err(Refusal::WrongTarget {
                pull,
                asked: facts.target,
                target: self.config.target.clone(),
            }),
            None => self.add_entry(facts, out),
        }
    }

    fn add_entry(&mut self, facts: PullFacts, out: &mut Outbox) -> Result<(), Refusal> {
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Refusal::Full(u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX)));
        }
        if self.last_version(facts.number) >= Some(facts.version) {
            return Err(Refusal::OutdatedFacts { pull: facts.number });
        }
        let id: EntryId = self.next_id();
        self.by_pull.insert(facts.number, id);
        let entry = Entry {
            id,
            facts,
            wish: Wish::Watch,
            priority: Priority::Normal,
            origin: Origin::Person,
            waiting_since: self.now,
            record: Record::default(),
            phase: Phase::Observed,
            published: None,
        };
        self.entries.insert(id, entry);
        out.touched.insert(id);
        self.test_new_head(id, out);
        Ok(())
    }

    /// Of what was read before the pull request left, as far as that is remembered.
    fn last_version(&self, pull: PullNumber) -> Option<u64> {
        let over = self.over.iter().filter_map(|id| self.entries.get(id));
        over.filter(|entry| entry.number() == pull).map(|entry| entry.facts.version).max()
    }

    fn update_entry(
        &mut self,
        id: EntryId,
        facts: PullFacts,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get_mut(&id) else { return Ok(()) };
        if facts.version <= entry.facts.version && !planted(Bug::BelieveOldFacts) {
            return Err(Refusal::OutdatedFacts { pull: facts.number });
        }
        let (is_pushed, is_retargeted) =
            (facts.head != entry.facts.head, facts.target != self.config.target);
        let is_reviewed = facts.approved != entry.facts.approved;
        entry.facts = facts;
        out.touched.insert(id);
        if is_retargeted {
            self.withdraw(id, Withdrawal::Retargeted, out);
        } else if is_pushed {
            self.take_push(id, out);
        } else {
            self.settle_entry(id, out);
            if is_reviewed {
                self.merge_reviewed(id, out);
            }
        }
        Ok(())
    }

    /// A new head: what is known about the old one says nothing any more, and the entry waits
    /// behind those who were ready before it.
    fn take_push(&mut self, id: EntryId, out: &mut Outbox) {
        if self.is_landing(id) || planted(Bug::IgnorePush) {
            return;
        }
        self.recall(id, out);
        let now = self.now;
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record = Record::default();
            entry.waiting_since = now;
            if !matches!(entry.phase, Phase::Held { .. }) {
                self.set_phase(id, Phase::Observed, out);
            }
        }
        self.settle_entry(id, out);
        self.test_new_head(id, out);
    }

    pub(super) fn is_landing(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|entry| matches!(entry.phase, Phase::Landing { .. }))
    }

    /// Queues an entry whose conditions hold, and takes one back whose conditions do not.
    pub(super) fn settle_entry(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get(&id) else { return };
        let may_be_queued = self.missing(entry).is_empty();
        match entry.phase {
            Phase::Observed if may_be_queued => self.requeue(id, out),
            Phase::Queued { .. } | Phase::InPipeline { .. } | Phase::Suspect(_)
                if !may_be_queued && !planted(Bug::KeepUnapproved) =>
            {
                self.recall(id, out);
                self.set_phase(id, Phase::Observed, out);
            }
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Held { .. }
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged { .. }
            | Phase::Withdrawn(_) => (),
        }
    }

    /// Everything that stands between an entry and the line.
    pub(super) fn missing(&self, entry: &Entry) -> Vec<Condition> {
        let mut missing = match entry.wish {
            Wish::Watch => vec![Condition::Asked],
            Wish::Land => vec![],
        };
        missing.extend(entry.facts.missing(self.authorisation(entry)));
        if let Some(pull) = self.twin(entry) {
            missing.push(Condition::HeadOfItsOwn { taken_by: Some(pull) });
        }
        missing
    }

    pub(super) fn authorisation(&self, entry: &Entry) -> Authorisation {
        match entry.facts.author {
            Trust::Trusted => Authorisation::Authorised,
            Trust::Untrusted if planted(Bug::BuildUnauthorised) => Authorisation::Authorised,
            Trust::Untrusted if self.authorised.contains(&entry.facts.head) => {
                Authorisation::Authorised
            }
            Trust::Untrusted => Authorisation::Unauthorised,
        }
    }

    /// An older pull request with the same head that is to land as well.
    pub(super) fn twin(&self, entry: &Entry) -> Option<PullNumber> {
        if entry.wish == Wish::Watch {
            return None;
        }
        self.entries
            .range(..entry.id)
            .map(|(_, other)| other)
            .find(|other| {
                other.wish == Wish::Land && !other.is_over() && other.facts.head == entry.facts.head
            })
            .map(Entry::number)
    }

    pub(super) fn lose_pull(&mut self, pull: PullNumber, out: &mut Outbox) -> Result<(), Refusal> {
        let id = self.find(pull)?;
        self.withdraw(id, Withdrawal::Closed, out);
        Ok(())
    }

    /// An entry whose landing is under way stays: the code host closes what has landed.
    pub(super) fn withdraw(&mut self, id: EntryId, why: Withdrawal, out: &mut Outbox) {
        if self.is_landing(id) {
            return;
        }
        self.recall(id, out);
        self.set_phase(id, Phase::Withdrawn(why), out);
    }

    /// Looks again at every entry with this head, after a change that concerns the commit.
    pub(super) fn settle_head(&mut self, head: &CommitSha, out: &mut Outbox) {
        let has_head =
            |id: &&EntryId| self.entries.get(id).is_some_and(|entry| entry.facts.head == *head);
        let ids: Vec<_> = self.by_pull.values().filter(has_head).copied().collect();
        for id in ids {
            self.settle_entry(id, out);
        }
    }

    /// The state of the world after a start: what is not listed is gone.
    pub(super) fn reconcile(
        &mut self,
        pulls: Vec<PullFacts>,
        runs: &[RunId],
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let open: BTreeSet<_> = pulls.iter().map(|facts| facts.number).collect();
        let gone: Vec<_> = self
            .by_pull
            .iter()
            .filter(|(pull, _)| !open.contains(pull))
            .map(|(_, id)| *id)
            .collect();
        for id in gone {
            self.withdraw(id, Withdrawal::Closed, out);
        }
        for facts in pulls {
            // Older facts than ours are no news, and other targets are not ours to judge.
            if let Err(refusal) = self.see_pull(facts, out) {
                out.push(super::effect::Effect::Refuse(refusal));
            }
        }
        self.lose_runs(runs, out);
        self.read_target(out);
        Ok(())
    }

    /// The serial policy tests every new head at once.
    fn test_new_head(&mut self, id: EntryId, out: &mut Outbox) {
        match self.config.policy {
            Policy::Serial(_) => self.restart_serial(id, out),
            Policy::Speculative(_) => (),
        }
    }

    /// The serial policy merges what has passed as soon as it is approved.
    fn merge_reviewed(&mut self, id: EntryId, out: &mut Outbox) {
        match self.config.policy {
            Policy::Serial(_) => self.merge_if_passed(id, out),
            Policy::Speculative(_) => (),
        }
    }
}
