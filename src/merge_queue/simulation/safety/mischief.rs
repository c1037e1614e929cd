//! What people, other programs and confused messengers do to the queue.

use super::{
    super::names::{branch, sha, unapproved},
    world::World,
};
use crate::{
    id::CampaignId,
    merge_queue::{
        candidate::JobsDigest,
        event::{
            Action, Actor, Against, BuildFailure, Command, Event, Permission, PullAction,
            QueueAction, RunResult,
        },
        gate::{Freeze, Scope, Testing},
        id::{CandidateId, FreezeId, LandingId, ReadingId, RunId},
        pull::{Origin, Priority, PullFacts, Readiness, Trust},
    },
    names::{BranchName, CommitSha, PullNumber},
};
use std::time::Duration;
use uuid::Uuid;

const PULLS_MAX: usize = 8;

impl World {
    pub(super) const CAMPAIGNS: [Uuid; 2] = [Uuid::nil(), Uuid::max()];

    pub(super) fn change_pull(&mut self) -> Result<(), String> {
        let known: Vec<_> = self.pulls.keys().copied().collect();
        let is_new = known.len() < PULLS_MAX && self.random.percent(50);
        let number = match self.random.pick(&known) {
            Some(number) if !is_new => *number,
            _ => PullNumber(i64::try_from(self.last_head).unwrap_or(0)),
        };
        self.last_head += 1;
        let head: CommitSha = sha(500_000_000 + self.last_head);
        let draw = self.random.below(20);
        if draw == 0 && self.pulls.contains_key(&number) {
            self.pulls.remove(&number);
            return self.tell(Event::PullGone { pull: number });
        }
        let twin = self.pulls.values().map(|facts| facts.head.clone()).next();
        let facts = self.pulls.entry(number).or_insert_with(|| unapproved(number, head.clone()));
        facts.version += 1;
        change(facts, draw, head, twin);
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
        let action = match self.random.below(18) {
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
            10 => PullAction::Prioritise(self.priority()),
            _ => self.enqueue(),
        };
        let head = match self.random.below(4) {
            0 => None,
            1 => Some(sha(500_000_000 + self.last_head)),
            _ => self.pulls.get(&pull).map(|facts| facts.head.clone()),
        };
        let permission = match self.random.below(12) {
            0 => Permission::Read,
            1 => Permission::Write,
            _ => Permission::Maintain,
        };
        let by = Actor { name: "somebody".to_owned(), permission };
        self.tell(Event::Command(Command { by, action: Action::Pull { pull, head, action } }))
    }

    fn priority(&mut self) -> Priority {
        self.random.pick(&Priority::ALL).copied().unwrap_or(Priority::Normal)
    }

    fn enqueue(&mut self) -> PullAction {
        let origin = match self.random.below(8) {
            0 | 1 => Origin::Campaign(CampaignId(Self::CAMPAIGNS[0])),
            2 => Origin::Campaign(CampaignId(Self::CAMPAIGNS[1])),
            _ => Origin::Person,
        };
        let priority = self.random.percent(33).then(|| self.priority());
        PullAction::Enqueue { target: branch(), priority, origin }
    }

    pub(super) fn command(&mut self, action: Action) -> Result<(), String> {
        let by = Actor { name: "somebody".to_owned(), permission: Permission::Maintain };
        self.tell(Event::Command(Command { by, action }))
    }

    pub(super) fn command_queue(&mut self) -> Result<(), String> {
        let action = match self.random.below(8) {
            0 => QueueAction::Drain,
            1 => QueueAction::Freeze(self.freeze()),
            2..=4 => return self.thaw_all(),
            5 => QueueAction::ResumeCampaign(CampaignId(Self::CAMPAIGNS[0])),
            _ => QueueAction::Open,
        };
        self.command(Action::Queue(action))
    }

    fn freeze(&mut self) -> Freeze {
        Freeze {
            scope: match self.random.below(3) {
                0 => Scope::Everything,
                1 => Scope::Campaigns,
                _ => Scope::Campaign(CampaignId(Self::CAMPAIGNS[1])),
            },
            least_priority: self.random.percent(50).then_some(Priority::High),
            reason: "a release".to_owned(),
            by: "somebody".to_owned(),
            until: self.random.percent(50).then_some(self.now + Duration::from_secs(600)),
            testing: if self.random.percent(50) { Testing::Goes } else { Testing::Stops },
        }
    }

    pub(super) fn disturb_target(&mut self) -> Result<(), String> {
        if self.random.percent(75) {
            self.host.push_by_others();
        } else {
            self.host.force_push_by_others();
        }
        if self.random.percent(50) { self.tell(Event::TargetHinted) } else { Ok(()) }
    }

    /// Answers to what nobody asked, or of another time.
    pub(super) fn tell_nonsense(&mut self) -> Result<(), String> {
        let id = self.random.draw() % 400;
        let never = 1_000_000 + id;
        let pull = PullNumber(-1);
        let event = match self.random.below(10) {
            0 => Event::RunFinished { run: RunId(id), result: RunResult::Passed },
            1 => Event::Landed { landing: LandingId(never), tip: self.host.tip() },
            2 => Event::LandUnknown { landing: LandingId(never) },
            3 => Event::TargetRead {
                reading: ReadingId(never),
                tip: self.host.tip(),
                history: self.host.history(None, &sha(7)),
            },
            4 => Event::PullGone { pull },
            5 => Event::CandidateConflicted {
                candidate: CandidateId(id),
                pull,
                with: Against::Pull(pull),
            },
            6 => Event::CandidateNotBuilt {
                candidate: CandidateId(never),
                why: BuildFailure::Machinery,
            },
            7 => return self.command(Action::Queue(QueueAction::Thaw(FreezeId(never)))),
            8 => return self.tell_late(Event::Tick),
            _ => Event::CandidateBuilt {
                candidate: CandidateId(never),
                commit: sha(7),
                tree: sha(8),
                jobs: JobsDigest(String::new()),
            },
        };
        self.tell(event)
    }
}

/// What happens to a pull request; most often it becomes ready to land.
fn change(facts: &mut PullFacts, draw: usize, head: CommitSha, twin: Option<CommitSha>) {
    match draw {
        1..=3 => facts.head = head,
        4 => facts.approved = None,
        5 => facts.author = Trust::Untrusted,
        6 => facts.author = Trust::Trusted,
        7 => facts.conversations_open = 1,
        8 => facts.readiness = Readiness::Draft,
        9 => facts.checks_missing = vec!["lint".to_owned()],
        10 => facts.target = other_branch(),
        11 => facts.head = twin.unwrap_or(head),
        _ => {
            facts.target = branch();
            facts.conversations_open = 0;
            facts.readiness = Readiness::Ready;
            facts.checks_missing.clear();
            facts.approved = Some(facts.head.clone());
        }
    }
}

#[expect(clippy::expect_used, reason = "`next` is a branch name")]
fn other_branch() -> BranchName {
    "next".parse().expect("a branch name")
}
