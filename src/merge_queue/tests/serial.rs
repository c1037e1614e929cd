//! Hail's document, one sentence after the other.

use super::*;

#[test]
fn e1_a_test_that_ends_sets_the_status() {
    let mut story = Story::serial();
    story.open(1);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.queue.passing(), [PullNumber(1)]);
    story.open(2);
    story.finish(&[2], RunResult::Failed);
    assert_eq!(story.queue.passing(), [PullNumber(1)]);
}

#[test]
fn e1_a_pass_of_an_approved_pull_request_merges_it_and_cancels_all_others() {
    let mut story = Story::serial();
    (1..=3).for_each(|pull| story.open(pull));
    story.approve(1);
    story.finish(&[2], RunResult::Passed);
    assert_eq!(story.landed, [0_i64; 0]);
    story.finish(&[1], RunResult::Passed);
    assert_eq!((story.landed.as_slice(), story.cancelled.as_slice()), (&[1][..], &[3][..]));
    assert!(story.queue.passing().is_empty(), "every other status is pending");
}

#[test]
fn e2_a_new_commit_cancels_the_tests_of_its_pull_request_and_starts_one() {
    let mut story = Story::serial();
    story.open(1);
    assert_eq!(story.tested(), [[1]]);
    let before = story.run_of(&[1]);
    story.push(1);
    assert_eq!(story.cancelled, [1]);
    assert!(story.run_of(&[1]) > before);
}

#[test]
fn e3_a_review_merges_what_has_passed() {
    let mut story = Story::serial();
    story.open(1);
    story.finish(&[1], RunResult::Passed);
    assert!(story.landed.is_empty());
    story.approve(1);
    assert_eq!(story.landed, [1]);
}

#[test]
fn e4_a_new_commit_on_the_target_cancels_all_and_tests_one_approved() {
    let mut story = Story::serial();
    (1..=4).for_each(|pull| story.open(pull));
    story.approve(3);
    story.finish(&[1], RunResult::Passed);
    story.tell(Event::TargetHinted);
    assert_eq!(story.cancelled, [2, 3, 4]);
    assert!(story.queue.passing().is_empty());
    assert_eq!(story.tested(), [[3]]);
}

#[test]
fn e4_without_an_approved_one_any_is_tested() {
    let mut story = Story::serial();
    (1..=4).for_each(|pull| story.open(pull));
    story.tell(Event::TargetHinted);
    assert_eq!(story.running.len(), 1);
}

/// By the letter of the document, all others would stay pending until somebody pushes.
#[test]
fn e4_another_is_drawn_when_the_drawn_one_ends_without_a_merge() {
    let check = |end: fn(&mut Story, i64), approved: &[i64]| {
        let mut story = Story::serial();
        (1..=3).for_each(|pull| story.open(pull));
        approved.iter().for_each(|pull| story.approve(*pull));
        story.tell(Event::TargetHinted);
        let mut drawn = Vec::new();
        for _ in 1..=3 {
            let tested = story.tested();
            let [test] = tested.as_slice() else { panic!("{tested:?} after {drawn:?}") };
            drawn.push(test[0]);
            end(&mut story, test[0]);
        }
        assert!(story.running.is_empty(), "{:?} after {drawn:?}", story.tested());
        drawn.sort_unstable();
        assert_eq!(drawn, [1, 2, 3]);
        assert!(story.landed.is_empty());
    };
    let fails: fn(&mut Story, i64) = |story, pull| story.finish(&[pull], RunResult::Failed);
    check(fails, &[1, 2, 3]);
    check(fails, &[]);
    check(|story, pull| story.finish(&[pull], RunResult::Passed), &[]);
    check(|story, pull| story.tell(Event::PullGone { pull: PullNumber(pull) }), &[1, 2, 3]);
    check(
        |story, pull| story.command(pull, PullAction::Hold { reason: "a doubt".to_owned() }),
        &[1, 2, 3],
    );
}

#[test]
fn e4_who_waits_to_be_drawn_is_drawn_and_merges() {
    let mut story = Story::serial();
    (1..=3).for_each(|pull| story.open(pull));
    (1..=3).for_each(|pull| story.approve(pull));
    story.tell(Event::TargetHinted);
    let first = story.tested()[0][0];
    let waiting = if first == 1 { 2 } else { 1 };
    assert_eq!(story.why(waiting), "It waits to be drawn for a test.");
    while !story.tested().contains(&vec![waiting]) {
        let other = story.tested()[0][0];
        story.finish(&[other], RunResult::Failed);
    }
    story.finish(&[waiting], RunResult::Passed);
    assert_eq!(story.landed, [waiting]);
    // The target has moved: who failed is pending again, and drawn in turn.
    assert_eq!(story.running.len(), 1);
}

#[test]
fn e4_an_approved_one_is_drawn_beside_one_that_nobody_approved() {
    let mut story = Story::serial();
    (1..=4).for_each(|pull| story.open(pull));
    story.tell(Event::TargetHinted);
    let first = story.tested()[0][0];
    let other = if first == 1 { 2 } else { 1 };
    story.approve(other);
    assert!(story.tested().contains(&vec![other]), "{:?}", story.tested());
    assert_eq!(story.running.len(), 2);
}

#[test]
fn e4_one_with_which_the_machinery_breaks_does_not_keep_the_others_pending() {
    let mut story = Story::serial();
    (1..=4).for_each(|pull| story.open(pull));
    story.approve(1);
    story.tell(Event::TargetHinted);
    let mut failed = Vec::new();
    for _ in 0..20 {
        let Some((run, tested)) = story.running.pop_first() else { break };
        let result = if tested == [1] { RunResult::Infra } else { RunResult::Failed };
        failed.extend(tested.into_iter().filter(|pull| *pull != 1));
        story.tell(Event::RunFinished { run, result });
        story.pass(1_200);
    }
    failed.sort_unstable();
    assert_eq!(failed, [2, 3, 4]);
    assert!(story.why(1).starts_with("The machinery breaks"), "{}", story.why(1));
}

/// What has passed and is approved merges by itself, so there is nothing left to ask for.
#[test]
fn h1_try_merge_merges_nothing_that_has_not_passed_or_is_not_approved() {
    let mut story = Story::serial();
    story.open(1);
    story.command(1, PullAction::TryMerge);
    story.finish(&[1], RunResult::Passed);
    story.command(1, PullAction::TryMerge);
    assert!(matches!(story.refusals.as_slice(), [Refusal::NotNow { .. }, Refusal::NotNow { .. }]));
    assert!(story.landed.is_empty());
    story.approve(1);
    assert_eq!(story.landed, [1]);
}

#[test]
fn h2_retest_cancels_the_tests_of_one_and_starts_one() {
    let mut story = Story::serial();
    (1..=2).for_each(|pull| story.open(pull));
    story.command(1, PullAction::Retest);
    assert_eq!(story.cancelled, [1]);
    assert_eq!(story.running.len(), 2);
}

#[test]
fn h3_to_h6_tell_who_is_tested_ready_approved_and_passing() {
    let mut story = Story::serial();
    (1..=3).for_each(|pull| story.open(pull));
    story.finish(&[2], RunResult::Passed);
    story.change(3, |facts| {
        facts.approved = Some(facts.head.clone());
        facts.conversations_open = 1;
    });
    story.finish(&[3], RunResult::Passed);
    let tested: Vec<_> = story.queue.being_tested().into_keys().collect();
    assert_eq!(tested, [PullNumber(1)]);
    assert_eq!(story.queue.ready_for_merge(), [PullNumber(3)]);
    assert_eq!(story.queue.approved(), [PullNumber(3)]);
    assert_eq!(story.queue.passing(), [PullNumber(2), PullNumber(3)]);
}

#[test]
fn nothing_runs_for_an_unauthorised_commit() {
    let mut story = Story::serial();
    story.heads += 1;
    let mut facts = {
        story.open(1);
        story.facts[&1].clone()
    };
    (facts.number, facts.author, facts.head) = (PullNumber(2), Trust::Untrusted, sha(77));
    story.tell(Event::PullSeen(facts));
    assert_eq!(story.tested(), [[1]]);
    story.authorise(2, sha(77));
    assert_eq!(story.tested(), [[1], [2]]);
}

#[test]
fn what_is_held_or_not_authorised_is_not_drawn() {
    let mut story = Story::serial();
    (1..=2).for_each(|pull| story.open(pull));
    story.approve(1);
    story.command(1, PullAction::Hold { reason: "a doubt".to_owned() });
    story.change(2, |facts| facts.author = Trust::Untrusted);
    story.tell(Event::TargetHinted);
    assert!(story.running.is_empty(), "{:?}", story.tested());
    story.command(1, PullAction::Release);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.landed, [1]);
}

#[test]
fn another_is_drawn_when_a_landing_fails() {
    let mut story = Story::serial();
    story.landings = Landings::Refused;
    (1..=2).for_each(|pull| story.open(pull));
    story.approve(1);
    story.finish(&[1], RunResult::Passed);
    assert_eq!(story.why(1), "The code host refuses it: no");
    assert_eq!(story.tested(), [[2]]);
}

#[test]
fn entries_go_on_when_the_policy_changes() {
    let mut story = Story::new(2);
    (1..=2).for_each(|pull| story.enqueue(pull));
    let serial = Policy::Serial(Serial { seed: 1 });
    let speculative = story.queue.config.policy;
    let switch = |story: &mut Story, policy| {
        let config = Config { policy, ..story.queue.config.clone() };
        story.tell(Event::ConfigChanged(config));
    };
    switch(&mut story, serial);
    assert_eq!(story.running.len(), 1, "{:?}", story.tested());
    switch(&mut story, speculative);
    assert_eq!(story.tested(), [[1], [2]]);
    story.finish(&[1], RunResult::Passed);
    story.finish(&[2], RunResult::Passed);
    assert_eq!(story.landed, [1, 2]);
}
