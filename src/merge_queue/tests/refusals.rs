//! Bad input: a typed refusal, or a no-op that says so, and never a panic.

use super::*;
use crate::merge_queue::{config::ConfigError, id::LandingId};

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
