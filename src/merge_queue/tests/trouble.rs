//! When things go wrong at the same time.

use super::*;
use crate::merge_queue::{
    chance::Chance,
    config::{Ejection, Preemption, Speculation},
    entry::{Audit, Phase},
    event::BuildFailure,
    gate::{Alarm, Freeze, Mode, Scope, Testing},
    id::{CandidateId, LandingId},
    publish::CheckState,
    pull::Priority,
};

fn freeze(least_priority: Priority, testing: Testing) -> QueueAction {
    QueueAction::Freeze(Freeze {
        scope: Scope::Everything,
        least_priority: Some(least_priority),
        reason: "a release".to_owned(),
        by: "ada".to_owned(),
        until: None,
        testing,
    })
}

fn landing_of(story: &Story) -> LandingId {
    story.queue.landing.as_ref().unwrap().id
}

#[test]
fn machinery_that_breaks_is_no_evidence_and_one_run_shows_when_it_works_again() {
    let mut story = Story::new(2);
    (1..=2).for_each(|pull| story.enqueue(pull));
    (0..3).for_each(|_| story.finish(&[1], RunResult::Infra));
    assert_eq!(story.why(1), "It is being tested.");
    story.finish(&[2], RunResult::Cancelled);
    assert_eq!(story.tested(), [[1]], "what runs goes on, and nothing starts");
    story.finish(&[1], RunResult::Infra);
    story.pass(3_600);
    assert_eq!(story.running.len(), 1, "one run shows whether it works: {:?}", story.tested());
    story.finish(&[2], RunResult::Passed);
    let tested = story.tested();
    assert!(tested.contains(&vec![1]), "{tested:?}");
    story.finish(&[1], RunResult::Passed);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [2, 1]);
}

#[test]
fn an_entry_that_breaks_the_machinery_is_put_aside_and_the_others_land() {
    let mut story = Story::new(1);
    (1..=3).for_each(|pull| story.enqueue(pull));
    for _ in 0..40 {
        let Some(tested) = story.tested().into_iter().next() else {
            story.pass(1_000);
            continue;
        };
        let result = if tested == [1] { RunResult::Infra } else { RunResult::Passed };
        story.finish(&tested, result);
    }
    assert_eq!(story.landed, [2, 3]);
    assert!(story.why(1).starts_with("The machinery breaks whenever it is tested"));
    story.command(1, PullAction::Release);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [2, 3, 1]);
}

#[test]
fn a_build_that_fails_is_tried_again_and_a_head_that_is_gone_is_read_again() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let built = |story: &Story| *story.queue.candidates.keys().next_back().unwrap();
    story.command(1, PullAction::Retest);
    let candidate = built(&story);
    let again = Event::CandidateNotBuilt { candidate, why: BuildFailure::Machinery };
    story.tell(again);
    assert!(matches!(story.refusals.as_slice(), [Refusal::UnknownCandidate(_)]), "built already");
    let mut queue = MergeQueue::new(
        Config::new(branch(), 1),
        Commit { commit: sha(1), tree: sha(1) },
        Timestamp(0),
    )
    .unwrap();
    queue.step(Event::PullSeen(story.facts[&1].clone()), Timestamp(0));
    let action = Action::Pull { pull: PullNumber(1), head: None, action: enqueue() };
    let command = Event::Command(Command { by: maintainer(), action });
    let asks = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::BuildCandidate { candidate, .. } => Some(*candidate),
            _ => None,
        })
    };
    let candidate: CandidateId = asks(&queue.step(command, Timestamp(0))).unwrap();
    let failed = Event::CandidateNotBuilt { candidate, why: BuildFailure::Machinery };
    assert_eq!(asks(&queue.step(failed, Timestamp(1))), Some(candidate));
    assert_eq!(asks(&queue.step(Event::Tick, Timestamp(400_000))), Some(candidate), "no answer");
    let why = BuildFailure::HeadGone { pull: PullNumber(1) };
    let effects = queue.step(Event::CandidateNotBuilt { candidate, why }, Timestamp(400_001));
    assert!(effects.iter().any(|it| matches!(it, Effect::FetchPull { .. })), "{effects:?}");
    assert!(queue.status(PullNumber(1)).unwrap().why.contains("approved"));
}

#[test]
fn what_was_closed_during_its_landing_is_not_landed_later() {
    let mut story = Story::new(1);
    story.landings = Landings::Lost;
    story.enqueue(1);
    story.finish(&[1], RunResult::Passed);
    let landing = landing_of(&story);
    story.tell(Event::PullGone { pull: PullNumber(1) });
    story.tell(Event::LandUnknown { landing });
    assert!(story.queue.landing.is_none(), "it is not sent again");
    assert_eq!(story.why(1), "It was closed.");
    assert!(story.running.is_empty());
}

#[test]
fn frozen_entries_do_not_keep_the_queue_busy() {
    let mut story = Story::new(2);
    story.command_queue(freeze(Priority::High, Testing::Goes));
    story.enqueue(1);
    story.command(1, PullAction::Prioritise(Priority::High));
    story.enqueue(2);
    assert_eq!(story.tested(), [[1], [2]]);
    story.finish(&[2], RunResult::Passed);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [1]);
    assert_eq!(story.why(2), "It is tested, but ada froze it: a release.");
}

#[test]
fn suspects_are_tested_before_those_who_came_later() {
    let mut story = Story::new(1);
    (1..=6).for_each(|pull| story.enqueue(pull));
    story.finish(&[1], RunResult::Passed);
    story.finish(&[2, 3, 4], RunResult::Failed);
    assert_eq!(story.tested(), [[2]], "and not #5");
}

#[test]
fn a_target_that_was_moved_back_halts_the_queue() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let reading = {
        let effects = story.queue.step(Event::TargetHinted, story.now);
        effects.iter().find_map(|effect| match effect {
            Effect::ReadTarget { reading, .. } => Some(*reading),
            _ => None,
        })
    };
    let tip = Commit { commit: sha(5), tree: sha(5) };
    let history = History { landing: Ancestry::NotAsked, last: Ancestry::Absent };
    story.tell(Event::TargetRead { reading: reading.unwrap(), tip, history });
    assert!(matches!(story.queue.gate.mode, Mode::Halted(Alarm::Rewound { .. })));
    assert!(story.why(1).starts_with("The queue has halted: the target was at"));
    assert_eq!(story.queue.status(PullNumber(1)).unwrap().estimate, None);
}

#[test]
fn what_is_not_answered_is_asked_again() {
    let mut story = Story::new(1);
    story.landings = Landings::Lost;
    story.enqueue(1);
    story.seen.clear();
    story.pass(1_000);
    assert!(story.seen.iter().any(|it| matches!(it, Effect::AskRun { .. })), "{:?}", story.seen);
    story.finish(&[1], RunResult::Passed);
    let landing = landing_of(&story);
    let to = story.queue.landing.as_ref().unwrap().to.clone();
    let audits = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::Audit { .. })).count()
    };
    let effects = story.queue.step(Event::Landed { landing, tip: to }, story.now);
    assert_eq!(audits(&effects), 1);
    let effects = story.queue.step(Event::Tick, Timestamp(story.now.0 + 61_000));
    assert_eq!(audits(&effects), 1);
}

#[test]
fn it_is_merged_when_it_has_been_read_back() {
    let mut story = Story::new(1);
    story.landings = Landings::Lost;
    story.enqueue(1);
    story.finish(&[1], RunResult::Passed);
    let (landing, to) = (landing_of(&story), story.queue.landing.as_ref().unwrap().to.clone());
    let shown = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Publish { check, .. } => Some(check.state),
            _ => None,
        })
    };
    let effects = story.queue.step(Event::Landed { landing, tip: to }, story.now);
    assert_eq!(shown(&effects), Some(CheckState::Pending));
    let found = Commit { commit: sha(9), tree: sha(9) };
    let finding = Finding::Differs { found };
    let effects = story.queue.step(Event::Audited { landing, finding }, story.now);
    assert_eq!(shown(&effects), Some(CheckState::Failure));
    let entry = story.queue.last_over(PullNumber(1)).unwrap();
    assert!(matches!(&entry.phase, Phase::Merged(merge) if merge.audit == Audit::Differs));
}

#[test]
fn a_rejection_that_names_a_stranger_changes_nothing() {
    let mut story = Story::new(2);
    story.landings = Landings::Lost;
    (1..=2).for_each(|pull| story.enqueue(pull));
    story.finish(&[1], RunResult::Passed);
    let why = Rejection::HeadChanged { pull: PullNumber(2) };
    story.tell(Event::LandRejected { landing: landing_of(&story), why });
    assert!(matches!(story.refusals.as_slice(), [Refusal::NotLanding { .. }]));
    assert!(story.queue.landing.is_some());
}

#[test]
fn a_retest_forgets_what_passed_on_top_of_it() {
    let mut story = Story::new(2);
    (1..=2).for_each(|pull| story.enqueue(pull));
    story.finish(&[2], RunResult::Passed);
    story.command(1, PullAction::Retest);
    let proofs = serde_json::to_string(&story.queue.proofs).unwrap();
    assert_eq!(proofs, "{}", "#2 passed on top of #1");
}

#[test]
fn a_critical_entry_preempts_where_the_configuration_says_so() {
    for (preemption, first) in [(Preemption::Never, [1]), (Preemption::ForCritical, [3])] {
        let mut story = Story::with(Config { preemption, ..Config::new(branch(), 1) });
        (1..=3).for_each(|pull| story.enqueue(pull));
        story.command(3, PullAction::Prioritise(Priority::Critical));
        assert_eq!(story.tested()[0], first, "{preemption:?}");
    }
}

#[test]
fn flakes_that_were_seen_make_the_queue_ask_for_more_failing_runs() {
    let speculation = Speculation {
        ejection: Ejection::Sparing(Chance::parts_per_million(30)),
        ..Speculation::default()
    };
    let policy = Policy::Speculative(speculation);
    let mut story = Story::with(Config { policy, ..Config::new(branch(), 1) });
    story.queue.estimates.flakes = Chance::percent(5);
    story.enqueue(1);
    (0..3).for_each(|_| story.finish(&[1], RunResult::Failed));
    assert_eq!(story.why(1), "It has failed 3 times alone, and is being tested by itself.");
    story.finish(&[1], RunResult::Failed);
    assert_eq!(story.why(1), "It failed 4 times, tested alone on the target.");
}
