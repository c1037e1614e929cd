//! What people see.

use super::*;
use crate::merge_queue::{
    gate::{Freeze, Scope, Testing},
    status::WayBack,
};

#[test]
fn every_phase_says_in_one_sentence_why_it_is_not_merged() {
    let mut story = Story::new(1);
    story.open(1);
    assert_eq!(story.why(1), "It waits until somebody asks the queue to land it, and for 1 more.");
    story.command(1, enqueue());
    assert_eq!(story.why(1), "It waits until its head is approved.");
    story.approve(1);
    assert_eq!(story.why(1), "It is being tested.");
    story.enqueue(2);
    assert_eq!(story.why(2), "It is number 2 in line for 1 workers.");
    story.command(2, PullAction::Hold { reason: "wait for the release".to_owned() });
    assert_eq!(story.why(2), "mia holds it: wait for the release.");
    story.finish(&[1], RunResult::Failed);
    assert_eq!(story.why(1), "It has failed once alone, and is being tested by itself.");
    story.finish(&[1], RunResult::Passed);
    assert!(story.why(1).starts_with("It is merged, in "), "{}", story.why(1));
}

#[test]
fn a_stack_names_what_is_ahead() {
    let mut story = Story::new(8);
    (1..=3).for_each(|pull| story.enqueue(pull));
    assert_eq!(story.why(3), "It is being tested on top of #1 and #2.");
    let status = story.queue.status(PullNumber(3)).unwrap();
    assert_eq!((status.position, status.stacked_on), (Some(3), vec![PullNumber(1), PullNumber(2)]));
}

#[test]
fn conditions_are_a_checklist() {
    let mut story = Story::new(1);
    story.open(1);
    story.change(1, |facts| facts.checks_missing = vec!["lint".to_owned()]);
    let conditions = story.queue.status(PullNumber(1)).unwrap().conditions;
    let missing: Vec<_> =
        conditions.iter().filter(|it| !it.is_met).map(|it| it.text.as_str()).collect();
    assert_eq!(
        missing,
        ["somebody asks the queue to land it", "its head is approved", "the check `lint` passes"]
    );
    assert!(conditions.iter().any(|it| it.is_met && it.text == "it is no draft"));
}

#[test]
fn an_exit_names_its_evidence_and_the_way_back() {
    let mut story = Story::new(1);
    story.enqueue(1);
    (0..3).for_each(|_| story.finish(&[1], RunResult::Failed));
    let exit = story.queue.status(PullNumber(1)).unwrap().exit.unwrap();
    assert_eq!(exit.reason, "It failed 3 times, tested alone on the target.");
    assert_eq!((exit.evidence.len(), exit.way_back), (3, WayBack::KeepsPlace));
}

#[test]
fn a_freeze_and_a_drain_say_so() {
    let mut story = Story::new(1);
    let freeze = Freeze {
        scope: Scope::Everything,
        least_priority: None,
        reason: "a release".to_owned(),
        by: "ada".to_owned(),
        until: None,
        testing: Testing::Stops,
    };
    story.command_queue(QueueAction::Freeze(freeze));
    story.enqueue(1);
    assert_eq!(story.why(1), "ada froze it: a release.");
    story.command_queue(QueueAction::Drain);
    assert_eq!(story.why(1), "The queue is draining: it starts nothing new.");
}

#[test]
fn an_estimate_is_a_range_once_a_test_has_been_seen() {
    let mut story = Story::new(1);
    story.enqueue(1);
    assert_eq!(story.queue.status(PullNumber(1)).unwrap().estimate, None);
    story.now = Timestamp(60_000);
    story.finish(&[1], RunResult::Passed);
    (2..=4).for_each(|pull| story.enqueue(pull));
    let estimate = |story: &Story, pull| story.queue.status(PullNumber(pull)).unwrap().estimate;
    let (first, last) = (estimate(&story, 2).unwrap(), estimate(&story, 4).unwrap());
    assert!(first.from_secs < first.to_secs && first.to_secs < last.to_secs);
}
