//! A code host with one repository, one branch of ours and people who are awake. It checks what
//! no plan may do to it.

use crate::{
    changeset::{
        Closer, DriftChoice, Observed, Pull, PullState, Pushed, Reopen, Tip,
        plan::Lease,
        spec::{BranchSpec, ContentDigest},
        words::Words,
    },
    names::{CommitSha, PullNumber},
    random::Random,
};
use std::collections::BTreeMap;

/// The code host said no, as it does when the truth is another than the plan believed.
pub(super) struct Refused;

pub(super) struct Host {
    tip: Option<CommitSha>,
    /// The commits that Drover pushed. All others are somebody's.
    ours: BTreeMap<CommitSha, ContentDigest>,
    pulls: Vec<Pull>,
    closed_by: Closer,
    /// Drover sent a close: whoever it was that closed it, it may have been that.
    close_sent: bool,
    /// When Drover looked last, the pull request was over: nothing is written to it.
    over_at_look: bool,
    /// A person wrote the title.
    edited: bool,
    commits: u32,
}

impl Host {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut host = Self {
            tip: None,
            ours: BTreeMap::new(),
            pulls: Vec::new(),
            closed_by: Closer::Person,
            close_sent: false,
            over_at_look: false,
            edited: false,
            commits: 0,
        };
        if random.chance(15) {
            host.tip = Some(host.new_commit());
        }
        host
    }

    pub(super) fn new_commit(&mut self) -> CommitSha {
        self.commits += 1;
        format!("{:040x}", self.commits).parse().unwrap()
    }

    pub(super) fn tip(&self) -> Option<CommitSha> {
        self.tip.clone()
    }

    pub(super) fn observed_tip(&self) -> Tip {
        self.tip.clone().map_or(Tip::Absent, Tip::At)
    }

    /// Drover looks at the last pull request no more.
    pub(super) fn forget(&mut self) {
        self.pulls.clear();
        (self.over_at_look, self.close_sent) = (false, false);
    }

    /// What Drover sees when it looks, and it knows no more until it looks again.
    pub(super) fn look(&mut self) -> Observed {
        self.over_at_look = self.pulls.last().is_some_and(|pull| match pull.state {
            PullState::Draft | PullState::Open => false,
            PullState::Closed | PullState::Merged | PullState::Deleted | PullState::ReadOnly => {
                true
            }
        });
        // Seen open, it was not closed by what Drover sent.
        self.close_sent &= self.over_at_look;
        self.observe()
    }

    pub(super) fn close_is_on_its_way(&mut self) {
        self.close_sent = true;
        // Who closed it a moment before wanted the same, and nobody can tell the two apart.
        if !self.over_at_look {
            self.closed_by = Closer::Drover;
        }
    }

    pub(super) fn content_at_tip(&self) -> Option<ContentDigest> {
        self.ours.get(self.tip.as_ref()?).cloned()
    }

    pub(super) fn observe(&self) -> Observed {
        match self.pulls.last() {
            Some(pull) => Observed::Pull(pull.clone()),
            None => Observed::Unpublished { head: self.tip.clone() },
        }
    }

    pub(super) fn check(&self) {
        assert!(self.pulls.len() <= 1, "{} pull requests for one branch", self.pulls.len());
    }

    fn pull_in(&mut self, states: &[PullState]) -> Result<&mut Pull, Refused> {
        self.pulls.last_mut().filter(|pull| states.contains(&pull.state)).ok_or(Refused)
    }

    pub(super) fn push(
        &mut self,
        pushed: Pushed,
        lease: &Lease,
        choice: &DriftChoice,
    ) -> Result<(), Refused> {
        let holds = match (lease, &self.tip) {
            (Lease::Absent, tip) => tip.is_none(),
            (Lease::At(commit), tip) => tip.as_ref() == Some(commit),
        };
        if !holds {
            return Err(Refused);
        }
        assert!(!self.over_at_look, "pushed over what was seen to be over");
        if let Some(tip) = self.tip.as_ref().filter(|tip| !self.ours.contains_key(*tip)) {
            let chosen = DriftChoice::Overwrite { head: tip.clone() };
            assert_eq!(*choice, chosen, "a commit of somebody was pushed over");
        }
        self.ours.insert(pushed.commit.clone(), pushed.content);
        self.move_to(pushed.commit);
        Ok(())
    }

    fn move_to(&mut self, commit: CommitSha) {
        self.tip = Some(commit.clone());
        if let Ok(pull) = self.pull_in(&[PullState::Open, PullState::Draft, PullState::Closed]) {
            pull.head = commit;
        }
    }

    pub(super) fn open(&mut self, spec: &BranchSpec, state: PullState) -> Result<(), Refused> {
        let head = self.tip.clone().ok_or(Refused)?;
        if self.pull_in(&[PullState::Open, PullState::Draft]).is_ok() {
            return Err(Refused);
        }
        let BranchSpec { title, body, base, .. } = spec.clone();
        self.edited = false;
        let pull = Pull { number: PullNumber(1), state, title, body, base, head, merged_at: None };
        self.pulls.push(pull);
        Ok(())
    }

    pub(super) fn close(&mut self, by: Closer) -> Result<(), Refused> {
        self.pull_in(&[PullState::Open, PullState::Draft])?.state = PullState::Closed;
        self.closed_by = if self.close_sent { Closer::Drover } else { by };
        Ok(())
    }

    pub(super) fn reopen(&mut self, asked: Reopen) -> Result<(), Refused> {
        let allowed = self.closed_by == Closer::Drover || asked == Reopen::Asked;
        let pull = self.pull_in(&[PullState::Closed])?;
        assert!(allowed, "what a person closed was opened again");
        // Until Drover has seen it open, a close that comes now looks like its own.
        pull.state = PullState::Open;
        Ok(())
    }

    pub(super) fn convert(&mut self, from: PullState, to: PullState) -> Result<(), Refused> {
        self.pull_in(&[from])?.state = to;
        Ok(())
    }

    pub(super) fn update(&mut self, words: &Words) -> Result<(), Refused> {
        assert!(!self.over_at_look, "renamed what was seen to be over");
        let Words { title, body, base } = words.clone();
        let is_titled = title.is_some();
        let pull = self.pull_in(&[PullState::Open, PullState::Draft])?;
        pull.title = title.unwrap_or(std::mem::take(&mut pull.title));
        pull.body = body.unwrap_or(std::mem::take(&mut pull.body));
        pull.base = base.unwrap_or(pull.base.clone());
        self.edited &= !is_titled;
        Ok(())
    }

    /// Whether a person wrote the title since Drover did.
    pub(super) fn is_edited(&self) -> bool {
        self.edited
    }

    /// Somebody pushes, merges, closes, opens again or edits.
    pub(super) fn somebody_acts(&mut self, random: &mut Random) {
        let commit = self.new_commit();
        let done = match random.below(12) {
            0..=2 => {
                self.move_to(commit);
                Ok(())
            }
            3 => self.end_as(PullState::Merged),
            4 if random.chance(30) => self.end_as(PullState::ReadOnly),
            5 if random.chance(30) => self.end_as(PullState::Deleted),
            6 | 7 => self.close(Closer::Person),
            8 => self.convert(PullState::Closed, PullState::Open),
            9 => self.convert(PullState::Draft, PullState::Open),
            10 => self.convert(PullState::Open, PullState::Draft),
            _ => self.edit(),
        };
        // What cannot be done now is not done; people shrug.
        drop(done);
    }

    fn edit(&mut self) -> Result<(), Refused> {
        self.pull_in(&[PullState::Open])?.title.push('!');
        self.edited = true;
        Ok(())
    }

    fn end_as(&mut self, state: PullState) -> Result<(), Refused> {
        self.pull_in(&[PullState::Open])?.state = state;
        Ok(())
    }
}
