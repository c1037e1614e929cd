//! What people ask for, and whether they may.

use super::{
    config::Policy,
    effect::Refusal,
    entry::{Entry, Hold, Phase, Record, Standing, Wish, Withdrawal},
    event::{Action, Actor, Command, Permission, PullAction, QueueAction},
    gate::Mode,
    id::EntryId,
    pull::{Origin, Priority},
    queue::{MergeQueue, Outbox},
};
use crate::names::{BranchName, CommitSha, PullNumber};

impl MergeQueue {
    pub(super) fn obey(&mut self, command: Command, out: &mut Outbox) -> Result<(), Refusal> {
        let Command { by, action } = command;
        match action {
            Action::Pull { pull, head, action } => {
                may(&by, needed_for_pull(&action))?;
                let id = self.find(pull)?;
                self.check_seen(id, head, &action)?;
                out.touched.insert(id);
                self.obey_for_pull(id, action, by, out)
            }
            Action::Queue(action) => {
                may(&by, Permission::Maintain)?;
                self.obey_for_queue(action)
            }
        }
    }

    /// Holds the head that the person saw against the one that there is.
    fn check_seen(
        &self,
        id: EntryId,
        seen: Option<CommitSha>,
        action: &PullAction,
    ) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let (pull, is) = (entry.number(), entry.facts.head.clone());
        match seen {
            Some(seen) if seen != is => Err(Refusal::HeadMoved { pull, seen, is }),
            None if *action == PullAction::Authorise => Err(Refusal::HeadNeeded { pull }),
            Some(_) | None => Ok(()),
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
            QueueAction::Drain => self.gate.drain()?,
            QueueAction::Open => self.gate.mode = Mode::Open,
            QueueAction::ResumeCampaign(campaign) => self
                .campaigns
                .get_mut(&campaign)
                .ok_or(Refusal::UnknownCampaign(campaign))?
                .resume(),
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
            return match entry.phase {
                // Whoever asks for it again wants what a requeue does.
                Phase::Ejected(_) | Phase::Conflicted => {
                    self.send_back(id, "enqueued", Keep::Everything, out)
                }
                Phase::Held(_) => self.not_now(id, "enqueued", "it is held: release it"),
                Phase::Observed
                | Phase::Queued { .. }
                | Phase::InPipeline { .. }
                | Phase::Suspect(_)
                | Phase::Landing { .. }
                | Phase::Merged(_)
                | Phase::Withdrawn(_) => Err(Refusal::AlreadyQueued { pull }),
            };
        }
        if let Some(taken_by) = self.head_taken(id) {
            return Err(Refusal::HeadTaken { pull, taken_by });
        }
        self.estimates.note_joined(self.now);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.wish = Wish::Land;
            entry.origin = origin;
            entry.priority = priority.unwrap_or(Priority::usual(origin));
            entry.waiting_since = None;
            if matches!(entry.phase, Phase::Withdrawn(_)) {
                self.set_phase(id, Phase::Observed, out);
            }
        }
        self.settle_entry(id, out);
        Ok(())
    }

    fn head_taken(&self, id: EntryId) -> Option<PullNumber> {
        let head = &self.entries.get(&id)?.facts.head;
        let mut others = self.with_head(head).filter(|other| other.id != id);
        others.find(|other| other.wish == Wish::Land).map(Entry::number)
    }

    /// It may be asked for again, at the end of the line.
    fn unqueue(&mut self, id: EntryId, by: Actor, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        if self.is_landing(id) {
            return self.not_now(id, "unqueued", "its landing is under way");
        }
        if entry.wish == Wish::Watch {
            return self.not_now(id, "unqueued", "nobody has asked the queue to land it");
        }
        let head = entry.facts.head.clone();
        self.recall(id, out);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.wish = Wish::Watch;
            (entry.origin, entry.priority) = (Origin::Person, Priority::Normal);
        }
        self.set_phase(id, Phase::Withdrawn(Withdrawal::Unqueued { by: by.name }), out);
        self.settle_head(&head, out);
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
        let because = match (&entry.phase, entry.wish) {
            (Phase::Ejected(_) | Phase::Conflicted, _) => {
                let tried = entry.record.tried;
                entry.record = match keep {
                    Keep::Everything => {
                        Record { failures: vec![], failures_in_lane: 0, ..entry.record.clone() }
                    }
                    Keep::Passes => {
                        Record { standing: Standing::Apart, tried, ..Record::default() }
                    }
                };
                self.set_phase(id, Phase::Observed, out);
                self.settle_entry(id, out);
                self.test_new_head(id, out);
                return Ok(());
            }
            (Phase::Held(_), _) => "it is held: release it",
            (Phase::Observed | Phase::Withdrawn(_), Wish::Watch) => {
                "nobody asks the queue to land it: enqueue it"
            }
            (Phase::Observed, Wish::Land) => "it waits for its conditions",
            (
                Phase::Queued { .. }
                | Phase::InPipeline { .. }
                | Phase::Suspect(_)
                | Phase::Landing { .. }
                | Phase::Merged(_)
                | Phase::Withdrawn(_),
                _,
            ) => "it has not left the line",
        };
        self.not_now(id, action, because)
    }

    fn retest(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        if self.is_landing(id) {
            return self.not_now(id, "retested", "its landing is under way");
        }
        self.stop_tests(id, out);
        let Some(entry) = self.entries.get_mut(&id) else { return Ok(()) };
        entry.record = Record::default();
        let pull = entry.number();
        self.proofs.forget(pull);
        match entry.phase {
            Phase::Held(Hold::Person { .. }) | Phase::Withdrawn(_) => (),
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held(Hold::Machinery)
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_) => {
                self.set_phase(id, Phase::Observed, out);
                self.settle_entry(id, out);
            }
        }
        self.test_new_head(id, out);
        Ok(())
    }

    fn hold(
        &mut self,
        id: EntryId,
        by: Actor,
        reason: String,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let because = match self.entries.get(&id).map(|entry| &entry.phase) {
            Some(Phase::Landing { .. }) => "its landing is under way",
            // To hold it would forget why it left.
            Some(Phase::Ejected(_) | Phase::Conflicted | Phase::Withdrawn(_)) => {
                "it has left the line already"
            }
            Some(
                Phase::Observed
                | Phase::Queued { .. }
                | Phase::Held(_)
                | Phase::InPipeline { .. }
                | Phase::Suspect(_)
                | Phase::Merged(_),
            )
            | None => {
                self.recall(id, out);
                self.set_phase(id, Phase::Held(Hold::Person { by: by.name, reason }), out);
                return Ok(());
            }
        };
        self.not_now(id, "held", because)
    }

    fn release(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get_mut(&id) else { return Ok(()) };
        if !matches!(entry.phase, Phase::Held(_)) {
            return self.not_now(id, "released", "nobody holds it");
        }
        entry.record.broke_at = None;
        self.set_phase(id, Phase::Observed, out);
        self.settle_entry(id, out);
        self.test_new_head(id, out);
        Ok(())
    }

    fn authorise(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let head = entry.facts.head.clone();
        self.authorised.insert(head.clone());
        self.settle_head(&head, out);
        self.test_new_head(id, out);
        Ok(())
    }

    fn revoke(&mut self, id: EntryId, out: &mut Outbox) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let head = entry.facts.head.clone();
        self.authorised.remove(&head);
        self.settle_head(&head, out);
        for id in self.with_head(&head).map(|entry| entry.id).collect::<Vec<_>>() {
            self.stop_unauthorised(id, out);
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

/// Critical entries pass most freezes, which are a maintainer's word.
fn needed_for_pull(action: &PullAction) -> Permission {
    match action {
        PullAction::Authorise
        | PullAction::Revoke
        | PullAction::Enqueue { priority: Some(Priority::Critical), .. }
        | PullAction::Prioritise(Priority::Critical) => Permission::Maintain,
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
