//! Prints what the simulations find.
use drover::merge_queue::{
    chance::Chance,
    config::*,
    simulation::{figures::Figures, lab::Lab, ours::Ours, workload::settings},
};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let get = |k: &str, d: u32| {
        args.iter().find_map(|a| a.strip_prefix(&format!("{k}="))).map_or(d, |v| v.parse().unwrap())
    };
    if args.iter().any(|a| a == "bugs") {
        for (b, s) in drover::merge_queue::simulation::safety::plant_bugs() {
            println!("{b}: {s:?}");
        }
        return;
    }
    if get("safety", 0) > 0 {
        let t = std::time::Instant::now();
        println!(
            "{:?} {:?}",
            drover::merge_queue::simulation::safety::search(
                u64::from(get("seed", 0)),
                u64::from(get("safety", 0))
            ),
            t.elapsed()
        );
        return;
    }
    if args.iter().any(|a| a == "all") {
        use drover::merge_queue::simulation::safety::exhaustive::*;
        for m in 0..get("m", 2) {
            for b in [1, 3] {
                let t = std::time::Instant::now();
                println!(
                    "{m} {b} {:?} {:?}",
                    explore(Bounds {
                        misfortunes: m,
                        batch_max: b,
                        states_max: get("states", 1_000_000) as usize
                    }),
                    t.elapsed()
                );
            }
        }
        return;
    }
    let only = args.iter().find_map(|a| a.strip_prefix("s="));
    let pulls = get("n", 2500) as usize;
    for mut setting in settings(pulls) {
        if only.is_some_and(|o| !o.contains(setting.name)) {
            continue;
        }
        if get("w", 0) > 0 {
            setting.workers = get("w", 0)
        }
        let start = std::time::Instant::now();
        let spec = Speculation {
            batch_max: get("b", 4),
            worth_min: Chance::percent(get("min", 15)),
            before_lane: Chance::percent(get("lane", 50)),
            patience: Chance::percent(get("pat", 100)),
            failures_to_eject: get("f", 3),
        };
        let all: Vec<_> = (0..u64::from(get("seeds", 3)))
            .map(|seed| {
                let mut lab = Lab::new(&setting, 100 + seed);
                let policy = if get("serial", 0) == 1 {
                    Policy::Serial(Serial { seed })
                } else {
                    Policy::Speculative(spec)
                };
                let mut ours = Ours::new(&lab, policy).unwrap();
                lab.run(&mut ours);
                Figures::of(&lab)
            })
            .collect();
        let f = Figures::mean(&all);
        println!(
            "{} p50 {:.2} p95 {:.2} runs/merge {:.3} merges/T {:.2} innocents {:.3}% backlog {:.3} [{:.1}s]",
            setting.name,
            f.p50,
            f.p95,
            f.runs_per_merge,
            f.merges_per_time,
            f.innocents * 100.0,
            f.backlog,
            start.elapsed().as_secs_f64()
        );
    }
}
