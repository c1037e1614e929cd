//! What one step of the merge queue costs, however long the line is.
//!
//! Criterion measures it; the lines after that are those of `make bench`.
#![expect(clippy::print_stdout, reason = "the lines are what the program is for")]

use criterion::{BatchSize, BenchmarkId, Criterion};
use drover::{
    merge_queue::{
        event::{Event, RunResult},
        simulation::cost::{awaited_runs, busy_queue},
    },
    time::Timestamp,
};
use std::{error::Error, fs, hint::black_box, path::PathBuf};

const GROUP: &str = "queue_step";
/// So many entries, and the milliseconds that a step may take with them.
const GOALS: [(usize, f64); 2] = [(1_000, 1.0), (10_000, 20.0)];
/// The queue against which the others are held.
const BASELINE: usize = 100;
/// A hundred times the entries may cost so much more in each step: the line is sorted.
const GROWTH_MAX: f64 = 150.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group(GROUP);
    for entries in GOALS.map(|(entries, _)| entries).into_iter().chain([BASELINE]) {
        let queue = busy_queue(entries)?;
        let run = *awaited_runs(&queue).first().ok_or("nothing is being tested")?;
        group.bench_function(BenchmarkId::from_parameter(entries), |bencher| {
            bencher.iter_batched(
                || queue.clone(),
                |mut queue| {
                    let event = Event::RunFinished { run, result: RunResult::Passed };
                    black_box(queue.step(event, Timestamp(1_000)));
                    queue
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    for (entries, goal) in GOALS {
        let measured = median_millis(entries)?;
        line(&format!("queue_step_{entries}"), measured, "ms", goal);
    }
    let (longest, _) = GOALS[GOALS.len() - 1];
    let growth = median_millis(longest)? / median_millis(BASELINE)?;
    line("queue_step_growth_100x", growth, "×", GROWTH_MAX);
    Ok(())
}

fn line(id: &str, measured: f64, unit: &str, goal: f64) {
    let met = if measured <= goal { "ok" } else { "short" };
    println!("{id} | {measured:.3} {unit} | ≤ {goal} {unit} | {met}");
}

/// What criterion has written down of the run that has just ended.
fn median_millis(entries: usize) -> Result<f64, Box<dyn Error>> {
    let path = target().join(format!("criterion/{GROUP}/{entries}/new/estimates.json"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let estimates: serde_json::Value = serde_json::from_str(&text)?;
    let nanos = estimates["median"]["point_estimate"].as_f64();
    Ok(nanos.ok_or("criterion wrote no median")? / 1_000_000.0)
}

/// The folder of cargo in which this program lies.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).map(PathBuf::from).unwrap_or_default()
}
