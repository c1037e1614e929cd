//! Bugs that the safety simulation plants, to see that it finds them.
//!
//! Outside of simulations nothing is ever planted, and the compiler removes the question.

#[cfg(any(test, feature = "simulation"))]
impl Bug {
    pub(super) const ALL: [Self; 24] = [
        Self::AcceptStaleResult,
        Self::LandWithoutComparingBase,
        Self::CountInfraAsEvidence,
        Self::CountFirstTimeout,
        Self::ForgetToCancel,
        Self::KeepUnapproved,
        Self::IgnorePush,
        Self::BelieveOldFacts,
        Self::BuildUnauthorised,
        Self::LandTwiceAtOnce,
        Self::AssumeLanded,
        Self::LandUntested,
        Self::IgnoreHalt,
        Self::IgnoreFreeze,
        Self::ReuseAcrossJobs,
        Self::ForgetSuspect,
        Self::ForgetRerun,
        Self::LandWhatLeft,
        Self::ForgetAudit,
        Self::RunUnauthorised,
        Self::ForgetRefs,
        Self::ServeFrozen,
        Self::NeverGiveUp,
        Self::DecideByHiddenState,
    ];
}

/// One way in which the machine could be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// A result counts though its candidate was tested on another target.
    AcceptStaleResult,
    /// The target is moved from wherever it is.
    LandWithoutComparingBase,
    /// A failure of the machinery counts against the entry.
    CountInfraAsEvidence,
    /// A timeout counts the first time.
    CountFirstTimeout,
    /// A dropped candidate's run goes on.
    ForgetToCancel,
    /// An entry stays in tests when its approval is withdrawn.
    KeepUnapproved,
    /// A push leaves the candidates with the old head alone.
    IgnorePush,
    /// An old reading of a pull request overwrites a newer one.
    BelieveOldFacts,
    /// Commits of strangers are built.
    BuildUnauthorised,
    /// A second landing starts while the first is under way.
    LandTwiceAtOnce,
    /// A lost answer is taken for a yes.
    AssumeLanded,
    /// What is still being tested lands with what has passed.
    LandUntested,
    /// Landing goes on after an alarm.
    IgnoreHalt,
    /// Frozen entries land.
    IgnoreFreeze,
    /// A pass counts for other jobs, too.
    ReuseAcrossJobs,
    /// A suspect that failed once is not tested again.
    ForgetSuspect,
    /// A run that the machinery lost is not run again.
    ForgetRerun,
    /// A pull request that was closed during its landing is landed again.
    LandWhatLeft,
    /// An audit that is not answered is not asked for again.
    ForgetAudit,
    /// Runs go on for a commit that lost its authorisation.
    RunUnauthorised,
    /// A candidate that was dropped while it was built leaves its ref behind.
    ForgetRefs,
    /// Frozen entries leave the pipeline whenever somebody may land, and come right back.
    ServeFrozen,
    /// A candidate with which the machinery breaks is tried for ever.
    NeverGiveUp,
    /// A draw that is not in the state decides who goes first.
    #[cfg(any(test, feature = "simulation"))]
    DecideByHiddenState,
}

#[cfg(not(any(test, feature = "simulation")))]
pub(super) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(any(test, feature = "simulation"))]
pub(super) use self::planting::planted;

#[cfg(any(test, feature = "simulation"))]
pub(super) mod planting {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static HIDDEN: Cell<u64> = const { Cell::new(0) };
    }

    pub(in crate::merge_queue) fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    pub(in crate::merge_queue) fn with<T>(bug: Bug, run: impl FnOnce() -> T) -> T {
        PLANTED.set(Some(bug));
        let result = run();
        PLANTED.set(None);
        result
    }

    /// Differs at every call: what a clock or a random number in the machine would be.
    pub(in crate::merge_queue) fn hidden() -> u64 {
        HIDDEN.set(HIDDEN.get() + 1);
        HIDDEN.get()
    }
}
