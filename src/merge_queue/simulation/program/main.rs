//! The command line of the simulations.
//!
//! `simulate` writes the tables of the module's documentation, `simulate safety STEPS` looks
//! for violations, and `simulate exhaustive STATES` tries every order of a small world.
#![expect(clippy::print_stdout, reason = "a command prints what it found")]

use self::cores::on_all_cores;
use drover::merge_queue::{
    config::Speculation,
    event::{Event, RunResult},
    simulation::{
        cost::{awaited_runs, busy_queue},
        report::{Effort, campaigns, frontier, performance, tuning},
        safety::{
            Search,
            exhaustive::{Bounds, explore},
            plant_bugs, search,
        },
    },
};
use drover::time::Timestamp;
use std::{error::Error, fmt::Write, path::Path, time::Instant};

mod cores;

/// What is published is of seeds on which nothing was tuned.
fn effort() -> Effort {
    Effort { seeds: 9_000..9_008, pulls: 2_500, spread: on_all_cores }
}

fn tuning_effort() -> Effort {
    Effort { seeds: 100..116, ..effort() }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &str| text.replace('_', "").parse::<u64>();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => figures(),
        ["tune"] => tune(),
        ["safety", steps] => safety(number(steps)?, 0),
        ["safety", steps, first_seed] => safety(number(steps)?, number(first_seed)?),
        ["exhaustive", states] => exhaustive(usize::try_from(number(states)?)?),
        _ => Err("usage: simulate [tune | safety STEPS [FIRST_SEED] | exhaustive STATES]".into()),
    }
}

fn tune() -> Result<(), Box<dyn Error>> {
    print!("{}", tuning(Speculation::default(), &tuning_effort())?);
    Ok(())
}

fn figures() -> Result<(), Box<dyn Error>> {
    let effort = effort();
    let mut text = format!(
        "# Figures\n\nWritten by `make simulate` from the machine that ships, seeds {} to {}, {} \
         pull requests each; T is the time of one test.\n",
        effort.seeds.start,
        effort.seeds.end - 1,
        effort.pulls
    );
    text.push_str(&performance(&effort)?);
    text.push_str("\n## A campaign beside people (setting A)\n\n");
    text.push_str(&campaigns(&effort)?);
    text.push_str("\n## Cost against waiting\n\n");
    text.push_str(&frontier(&effort)?);
    text.push_str("\n## What a step costs\n\n");
    text.push_str(&cost()?);
    text.push_str("\n## Planted bugs\n\n");
    text.push_str(&bugs());
    println!("{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/merge_queue/figures.md");
    std::fs::write(&path, text)?;
    println!("written to {}", path.display());
    Ok(())
}

fn cost() -> Result<String, Box<dyn Error>> {
    let mut text =
        "| entries | median step | slowest step | goal |\n|---|---|---|---|\n".to_owned();
    for (entries, goal_micros) in [(10, 1_000), (100, 1_000), (1_000, 1_000), (10_000, 20_000)] {
        let queue = busy_queue(entries)?;
        let mut micros = vec![];
        for run in awaited_runs(&queue) {
            for result in [RunResult::Passed, RunResult::Failed, RunResult::Infra] {
                let mut queue = queue.clone();
                let start = Instant::now();
                queue.step(Event::RunFinished { run, result }, Timestamp(1_000));
                micros.push(start.elapsed().as_micros());
            }
        }
        micros.sort_unstable();
        let median = micros.get(micros.len() / 2).copied().unwrap_or(0);
        let slowest = micros.last().copied().unwrap_or(0);
        let verdict = if median < goal_micros { "ok" } else { "short" };
        let _ = writeln!(
            text,
            "| {entries} | {median} µs | {slowest} µs | < {} ms: {verdict} |",
            goal_micros / 1_000
        );
    }
    Ok(text)
}

fn bugs() -> String {
    let mut text = "| planted | caught in world | by the rule |\n|---|---|---|\n".to_owned();
    for (bug, search) in plant_bugs() {
        let _ = match search {
            Search::Found { seed, violation } => {
                writeln!(text, "| {bug} | {} | {} |", seed + 1, violation.rule)
            }
            Search::Clean { seeds, .. } => writeln!(text, "| {bug} | not in {seeds} | |"),
        };
    }
    text
}

/// The steps between two lines of progress.
const PROGRESS: u64 = 10_000_000;

fn safety(steps: u64, mut seed: u64) -> Result<(), Box<dyn Error>> {
    let (start, mut told) = (Instant::now(), 0);
    while told < steps {
        match search(seed, PROGRESS.min(steps - told)) {
            Search::Clean { seeds, steps } => {
                (seed, told) = (seed + seeds, told + steps);
                println!("{told} steps, seeds below {seed}: clean after {:?}", start.elapsed());
            }
            Search::Found { seed, violation } => {
                return Err(format!("seed {seed}, {violation}").into());
            }
        }
    }
    Ok(())
}

fn exhaustive(states_max: usize) -> Result<(), Box<dyn Error>> {
    for misfortunes in 0..=2 {
        for batch_max in [1, 3] {
            let seen = explore(Bounds { misfortunes, batch_max, states_max })?;
            println!("{misfortunes} misfortunes, batches of {batch_max}: {seen:?}");
        }
    }
    Ok(())
}
