//! What people, other programs and confused messengers do to the queue.

use super::{
    super::names::{branch, sha},
    world::World,
};
use crate::{
    id::CampaignId,
    merge_queue::{
        candidate::JobsDigest,
        event::{Action, Actor, Command, Event, Permission, PullAction, QueueAction, RunResult},
        gate::{Freeze, Scope, Testing},
        id::{CandidateId, FreezeId, LandingId, ReadingId, RunId},
        pull::{Origin, Priority, PullFacts, Readiness, Trust},
    },
    names::{CommitSha, PullNumber},
};
use std::time::Duration;
use uuid::Uuid;

const PULLS_MAX: usize = 8;

impl World {
    pub(super) fn change_pull(&mut self) -> Result<(), String> {
        let known: Vec<_> = self.pulls.keys().copied().collect();
        let is_new = known.len() < PULLS_MAX && self.random.percent(50);
        let number = match self.random.pick(&known) {
            Some(number) if !is_new => *number,
            _ => PullNumber(i64::try_from(self.last_head).unwrap_or(0)),
        };
        self.last_head += 1;
        let head: CommitSha = sha(500_000_000 + self.last_head);
        let draw = self.random.below(12);
        if draw == 0 && self.pulls.contains_key(&number) {
            self.pulls.remove(&number);
            return self.tell(Event::PullGone { pull: number });
        }
        let facts = self.pulls.entry(number).or_insert_with(|| PullFacts {
            number,
            version: 0,
            head: head.clone(),
            target: branch(),
            readiness: Readiness::Ready,
            approved: None,
            author: Trust::Trusted,
            checks_missing: vec![],
            conversations_open: 0,
        });
        facts.version += 1;
        match draw {
            1..=2 => facts.head = head,
            3 => facts.approved = None,
            4 => facts.author = Trust::Untrusted,
            5 => facts.conversations_open = 1,
            _ => {
                facts.conversations_open = 0;
                facts.approved = Some(facts.head.clone());
            }
        }
        let facts = facts.clone();
        // News travel at their own speed: they may arrive in any order.
        if self.random.percent(50) {
            self.answers.push(Event::PullSeen(facts));
            return Ok(());
        }
        self.tell(Event::PullSeen(facts))
    }

    pub(super) fn command_pull(&mut self) -> Result<(), String> {
        let known: Vec<_> = self.pulls.keys().copied().collect();
        let Some(pull) = self.random.pick(&known).copied() else { return Ok(()) };
        let action = match self.random.below(16) {
            0 => PullAction::Unqueue,
            1 => PullAction::Requeue,
            2 => PullAction::Retest,
            3 => PullAction::RetestFailed,
            4 => PullAction::Try,
            5 => PullAction::Hold { reason: "a reason".to_owned() },
            6 => PullAction::Release,
            7 => PullAction::Authorise,
            8 => PullAction::Revoke,
            9 => PullAction::TryMerge,
            _ => self.enqueue(),
        };
        self.command(Action::Pull { pull, head: None, action })
    }

    fn enqueue(&mut self) -> PullAction {
        let origin = match self.random.below(4) {
            0 => Origin::Campaign(CampaignId(Uuid::nil())),
            _ => Origin::Person,
        };
        let priority = match self.random.below(6) {
            0 => Some(Priority::Critical),
            1 => Some(Priority::High),
            _ => None,
        };
        PullAction::Enqueue { target: branch(), priority, origin }
    }

    pub(super) fn command(&mut self, action: Action) -> Result<(), String> {
        let by = Actor { name: "somebody".to_owned(), permission: Permission::Maintain };
        self.tell(Event::Command(Command { by, action }))
    }

    pub(super) fn command_queue(&mut self) -> Result<(), String> {
        let action = match self.random.below(8) {
            0 => QueueAction::Drain,
            1 => QueueAction::Freeze(Freeze {
                scope: if self.random.percent(50) { Scope::Everything } else { Scope::Campaigns },
                least_priority: self.random.percent(50).then_some(Priority::High),
                reason: "a release".to_owned(),
                by: "somebody".to_owned(),
                until: self.random.percent(50).then_some(self.now + Duration::from_secs(600)),
                testing: if self.random.percent(50) { Testing::Goes } else { Testing::Stops },
            }),
            2..=4 => return self.thaw_all(),
            5 => QueueAction::ResumeCampaign(CampaignId(Uuid::nil())),
            _ => QueueAction::Open,
        };
        self.command(Action::Queue(action))
    }

    pub(super) fn thaw_all(&mut self) -> Result<(), String> {
        let freezes: Vec<FreezeId> = self.queue.gate.freezes.keys().copied().collect();
        for id in freezes {
            self.command(Action::Queue(QueueAction::Thaw(id)))?;
        }
        Ok(())
    }

    pub(super) fn disturb_target(&mut self) -> Result<(), String> {
        if self.random.percent(75) {
            self.host.push_by_others();
        } else {
            self.host.force_push_by_others();
        }
        if self.random.percent(50) { self.tell(Event::TargetHinted) } else { Ok(()) }
    }

    pub(super) fn tell_nonsense(&mut self) -> Result<(), String> {
        let number = self.random.draw() % 400;
        let (commit, tree) = (sha(7), sha(8));
        let event = match self.random.below(6) {
            0 => Event::RunFinished { run: RunId(number), result: RunResult::Passed },
            1 => Event::Landed { landing: LandingId(1_000_000 + number), tip: self.host.tip() },
            2 => Event::LandUnknown { landing: LandingId(1_000_000 + number) },
            3 => Event::TargetRead {
                reading: ReadingId(1_000_000 + number),
                tip: self.host.tip(),
                landing: self.host.ancestry(None),
            },
            4 => Event::PullGone { pull: PullNumber(-1) },
            _ => Event::CandidateBuilt {
                candidate: CandidateId(1_000_000 + number),
                commit,
                tree,
                jobs: JobsDigest(String::new()),
            },
        };
        self.tell(event)
    }
}
