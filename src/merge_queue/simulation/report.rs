//! The tables that are published: every policy in every setting, held against the goals.

use super::{
    figures::Figures,
    lab::{Contender, Lab},
    ours::{Ours, Promises},
    rivals::{Bisecting, Oracle, Prefix, Window},
    workload::{Burst, Setting, settings},
};
use crate::merge_queue::{
    chance::Chance,
    config::{ConfigError, Policy, Serial, Speculation},
};
use std::{fmt::Write, ops::Range};

/// How much is simulated.
#[derive(Clone)]
pub struct Effort {
    pub seeds: Range<u64>,
    pub pulls: usize,
    pub spread: Spread,
}

/// Plays every seed, on as many cores as there are.
pub type Spread = fn(Range<u64>, &(dyn Fn(u64) -> Played + Sync)) -> Vec<Played>;
pub type Played = Result<Figures, ConfigError>;

#[derive(Clone, Copy, Debug)]
enum Who {
    Ours(Speculation),
    Serial,
    Bisecting,
    Prefix(Window),
    Oracle,
}

fn simulate(setting: &Setting, who: Who, seed: u64) -> Played {
    let mut lab = Lab::new(setting, seed);
    let go = |lab: &mut Lab, mut contender: Box<dyn Contender>| lab.run(contender.as_mut());
    match who {
        Who::Ours(it) => {
            let ours = Ours::new(&lab, Policy::Speculative(it))?;
            go(&mut lab, Box::new(ours));
        }
        Who::Serial => {
            let serial = Ours::new(&lab, Policy::Serial(Serial { seed }))?;
            go(&mut lab, Box::new(serial));
        }
        Who::Bisecting => go(&mut lab, Box::<Bisecting>::default()),
        Who::Prefix(window) => go(&mut lab, Box::new(Prefix::new(window))),
        Who::Oracle => go(&mut lab, Box::<Oracle>::default()),
    }
    Ok(Figures::of(&lab))
}

fn mean(setting: &Setting, who: Who, effort: &Effort) -> Played {
    let all = (effort.spread)(effort.seeds.clone(), &|seed| simulate(setting, who, seed));
    Ok(Figures::mean(&all.into_iter().collect::<Result<Vec<_>, _>>()?))
}

/// What is to be reached in a setting; nothing is asked where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
struct Goal {
    p50: Option<f64>,
    p95: Option<f64>,
    runs: Option<f64>,
    of_oracle: Option<f64>,
    innocents: Option<f64>,
    /// In how many of these the figures have to be better, and not only as good.
    better: usize,
}

fn goal(setting: &str) -> Goal {
    let all = |p50, p95, runs, of_oracle, innocents| Goal {
        p50: Some(p50),
        p95: Some(p95),
        runs: Some(runs),
        of_oracle: Some(of_oracle),
        innocents: Some(innocents),
        better: 0,
    };
    match setting {
        // What the isolation lane reached before, as the reference for A, D and F has it.
        "A" => Goal { better: 2, ..all(1.03, 3.0, 1.63, 3.71 / 3.73, 0.000_05) },
        "B" => all(2.0, 5.0, 2.0, 0.98, 0.000_5),
        // Three quarters were asked for; this is the stretch.
        "C" => Goal { of_oracle: Some(0.90), ..Goal::default() },
        "D" => {
            let (p50, p95, runs, innocents) = (Some(1.7), Some(4.9), Some(2.95), Some(0.000_15));
            Goal { p50, p95, runs, innocents, of_oracle: None, better: 2 }
        }
        "E" => Goal { p50: Some(1.0), runs: Some(1.1), ..Goal::default() },
        "F" => Goal { p50: Some(3.3), p95: Some(8.7), better: 2, ..Goal::default() },
        _ => Goal::default(),
    }
}

/// Half of what the last printed digit says.
const ROUNDING: f64 = 0.005;

fn verdict(figures: &Figures, oracle: &Figures, goal: Goal) -> String {
    let of_oracle = figures.merges_per_time / oracle.merges_per_time;
    // As columns in which less is better.
    let columns = [
        ("P50", figures.p50, goal.p50, ROUNDING),
        ("P95", figures.p95, goal.p95, ROUNDING),
        ("runs", figures.runs_per_merge, goal.runs, ROUNDING),
        ("innocents", figures.innocents, goal.innocents, 0.0),
        ("merges", -of_oracle, goal.of_oracle.map(|it| -it), 0.0),
    ];
    let asked = columns
        .iter()
        .filter_map(|(name, is, goal, rounding)| goal.map(|goal| (*name, *is - goal, *rounding)));
    let (mut short, mut better) = (vec![], 0);
    for (name, beyond, rounding) in asked {
        if beyond > rounding {
            short.push(name);
        }
        better += usize::from(beyond < -rounding);
    }
    if better < goal.better {
        short.push("not better");
    }
    if short.is_empty() { "ok".to_owned() } else { format!("short: {}", short.join(", ")) }
}

const CONTENDERS: [(&str, Who); 6] = [
    ("serial (Hail)", Who::Serial),
    ("batches ≤ 8, bisected", Who::Bisecting),
    ("window of 5", Who::Prefix(Window::Fixed(5))),
    ("window ≤ 20, AIMD", Who::Prefix(Window::Adaptive(20))),
    ("prefix, all workers", Who::Prefix(Window::Fixed(usize::MAX))),
    ("oracle", Who::Oracle),
];

/// Settings A to F, every policy side by side.
pub fn performance(effort: &Effort) -> Result<String, ConfigError> {
    let mut text = String::new();
    for setting in settings(effort.pulls) {
        let oracle = mean(&setting, Who::Oracle, effort)?;
        let _ = writeln!(text, "\n**{}.** {}\n", setting.name, describe(&setting));
        text.push_str(HEAD);
        text.push_str(&our_line("**ours**", &setting, Speculation::default(), &oracle, effort)?);
        for (name, who) in CONTENDERS {
            let figures = mean(&setting, who, effort)?;
            text.push_str(&line(name, &figures, &oracle, ""));
        }
    }
    Ok(text)
}

fn our_line(
    name: &str,
    setting: &Setting,
    knobs: Speculation,
    oracle: &Figures,
    effort: &Effort,
) -> Result<String, ConfigError> {
    let ours = mean(setting, Who::Ours(knobs), effort)?;
    Ok(line(name, &ours, oracle, &verdict(&ours, oracle, goal(setting.name))))
}

/// Only our own lines, for tuning; the figures that are published are of other seeds.
pub fn tuning(knobs: Speculation, effort: &Effort) -> Result<String, ConfigError> {
    let mut text = HEAD.to_owned();
    for setting in settings(effort.pulls) {
        let oracle = mean(&setting, Who::Oracle, effort)?;
        text.push_str(&our_line(setting.name, &setting, knobs, &oracle, effort)?);
    }
    Ok(text)
}

const HEAD: &str = "| policy | P50 | P95 | runs per merge | merges per T | of oracle | innocents \
                    ejected | goal |\n|---|---|---|---|---|---|---|---|\n";

fn describe(setting: &Setting) -> String {
    let Setting { load, workers, fails, flakes, conflicts, tests, .. } = setting;
    let tests = match tests {
        super::workload::TestTime::Fixed => "fixed test time".to_owned(),
        super::workload::TestTime::Varies(by) => format!("log-normal test time (cv {by})"),
    };
    format!(
        "Load {load} per T, {workers} workers, p {:.0} %, f {:.0} %, c {:.1} %, {tests}.",
        fails * 100.0,
        flakes * 100.0,
        conflicts * 100.0
    )
}

/// Waits are not worth printing when the queue grew for as long as there were arrivals.
const DIVERGES: f64 = 0.1;

fn line(name: &str, it: &Figures, oracle: &Figures, verdict: &str) -> String {
    let waits = if it.backlog > DIVERGES {
        "diverges | ".to_owned()
    } else {
        format!("{:.2} | {:.2}", it.p50, it.p95)
    };
    format!(
        "| {name} | {waits} | {:.2} | {:.2} | {:.1} % | {:.3} % | {verdict} |\n",
        it.runs_per_merge,
        it.merges_per_time,
        it.merges_per_time / oracle.merges_per_time * 100.0,
        it.innocents * 100.0
    )
}

/// How many of the estimates that were told on arrival held, and how wide they were.
pub fn estimates(effort: &Effort) -> Result<String, ConfigError> {
    let mut text =
        "| setting | landed inside | earlier | later | width in T |\n|---|---|---|---|---|\n"
            .to_owned();
    for setting in settings(effort.pulls) {
        let mut all = Promises::default();
        for seed in effort.seeds.clone() {
            let mut lab = Lab::new(&setting, seed);
            let mut ours = Ours::new(&lab, Policy::Speculative(Speculation::default()))?;
            lab.run(&mut ours);
            let Promises { kept, early, late, width } = ours.promises(&lab);
            all.kept += kept;
            all.early += early;
            all.late += late;
            all.width += width;
        }
        let count = f64::from(all.kept + all.early + all.late);
        let percent = |part: u32| f64::from(part) / count * 100.0;
        let _ = writeln!(
            text,
            "| {} | {:.1} % | {:.1} % | {:.1} % | {:.2} |",
            setting.name,
            percent(all.kept),
            percent(all.early),
            percent(all.late),
            all.width / count
        );
    }
    Ok(text)
}

/// Experiment X6: a campaign arrives at once beside people's pull requests.
pub fn campaigns(effort: &Effort) -> Result<String, ConfigError> {
    let mut text = "| campaign | people's P50 | people's P95 | against none | goal |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    let Some(base) = settings(effort.pulls).into_iter().next() else { return Ok(text) };
    let mut none = f64::NAN;
    for pulls in [0, 10, 50, 200] {
        let setting = Setting { burst: Some(Burst { pulls }), ..base.clone() };
        let figures = mean(&setting, Who::Ours(Speculation::default()), effort)?;
        if pulls == 0 {
            none = figures.p95;
        }
        let rise = (figures.p95 / none - 1.0) * 100.0;
        let verdict = if rise <= 20.0 { "ok" } else { "short" };
        let Figures { p50, p95, .. } = figures;
        let _ = writeln!(text, "| {pulls} | {p50:.2} | {p95:.2} | {rise:+.0} % | {verdict} |");
    }
    Ok(text)
}

/// What the knobs trade: cost against waiting in B, and against throughput in C.
pub fn frontier(effort: &Effort) -> Result<String, ConfigError> {
    let mut text =
        "| setting | least worth | P50 | P95 | runs per merge | merges per T |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let chosen = settings(effort.pulls).into_iter().filter(|it| matches!(it.name, "B" | "C"));
    for setting in chosen {
        for percent in [4, 6, 8, 10, 12, 16, 20, 30] {
            let worth_min = Chance::percent(percent);
            let knobs = Speculation { worth_min, ..Speculation::default() };
            let it = mean(&setting, Who::Ours(knobs), effort)?;
            let _ = writeln!(
                text,
                "| {} | {percent} % | {:.2} | {:.2} | {:.2} | {:.2} |",
                setting.name, it.p50, it.p95, it.runs_per_merge, it.merges_per_time
            );
        }
    }
    Ok(text)
}
