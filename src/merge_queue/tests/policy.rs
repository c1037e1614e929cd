//! The policy, where several rules meet.

use super::*;
use crate::{
    id::CampaignId,
    merge_queue::{
        event::{Ancestry, History},
        gate::{Freeze, Mode, Scope, Testing},
        pull::Priority,
    },
};
use uuid::Uuid;

#[test]
fn the_longest_passed_prefix_lands_in_one_move() {
    let mut story = Story::new(8);
    (1..=3).for_each(|pull| story.enqueue(pull));
    story.finish(&[2], RunResult::Passed);
    story.finish(&[3], RunResult::Passed);
    assert!(story.landed.is_empty());
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [1, 2, 3]);
}

#[test]
fn a_timeout_counts_when_it_comes_twice() {
    let mut story = Story::new(1);
    story.enqueue(1);
    story.finish(&[1], RunResult::TimedOut);
    assert_eq!(story.why(1), "It is being tested.");
    story.finish(&[1], RunResult::TimedOut);
    assert_eq!(story.why(1), "It has failed once alone, and is being tested by itself.");
}

#[test]
fn a_failed_batch_is_isolated_and_only_the_guilty_ejected() {
    let mut story = Story::new(1);
    (1..=3).for_each(|pull| story.enqueue(pull));
    story.finish(&[1], RunResult::Passed);
    story.finish(&[2, 3], RunResult::Failed);
    story.finish(&[2], RunResult::Passed);
    (0..3).for_each(|_| {
        if story.tested() == [[2]] {
            story.finish(&[2], RunResult::Passed);
        }
        story.finish(&[3], RunResult::Failed);
    });
    assert!(story.why(3).starts_with("It failed 3 times"), "{}", story.why(3));
    assert_eq!(story.landed, [1, 2]);
}

#[test]
fn an_urgent_entry_goes_next_and_cancels_nothing() {
    let mut story = Story::new(1);
    (1..=3).for_each(|pull| story.enqueue(pull));
    story.command(3, PullAction::Prioritise(Priority::Critical));
    assert!(story.cancelled.is_empty());
    story.finish(&[1], RunResult::Passed);
    assert!(story.tested()[0].starts_with(&[3]), "{:?}", story.tested());
}

#[test]
fn a_campaign_sends_one_entry_ahead_and_lets_people_pass() {
    let mut story = Story::new(4);
    let origin = Origin::Campaign(CampaignId(Uuid::nil()));
    for pull in 1..=3 {
        story.open(pull);
        story.approve(pull);
        let action = PullAction::Enqueue { target: branch(), priority: None, origin };
        story.command(pull, action);
    }
    assert_eq!(story.tested(), [[1]]);
    assert_eq!(story.why(2), "The first of its campaign is tested alone.");
    story.enqueue(4);
    assert_eq!(story.tested(), [[1], [4]]);
}

#[test]
fn a_requeue_keeps_the_place() {
    let mut story = Story::new(1);
    (1..=4).for_each(|pull| story.enqueue(pull));
    story.command(2, PullAction::Hold { reason: "a doubt".to_owned() });
    story.command(2, PullAction::Release);
    assert_eq!(story.queue.status(PullNumber(2)).unwrap().position, Some(2));
}

#[test]
fn a_freeze_lets_urgent_entries_pass_and_ends_by_itself() {
    let mut story = Story::new(4);
    let freeze = Freeze {
        scope: Scope::Everything,
        least_priority: Some(Priority::Critical),
        reason: "a release".to_owned(),
        by: "ada".to_owned(),
        until: Some(Timestamp(10_000)),
        testing: Testing::Goes,
    };
    story.command_queue(QueueAction::Freeze(freeze));
    story.enqueue(1);
    story.finish(&[1], RunResult::Passed);
    assert!(story.landed.is_empty());
    story.enqueue(2);
    story.command(2, PullAction::Prioritise(Priority::Critical));
    story.finish(&[2], RunResult::Passed);
    assert_eq!(story.landed, [2]);
    story.now = Timestamp(20_000);
    story.tell(Event::Tick);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [2, 1]);
}

#[test]
fn what_landed_otherwise_than_tested_halts_the_queue() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let run = story.run_of(&[1]);
    let effects =
        story.queue.step(Event::RunFinished { run, result: RunResult::Passed }, story.now);
    let landing = effects.iter().find_map(|effect| match effect {
        Effect::Land { landing, .. } => Some(*landing),
        _ => None,
    });
    let tip = Commit { commit: sha(4_242), tree: sha(4_242) };
    let effects = story.queue.step(Event::Landed { landing: landing.unwrap(), tip }, story.now);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Alarm(_))));
    assert!(matches!(story.queue.gate.mode, Mode::Halted(_)));
}

#[test]
fn a_lost_landing_answer_is_resolved_by_reading() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let run = story.run_of(&[1]);
    let effects =
        story.queue.step(Event::RunFinished { run, result: RunResult::Passed }, story.now);
    let landing = effects.iter().find_map(|effect| match effect {
        Effect::Land { landing, to, .. } => Some((*landing, to.clone())),
        _ => None,
    });
    let (landing, to) = landing.unwrap();
    let effects = story.queue.step(Event::LandUnknown { landing }, story.now);
    let reading = effects.iter().find_map(|effect| match effect {
        Effect::ReadTarget { reading, landing: Some(about), .. } if *about == to.commit => {
            Some(*reading)
        }
        _ => None,
    });
    let history = History { landing: Ancestry::Contained, last: Ancestry::Contained };
    let read = Event::TargetRead { reading: reading.unwrap(), tip: to, history };
    story.queue.step(read, story.now);
    assert!(story.why(1).starts_with("It has landed"), "{}", story.why(1));
    story.queue.step(Event::Audited { landing, finding: Finding::AsTested }, story.now);
    assert!(story.why(1).starts_with("It is merged"), "{}", story.why(1));
}
