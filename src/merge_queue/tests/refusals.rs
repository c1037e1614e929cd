//! Bad input: a typed refusal, or a no-op that says so, and never a panic.

use super::*;
use crate::merge_queue::{
    config::ConfigError,
    event::Against,
    id::{CandidateId, LandingId, ReadingId},
    simulation::random::Random,
};

fn check(tell: impl FnOnce(&mut Story), expected: impl Fn(&Refusal) -> bool) {
    let mut story = Story::new(2);
    story.enqueue(1);
    assert!(story.refusals.is_empty(), "{:?}", story.refusals);
    tell(&mut story);
    assert!(story.refusals.iter().any(expected), "{:?}", story.refusals);
}

#[test]
fn what_is_unknown_is_refused() {
    check(
        |story| story.tell(Event::PullGone { pull: PullNumber(9) }),
        |it| matches!(it, Refusal::UnknownPull { .. }),
    );
    check(
        |story| {
            story.tell(Event::RunFinished { run: RunId(999), result: RunResult::Passed });
        },
        |it| matches!(it, Refusal::UnknownRun(_)),
    );
    check(
        |story| story.tell(Event::LandUnknown { landing: LandingId(999) }),
        |it| matches!(it, Refusal::UnknownLanding(_)),
    );
}

#[test]
fn a_second_enqueue_and_a_second_pull_request_with_the_head_are_refused() {
    check(|story| story.command(1, enqueue()), |it| matches!(it, Refusal::AlreadyQueued { .. }));
    check(
        |story| {
            let twin = PullFacts { number: PullNumber(2), ..story.facts[&1].clone() };
            story.tell(Event::PullSeen(twin));
            story.command(2, enqueue());
        },
        |it| matches!(it, Refusal::HeadTaken { taken_by: PullNumber(1), .. }),
    );
}

#[test]
fn another_target_is_refused() {
    check(
        |story| {
            story.open(2);
            let target = "next".parse().unwrap();
            let origin = Origin::Person;
            story.command(2, PullAction::Enqueue { target, priority: None, origin });
        },
        |it| matches!(it, Refusal::WrongTarget { .. }),
    );
    check(
        |story| {
            let target = "next".parse().unwrap();
            let other = PullFacts { number: PullNumber(2), target, ..story.facts[&1].clone() };
            story.tell(Event::PullSeen(other));
        },
        |it| matches!(it, Refusal::WrongTarget { .. }),
    );
}

#[test]
fn time_that_goes_back_is_noticed_and_not_believed() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let effects = story.queue.step(Event::Tick, Timestamp(-5));
    assert!(
        effects.iter().any(|it| matches!(it, Effect::Refuse(Refusal::TimeWentBack { .. }))),
        "{effects:?}"
    );
    assert_eq!(story.queue.now, story.now);
}

#[test]
fn an_impossible_configuration_changes_nothing() {
    check(
        |story| {
            let config = Config { workers: 0, ..story.queue.config.clone() };
            story.tell(Event::ConfigChanged(config));
        },
        |it| *it == Refusal::Config(ConfigError::Workers(0)),
    );
    let tip = Commit { commit: sha(1), tree: sha(1) };
    let none = MergeQueue::new(Config::new(branch(), 0), tip, Timestamp(0));
    assert_eq!(none.err(), Some(ConfigError::Workers(0)));
}

#[test]
fn who_may_not_and_who_saw_another_head_are_refused() {
    let by = |permission| Actor { name: "eve".to_owned(), permission };
    let action = |head| Action::Pull { pull: PullNumber(1), head, action: PullAction::Unqueue };
    check(
        |story| {
            let command = Command { by: by(Permission::Read), action: action(None) };
            story.tell(Event::Command(command));
        },
        |it| matches!(it, Refusal::Denied { needed: Permission::Write, .. }),
    );
    check(
        |story| {
            let command = Command { by: by(Permission::Write), action: action(Some(sha(5))) };
            story.tell(Event::Command(command));
        },
        |it| matches!(it, Refusal::HeadMoved { .. }),
    );
}

/// Any event with any ids, none of them meant for the state that it meets.
fn arbitrary(random: &mut Random, story: &Story) -> Event {
    let id = random.draw() % (story.queue.last_id + 3);
    let pull = PullNumber(i64::try_from(random.draw() % 6).unwrap_or(0));
    let results = [
        RunResult::Passed,
        RunResult::Failed,
        RunResult::Infra,
        RunResult::TimedOut,
        RunResult::Cancelled,
    ];
    let result = *random.pick(&results).unwrap();
    let number = random.draw() % 30 + 1;
    let tip = Commit { commit: sha(number), tree: sha(number) };
    match random.below(16) {
        0 => Event::PullGone { pull },
        1 => Event::CandidateBuilt {
            candidate: CandidateId(id),
            commit: sha(number),
            tree: sha(number),
            jobs: JobsDigest(String::new()),
        },
        2 => Event::CandidateConflicted { candidate: CandidateId(id), pull, with: Against::Target },
        3 => Event::CandidateConflicted {
            candidate: CandidateId(id),
            pull,
            with: Against::Pull(PullNumber(3)),
        },
        4 => Event::Landed { landing: LandingId(id), tip },
        5 => Event::LandRejected { landing: LandingId(id), why: Rejection::NotFastForward },
        6 => Event::LandRejected {
            landing: LandingId(id),
            why: Rejection::Policy { message: "no".to_owned() },
        },
        7 => Event::LandRejected { landing: LandingId(id), why: Rejection::HeadChanged { pull } },
        8 => Event::LandUnknown { landing: LandingId(id) },
        9 => Event::TargetHinted,
        10 => Event::TargetRead {
            reading: ReadingId(id),
            tip,
            history: History { landing: Ancestry::Absent, last: Ancestry::Absent },
        },
        11 => Event::Audited { landing: LandingId(id), finding: Finding::Differs { found: tip } },
        12 => Event::Reconciled { pulls: vec![], runs: vec![RunId(id)] },
        13 => Event::Tick,
        _ => Event::RunFinished { run: RunId(id), result },
    }
}

#[test]
fn no_sequence_of_events_makes_the_queue_panic() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let mut story = if seed % 5 == 0 { Story::serial() } else { Story::new(3) };
        for _ in 0..150 {
            if random.percent(20) {
                let pull = i64::try_from(random.draw() % 6).unwrap_or(0);
                story.enqueue(pull);
            }
            let event = arbitrary(&mut random, &story);
            let now = Timestamp(i64::try_from(random.draw() % 1_000_000).unwrap_or(0));
            story.queue.step(event, now);
            if random.percent(10) {
                story.command_queue(QueueAction::Open);
            }
        }
        for pull in 0..6 {
            let status = story.queue.status(PullNumber(pull));
            assert!(status.is_none_or(|it| !it.why.is_empty()), "#{pull} says nothing");
        }
    }
}
