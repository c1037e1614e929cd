//! Pull requests come, change and go.

use super::{
    bugs::{Bug, planted},
    config::Policy,
    effect::Refusal,
    entry::{Entry, Hold, Phase, Record, Wish, Withdrawal},
    id::{EntryId, RunId},
    pull::{Authorisation, Condition, Origin, Priority, PullFacts, Trust},
    queue::{ENTRIES_MAX, MergeQueue, OVER_MAX, Outbox},
};
use crate::names::{CommitSha, PullNumber};
use std::{collections::BTreeSet, time::Duration};

impl MergeQueue {
    pub(super) fn see_pull(&mut self, facts: PullFacts, out: &mut Outbox) -> Result<(), Refusal> {
        let pull = facts.number;
        match self.by_pull.get(&pull).copied() {
            Some(id) => self.update_entry(id, facts, out),
            None if facts.target != self.config.target => {
                self.note_elsewhere(pull, facts.version);
                let target = self.config.target.clone();
                Err(Refusal::WrongTarget { pull, asked: facts.target, target })
            }
            None => self.add_entry(facts, out),
        }
    }

    /// An older reading, which may still arrive, is known to be old by this.
    fn note_elsewhere(&mut self, pull: PullNumber, version: u64) {
        self.elsewhere.push_back((pull, version));
        if self.elsewhere.len() > OVER_MAX {
            self.elsewhere.pop_front();
        }
    }

    fn add_entry(&mut self, facts: PullFacts, out: &mut Outbox) -> Result<(), Refusal> {
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Refusal::Full(u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX)));
        }
        let pull = facts.number;
        if self.elsewhere.iter().any(|(it, version)| *it == pull && facts.version <= *version) {
            return Err(Refusal::OutdatedFacts { pull });
        }
        if let Some(before) = self.last_over(pull) {
            if facts.version <= before.facts.version {
                return Err(Refusal::OutdatedFacts { pull });
            }
            // The code host closes what has landed, in its own time.
            if matches!(&before.phase, Phase::Merged(merge) if merge.head == facts.head) {
                return Err(Refusal::IsMerged { pull });
            }
        }
        let id: EntryId = self.next_id();
        self.by_pull.insert(pull, id);
        let entry = Entry {
            id,
            facts,
            wish: Wish::Watch,
            priority: Priority::Normal,
            origin: Origin::Person,
            waiting_since: None,
            record: Record::default(),
            phase: Phase::Observed,
            outcome: None,
            leaving: None,
            published: None,
        };
        self.by_head.entry(entry.facts.head.clone()).or_default().insert(id);
        self.entries.insert(id, entry);
        out.touched.insert(id);
        self.test_new_head(id, out);
        Ok(())
    }

    /// The pull request as it was when it ended, as far as that is remembered.
    pub(super) fn last_over(&self, pull: PullNumber) -> Option<&Entry> {
        let mut over = self.over.iter().rev().filter_map(|id| self.entries.get(id));
        over.find(|entry| entry.number() == pull)
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
        let before = std::mem::replace(&mut entry.facts, facts);
        let is_pushed = entry.facts.head != before.head;
        let is_retargeted = entry.facts.target != self.config.target;
        if is_pushed {
            self.by_head.entry(entry.facts.head.clone()).or_default().insert(id);
            self.unlist_head(id, &before.head);
        }
        out.touched.insert(id);
        if is_retargeted {
            self.withdraw(id, Withdrawal::Retargeted, out);
        } else if is_pushed {
            self.take_push(id, out);
        } else {
            self.settle_entry(id, out);
            self.stop_unauthorised(id, out);
        }
        if is_pushed {
            self.leave_head(&before.head, out);
        }
        Ok(())
    }

    /// A new head: what is known about the old one says nothing any more, and the entry waits
    /// behind those who were ready before it.
    fn take_push(&mut self, id: EntryId, out: &mut Outbox) {
        if planted(Bug::IgnorePush) {
            return;
        }
        self.stop_tests(id, out);
        if self.is_landing(id) {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record = Record::default();
            entry.waiting_since = None;
            if !matches!(entry.phase, Phase::Held(Hold::Person { .. })) {
                self.set_phase(id, Phase::Observed, out);
            }
        }
        self.settle_entry(id, out);
        self.test_new_head(id, out);
    }

    /// A pull request has this head no longer: who shared it is alone with it now, and if nobody
    /// has it, its authorisation ends.
    pub(super) fn leave_head(&mut self, head: &CommitSha, out: &mut Outbox) {
        self.settle_head(head, out);
        if !self.by_head.contains_key(head) {
            self.authorised.remove(head);
        }
    }

    pub(super) fn unlist_head(&mut self, id: EntryId, head: &CommitSha) {
        if let Some(ids) = self.by_head.get_mut(head) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_head.remove(head);
            }
        }
    }

    /// The entries with this head that are not over.
    pub(super) fn with_head(&self, head: &CommitSha) -> impl Iterator<Item = &Entry> {
        self.by_head.get(head).into_iter().flatten().filter_map(|id| self.entries.get(id))
    }

    pub(super) fn is_landing(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|entry| matches!(entry.phase, Phase::Landing { .. }))
    }

    /// Queues an entry whose conditions hold, and takes one back whose conditions do not. The
    /// serial policy has no line: it tests everybody, and looks at the conditions when it lands.
    pub(super) fn settle_entry(&mut self, id: EntryId, out: &mut Outbox) {
        if let Policy::Serial(_) = self.config.policy {
            return;
        }
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
            | Phase::Held(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => (),
        }
    }

    /// Nothing runs for a commit that lost its authorisation, whatever it was to show.
    pub(super) fn stop_unauthorised(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get(&id) else { return };
        let is_unauthorised = self.authorisation(entry) == Authorisation::Unauthorised;
        if is_unauthorised && !planted(Bug::RunUnauthorised) {
            self.stop_tests(id, out);
        }
    }

    /// Everything that stands between an entry and the line.
    pub(super) fn missing(&self, entry: &Entry) -> Vec<Condition> {
        let mut missing = match (entry.wish, self.config.policy) {
            (Wish::Watch, Policy::Speculative(_)) => vec![Condition::Asked],
            // The serial policy lands whatever is approved and passes.
            (Wish::Watch, Policy::Serial(_)) | (Wish::Land, _) => vec![],
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
        self.with_head(&entry.facts.head)
            .find(|other| other.id < entry.id && other.wish == Wish::Land)
            .map(Entry::number)
    }

    /// What has landed is closed by the code host, which is no news.
    pub(super) fn lose_pull(&mut self, pull: PullNumber, out: &mut Outbox) -> Result<(), Refusal> {
        match self.by_pull.get(&pull).copied() {
            Some(id) => self.withdraw(id, Withdrawal::Closed, out),
            None if self.last_over(pull).is_some() => (),
            None => return Err(Refusal::UnknownPull { pull }),
        }
        Ok(())
    }

    /// While an entry's landing is under way, the answer to that decides where it goes.
    pub(super) fn withdraw(&mut self, id: EntryId, why: Withdrawal, out: &mut Outbox) {
        self.stop_tests(id, out);
        if self.is_landing(id) {
            if let Some(entry) = self.entries.get_mut(&id)
                && !planted(Bug::LandWhatLeft)
            {
                entry.leaving = Some(why);
            }
            return;
        }
        self.set_phase(id, Phase::Withdrawn(why), out);
    }

    /// Looks again at every entry with this head, after a change that concerns the commit.
    pub(super) fn settle_head(&mut self, head: &CommitSha, out: &mut Outbox) {
        let ids: Vec<_> = self.with_head(head).map(|entry| entry.id).collect();
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
        self.audit_again(Duration::ZERO, out);
        self.read_target(out);
        Ok(())
    }

    /// The serial policy tests every new head at once.
    pub(super) fn test_new_head(&mut self, id: EntryId, out: &mut Outbox) {
        match self.config.policy {
            Policy::Serial(_) => self.restart_serial(id, out),
            Policy::Speculative(_) => (),
        }
    }
}
