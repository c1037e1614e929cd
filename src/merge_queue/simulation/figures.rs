//! What a policy made of a workload, in numbers.

use super::{
    lab::{End, Fault, Lab},
    workload::Source,
};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub p50: f64,
    pub p95: f64,
    pub runs_per_merge: f64,
    pub merges_per_time: f64,
    /// Innocent pull requests ejected, per pull request that came.
    pub innocents: f64,
    /// How many of the pull requests were left at the end of arrivals.
    pub backlog: f64,
}

/// The first part of a simulation is not counted: the queue starts empty.
const WARM_UP: f64 = 0.1;

impl Figures {
    /// The figures of people's pull requests; workers and ejections count for everybody.
    #[must_use]
    pub fn of(lab: &Lab) -> Self {
        let until = lab.arrivals.last().map_or(0.0, |arrival| arrival.at);
        let from = until * WARM_UP;
        let in_window = |at: f64| at >= from && at <= until;
        let landed_at = |end: &End| match end {
            End::Landed { at } => Some(*at),
            End::Open | End::Ejected { .. } => None,
        };
        let mut waits: Vec<f64> = lab
            .arrivals
            .iter()
            .zip(&lab.ends)
            .filter(|(arrival, _)| arrival.at >= from && arrival.source == Source::Person)
            .filter_map(|(arrival, end)| Some(landed_at(end)? - arrival.at))
            .collect();
        waits.sort_by(f64::total_cmp);
        let merges = lab.ends.iter().filter_map(landed_at).filter(|at| in_window(*at)).count();
        let runs = lab.started.iter().filter(|at| in_window(**at)).count();
        let innocent = |end: &&End| matches!(end, End::Ejected { fault: Fault::Innocent, .. });
        let late = |end: &&End| match end {
            End::Open => true,
            End::Landed { at } | End::Ejected { at, .. } => *at > until,
        };
        Self {
            p50: quantile(&waits, 0.50),
            p95: quantile(&waits, 0.95),
            runs_per_merge: ratio(runs, merges),
            merges_per_time: count(merges) / (until - from),
            innocents: ratio(lab.ends.iter().filter(innocent).count(), lab.ends.len()),
            backlog: ratio(lab.ends.iter().filter(late).count(), lab.ends.len()),
        }
    }

    /// The mean over several seeds.
    #[must_use]
    pub fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / count(all.len().max(1));
        Self {
            p50: mean(|it| it.p50),
            p95: mean(|it| it.p95),
            runs_per_merge: mean(|it| it.runs_per_merge),
            merges_per_time: mean(|it| it.merges_per_time),
            innocents: mean(|it| it.innocents),
            backlog: mean(|it| it.backlog),
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn ratio(part: usize, whole: usize) -> f64 {
    count(part) / count(whole.max(1))
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = count(sorted.len()) * share;
    let below = (0..sorted.len()).take_while(|index| count(*index + 1) < rank).count();
    sorted.get(below).copied().unwrap_or(f64::NAN)
}
