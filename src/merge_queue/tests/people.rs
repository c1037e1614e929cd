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
    assert_eq!(
        story.why(1),
        "It waits until somebody asks the queue to land it, and for 1 more condition."
    );
    story.command(1, enqueue());
    assert_eq!(story.why(1), "It waits until its head is approved.");
    story.approve(1);
    assert_eq!(story.why(1), "It is being tested.");
    story.enqueue(2);
    assert_eq!(story.why(2), "It is number 2 in line for 1 worker.");
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

#[test]
fn who_was_taken_out_may_be_asked_for_again_at_the_end_of_the_line() {
    let mut story = Story::new(1);
    (1..=3).for_each(|pull| story.enqueue(pull));
    story.command(2, PullAction::Unqueue);
    assert_eq!(story.why(2), "mia took it out of the queue.");
    story.command(2, PullAction::Requeue);
    assert!(
        story.refusals[0].to_string().ends_with("nobody asks the queue to land it: enqueue it")
    );
    story.command(2, enqueue());
    assert_eq!(story.queue.status(PullNumber(2)).unwrap().position, Some(3));
}

#[test]
fn who_was_ejected_and_is_asked_for_again_keeps_the_place() {
    let mut story = Story::new(1);
    (1..=7).for_each(|pull| story.enqueue(pull));
    (0..3).for_each(|_| story.finish(&[1], RunResult::Failed));
    story.command(1, enqueue());
    assert_eq!(story.tested(), [[2, 3, 4]]);
    let position = |pull| story.queue.status(PullNumber(pull)).unwrap().position;
    assert_eq!((position(1), position(5)), (Some(4), Some(5)));
}

#[test]
fn commands_for_what_is_over_say_so() {
    let mut story = Story::new(1);
    story.enqueue(1);
    story.finish(&[1], RunResult::Passed);
    story.command(1, PullAction::Retest);
    story.open(2);
    story.tell(Event::PullGone { pull: PullNumber(2) });
    story.command(2, PullAction::Retest);
    assert!(matches!(
        story.refusals.as_slice(),
        [Refusal::IsMerged { .. }, Refusal::HasLeft { .. }]
    ));
}

/// The code host closes what has landed in its own time, and says so in its own order.
#[test]
fn news_of_what_has_landed_are_no_news() {
    let mut story = Story::new(1);
    story.enqueue(1);
    story.finish(&[1], RunResult::Passed);
    story.change(1, |facts| facts.conversations_open = 1);
    story.tell(Event::PullGone { pull: PullNumber(1) });
    assert!(story.why(1).starts_with("It is merged"), "{}", story.why(1));
}

#[test]
fn a_new_head_shows_its_check() {
    let mut story = Story::new(1);
    story.open(1);
    story.seen.clear();
    story.push(1);
    let head = story.facts[&1].head.clone();
    let is_shown = |it: &Effect| matches!(it, Effect::Publish { head: at, .. } if *at == head);
    assert!(story.seen.iter().any(is_shown), "{:?}", story.seen);
}

#[test]
fn a_twin_is_queued_when_the_other_one_is_pushed() {
    let mut story = Story::new(2);
    story.enqueue(1);
    story.open(2);
    let head = story.facts[&1].head.clone();
    story.command(2, enqueue());
    story.change(2, |facts| (facts.head, facts.approved) = (head.clone(), Some(head)));
    assert_eq!(story.why(2), "It waits until #1, which has the same head, leaves the queue.");
    story.push(1);
    assert_eq!(story.why(2), "It is being tested.");
}

#[test]
fn a_place_counts_from_when_the_conditions_held() {
    let mut story = Story::new(1);
    story.enqueue(1);
    story.open(2);
    story.command(2, enqueue());
    story.enqueue(3);
    story.approve(2);
    let position = |pull| story.queue.status(PullNumber(pull)).unwrap().position;
    assert!(position(3) < position(2), "{:?} and {:?}", position(3), position(2));
}

#[test]
fn a_try_says_what_came_of_it_and_lands_nothing() {
    let mut story = Story::new(2);
    story.open(1);
    story.command(1, PullAction::Try);
    story.command(1, PullAction::Try);
    assert!(matches!(story.refusals.as_slice(), [Refusal::NotNow { .. }]));
    story.finish(&[1], RunResult::Passed);
    let tried = story.queue.status(PullNumber(1)).unwrap().tried.unwrap();
    assert_eq!(tried.text, "It passed, tried on the target.");
    assert!(story.landed.is_empty());
}

#[test]
fn only_maintainers_make_critical_what_passes_a_freeze() {
    let mut story = Story::new(1);
    story.enqueue(1);
    let by = Actor { name: "eve".to_owned(), permission: Permission::Write };
    let action = PullAction::Prioritise(crate::merge_queue::pull::Priority::Critical);
    let action = Action::Pull { pull: PullNumber(1), head: None, action };
    story.tell(Event::Command(Command { by, action }));
    assert!(matches!(
        story.refusals.as_slice(),
        [Refusal::Denied { needed: Permission::Maintain, .. }]
    ));
}
