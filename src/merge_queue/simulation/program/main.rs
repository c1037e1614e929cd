//! The command line of the simulations.
//!
//! - `simulate` writes the tables of the module's documentation
//! - `simulate tune` prints our own lines for the seeds on which the policy is tuned
//! - `simulate safety STEPS` looks for violations, `simulate replay SEED` shows one
//! - `simulate exhaustive MISFORTUNES` tries every order of a small world
//! - `simulate bugs` plants bugs and looks for them
#![expect(clippy::print_stdout, reason = "a command prints what it found")]

use self::cores::{cores, each_on_all_cores, on_all_cores};
use drover::merge_queue::{
    config::Speculation,
    simulation::{
        report::{Effort, campaigns, estimates, frontier, performance, tuning},
        safety::{
            PlantedBug, STEPS_PER_SEED, Search,
            exhaustive::{Bounds, explore},
            hunt, search,
            world::World,
        },
    },
};
use std::{error::Error, fmt::Write, path::Path, time::Instant};

mod cores;

/// What is published is of seeds on which nothing was tuned.
fn effort() -> Effort {
    Effort { seeds: 20_000..20_016, pulls: 2_500, spread: on_all_cores }
}

fn tuning_effort() -> Effort {
    Effort { seeds: 100..132, ..effort() }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &str| text.replace('_', "").parse::<u64>();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => figures(),
        ["tune"] => tune(),
        ["safety", steps] => safety(number(steps)?, 0),
        ["safety", steps, first_seed] => safety(number(steps)?, number(first_seed)?),
        ["replay", seed] => replay(number(seed)?),
        ["exhaustive", misfortunes] => exhaustive(misfortunes.parse()?, usize::MAX),
        ["exhaustive", misfortunes, states] => {
            exhaustive(misfortunes.parse()?, usize::try_from(number(states)?)?)
        }
        ["bugs"] => {
            print!("{}", bugs());
            Ok(())
        }
        _ => Err(
            "usage: simulate [tune | safety STEPS [FIRST_SEED] | replay SEED | exhaustive MISFORTUNES [STATES] | bugs]"
                .into(),
        ),
    }
}

fn tune() -> Result<(), Box<dyn Error>> {
    print!("{}", tuning(Speculation::default(), &tuning_effort())?);
    print!("\n{}", estimates(&Effort { seeds: 100..104, ..tuning_effort() })?);
    Ok(())
}

fn figures() -> Result<(), Box<dyn Error>> {
    let (start, effort) = (Instant::now(), effort());
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
    text.push_str("\n## What people are told on arrival\n\n");
    text.push_str(&estimates(&effort)?);
    text.push_str("\n## Cost against waiting\n\n");
    text.push_str(&frontier(&effort)?);
    text.push_str("\n## Planted bugs\n\n");
    text.push_str(&bugs());
    println!("{text}");
    println!("played on {} cores in {:?}", cores(), start.elapsed());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/merge_queue/figures.md");
    std::fs::write(&path, text)?;
    println!("written to {}", path.display());
    Ok(())
}

fn bugs() -> String {
    let planted: Vec<_> = PlantedBug::all().collect();
    let hunts = each_on_all_cores(&planted, &|bug| (*bug, hunt(*bug)));
    let mut text = "| planted | caught in world | by the rule |\n|---|---|---|\n".to_owned();
    for (bug, search) in hunts {
        let _ = match search {
            Search::Found { seed, violation } => {
                writeln!(text, "| {bug} | {} | {} |", seed + 1, violation.rule)
            }
            Search::Clean { seeds, .. } => writeln!(text, "| {bug} | not in {seeds} | |"),
        };
    }
    text
}

/// The worlds that one core plays before it takes the next ones.
const WORLDS: u64 = 1_000;
/// The shares of all cores between two lines of progress.
const SHARES: u64 = 20;

fn safety(steps: u64, mut seed: u64) -> Result<(), Box<dyn Error>> {
    let (start, mut told) = (Instant::now(), 0);
    while told < steps {
        let shares = SHARES.min((steps - told).div_ceil(STEPS_PER_SEED * WORLDS));
        let searches = on_all_cores(0..shares, &|share| {
            let first = seed + share * WORLDS;
            search(first..first + WORLDS, u64::MAX)
        });
        for search in searches {
            match search {
                Search::Clean { steps, .. } => told += steps,
                Search::Found { seed, violation } => {
                    return Err(format!("seed {seed}, {violation}").into());
                }
            }
        }
        seed += shares * WORLDS;
        println!("{told} steps, seeds below {seed}: clean after {:?}", start.elapsed());
    }
    Ok(())
}

/// Shows everything that happened in a world of the safety simulation.
fn replay(seed: u64) -> Result<(), Box<dyn Error>> {
    let mut world = World::new(seed);
    let outcome = world.run(STEPS_PER_SEED);
    println!("{}", world.story());
    Ok(outcome?)
}

fn exhaustive(misfortunes: u32, states_max: usize) -> Result<(), Box<dyn Error>> {
    let searches = each_on_all_cores(&[1, 3], &|batch_max| {
        let bounds = Bounds { pulls: 3, misfortunes, batch_max: *batch_max, states_max };
        (*batch_max, explore(bounds))
    });
    for (batch_max, seen) in searches {
        println!("{misfortunes} misfortunes, batches of {batch_max}: {:?}", seen?);
    }
    Ok(())
}
