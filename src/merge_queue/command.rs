//! What people ask for, and whether they may.

use super::{
    config::Policy,
    effect::Refusal,
    entry::{Entry, Phase, Record, Standing, Wish, Withdrawal},
    event::{Action, Actor, Command, Permission, PullAction, QueueAction},
    gate::Mode,
    id::EntryId,
    pull::{Authorisation, Origin, Priority},
    queue::{AUTHORISED_MAX, MergeQueue, Outbox},
};
use crate::names::BranchName;

impl MergeQueue {
    pub(super) fn obey(&mut self, command: Command, out: &mut Outbox) -> Result<(), Refusal> {
        let Command { by, action } = command;
        match action {
            Action::Pull { pull, head, action } => {
                may(&by, needed_for_pull(&action))?;
                let id = self.find(pull)?;
                let is = self.entries.get(&id).map(|entry| &entry.facts.head);
                if let (Some(seen), Some(is)) = (head, is)
                    && seen != *is
                {
                    return Err(Refusal::HeadMoved { pull, seen, is: is.clone() });
                }
                out.touched.insert(id);
                self.obey_for_pull(id, action, by, out)
            }
            Action::Queue(action) => {
                may(&by, Permission::Maintain)?;
                self.obey_for_queue(action)
            }
        }
    }

    fn obey_for_pull(
        &mut self,
        id: EntryId,
        action: PullAction,
        by: Actor,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        match action {
            PullAction::Enqueue { target, priority, origin } => {
                self.enqueue(id, target, priority, origin, out)
            }
            PullAction::Unqueue => self.unqueue(id, by, out),
            PullAction::Requeue => self.send_back(id, "requeued", Keep::Everything, out),
            PullAction::RetestFailed => self.send_back(id, "retested", Keep::Passes, out),
            PullAction::Retest => self.retest(id, out),
            PullAction::Try => self.want_try(id),
            PullAction::Hold { reason } => self.hold(id, by, reason, out),
            PullAction::Release => self.release(id, out),
            PullAction::Prioritise(priority) => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.priority = priority;
                }
                Ok(())
            }
            PullAction::Authorise => self.authorise(id, out),
            PullAction::Revoke => self.revoke(id, out),
            PullAction::TryMerge => self.try_merge(id, out),
        }
    }

    fn obey_for_queue(&mut self, action: QueueAction) -> Result<(), Refusal> {
        match action {
            QueueAction::Freeze(freeze) => {
                let id = self.next_id();
                self.gate.freeze(id, freeze)?;
            }
            QueueAction::Thaw(id) => self.gate.thaw(id)?,
            QueueAction::Drain => self.gate.drain(),
            QueueAction::Open => self.gate.mode = Mode::Open,
            QueueAction::ResumeCampaign(campaign) => {
                self.campaigns.entry(campaign).or_default().resume();
            }
        }
        Ok(())
    }

    fn enqueue(
        &mut self,
        id: EntryId,
        target: BranchName,
        priority: Option<Priority>,
        origin: Origin,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let pull = entry.number();
        if target != self.config.target {
            let target_is = self.config.target.clone();
            return Err(Refusal::WrongTarget { pull, asked: target, target: target_is });
        }
        if entry.wish == Wish::Land {
            return Err(Refusal::AlreadyQueued { pull });
        }
        if let Some(taken_by) = self.head_taken(id) {
            return Err(Refusal::HeadTaken { pull, taken_by });
        }
        let now = self.now;
        self.estimates.note_joined(now);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.wish = Wish::Land;
            entry.origin = origin;
            entry.priority = priority.unwrap_or(Priority::usual(origin));
            entry.waiting_since = now;
        }
        self.settle_entry(id, out);
        Ok(())
    }

    fn head_taken(&self, id: EntryId) -> Option<crate::names::PullNumber> {
        let head = &self.entries.get(&id)?.facts.head;
        self.by_pull
            .iter()
            .filter(|(_, other)| **other != id)
            .filter_map(|(pull, other)| Some((pull, self.entries.get(other)?)))
            .find(|(_, other)| other.wish == Wish::Land && other.facts.head == *head)
            .map(|(pull, _)| *pull)
    }

    fn unqueue(&mut self, id: EntryId, by: Actor, out: &mut Outbox) -> Result<(), Refusal> {
        if self.is_landing(id) {
            return self.not_now(id, "unqueued", "its landing is under way");
        }
        self.withdraw(id, Withdrawal::Unqueued { by: by.name }, out);
        Ok(())
    }

    /// From where an entry waits for people, back into the line at its old place.
    fn send_back(
        &mut self,
        id: EntryId,
        action: &str,
        keep: Keep,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get_mut(&id) else { return Ok(()) };
        match entry.phase {
            Phase::Ejected(_) | Phase::Conflicted => {
                entry.record = match keep {
                    Keep::Everything => {
                        Record { failures: vec![], failures_in_lane: 0, ..entry.record.clone() }
                    }
                    Keep::Passes => Record { standing: Standing::Apart, ..Record::default() },
                };
                self.set_phase(id, Phase::Observed, out);
                self.settle_entry(id, out);
                Ok(())
            }
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held { .. }
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. }
            | Phase::Merged { .. }
            | Phase::Withdrawn(_) => self.not_now(id, action, "it has not left the line"),
        }
    }

    fn retest(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        if self.is_landing(id) {
            return self.not_now(id, "retested", "its landing is under way");
        }
        if let Policy::Serial(_) = self.config.policy {
            self.restart_serial(id, out);
            return Ok(());
        }
        self.recall(id, out);
        let Some(entry) = self.entries.get_mut(&id) else { return Ok(()) };
        entry.record = Record::default();
        let pull = entry.number();
        self.proofs.forget(pull);
        if !matches!(entry.phase, Phase::Held { .. }) {
            self.set_phase(id, Phase::Observed, out);
            self.settle_entry(id, out);
        }
        Ok(())
    }

    fn hold(
        &mut self,
        id: EntryId,
        by: Actor,
        reason: String,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if self.is_landing(id) {
            return self.not_now(id, "held", "its landing is under way");
        }
        self.recall(id, out);
        self.set_phase(id, Phase::Held { by: by.name, reason }, out);
        Ok(())
    }

    fn release(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        match self.entries.get(&id).map(|entry| &entry.phase) {
            Some(Phase::Held { .. }) => {
                self.set_phase(id, Phase::Observed, out);
                self.settle_entry(id, out);
                Ok(())
            }
            _ => self.not_now(id, "released", "nobody holds it"),
        }
    }

    fn authorise(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        if self.authorised.len() >= AUTHORISED_MAX {
            return self.not_now(id, "authorised", "too many commits are: revoke some first");
        }
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let head = entry.facts.head.clone();
        self.authorised.insert(head.clone());
        self.settle_head(&head, out);
        if let Policy::Serial(_) = self.config.policy {
            self.restart_serial(id, out);
        }
        Ok(())
    }

    fn revoke(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let head = entry.facts.head.clone();
        self.authorised.remove(&head);
        self.settle_head(&head, out);
        let loses_its_tests = |entry: &Entry| {
            entry.facts.head == head && self.authorisation(entry) == Authorisation::Unauthorised
        };
        let ids: Vec<_> =
            self.entries.values().filter(|it| loses_its_tests(it)).map(|it| it.id).collect();
        for id in ids {
            self.recall(id, out);
        }
        Ok(())
    }

    fn try_merge(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        match self.config.policy {
            Policy::Serial(_) => {
                self.merge_if_passed(id, out);
                if self.is_landing(id) {
                    return Ok(());
                }
                self.not_now(id, "merged", "it has not passed on this target, or is not approved")
            }
            Policy::Speculative(_) => {
                self.not_now(id, "merged", "this queue lands by itself what has passed")
            }
        }
    }

    pub(super) fn not_now(&self, id: EntryId, action: &str, because: &str) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let (pull, action) = (entry.number(), action.to_owned());
        Err(Refusal::NotNow { pull, action, because: because.to_owned() })
    }
}

/// What is still believed about an entry that comes back.
#[derive(Clone, Copy)]
enum Keep {
    Everything,
    Passes,
}

fn needed_for_pull(action: &PullAction) -> Permission {
    match action {
        PullAction::Authorise | PullAction::Revoke => Permission::Maintain,
        PullAction::Enqueue { .. }
        | PullAction::Unqueue
        | PullAction::Requeue
        | PullAction::Retest
        | PullAction::RetestFailed
        | PullAction::Try
        | PullAction::Hold { .. }
        | PullAction::Release
        | PullAction::Prioritise(_)
        | PullAction::TryMerge => Permission::Write,
    }
}

fn may(actor: &Actor, needed: Permission) -> Result<(), Refusal> {
    if actor.permission >= needed {
        return Ok(());
    }
    Err(Refusal::Denied { name: actor.name.clone(), has: actor.permission, needed })
}
