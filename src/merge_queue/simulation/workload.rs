//! What comes to the queue: pull requests, their faults, and how long tests take.

use super::random::Random;

/// One row of the published figures.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// Pull requests that arrive per test time.
    pub load: f64,
    pub workers: u32,
    /// A pull request is defective.
    pub fails: f64,
    /// A run fails for no reason.
    pub flakes: f64,
    /// Two pull requests that wait together break each other.
    pub conflicts: f64,
    pub tests: TestTime,
    pub burst: Option<Burst>,
    pub pulls: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum TestTime {
    Fixed,
    /// Log-normal, of mean 1 and this coefficient of variation.
    Varies(f64),
}

/// A campaign whose pull requests come all at once, half way through.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    pub pulls: usize,
}

#[derive(Clone, Debug)]
pub struct Arrival {
    /// In test times.
    pub at: f64,
    pub quality: Quality,
    /// Earlier arrivals that it breaks, if they are still waiting when it comes.
    pub conflicts: Vec<usize>,
    pub source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    Good,
    Defective,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Person,
    Campaign,
}

/// How far back a pull request may conflict.
const CONFLICTS_BACK: usize = 20;

impl Setting {
    #[must_use]
    pub fn arrivals(&self, seed: u64) -> Vec<Arrival> {
        let mut random = Random::new(seed);
        let mut at = 0.0;
        let mut arrivals = Vec::new();
        for index in 0..self.pulls {
            at += random.exponential(self.load);
            arrivals.push(self.arrival(at, index, Source::Person, &mut random));
            if let Some(burst) = self.burst
                && index == self.pulls / 2
            {
                // The campaign draws its own numbers: people's are those of the run without it.
                let mut random = Random::new(seed ^ 0xCA3B_A160);
                let campaign =
                    (0..burst.pulls).map(|_| self.arrival(at, 0, Source::Campaign, &mut random));
                arrivals.extend(campaign);
            }
        }
        arrivals
    }

    fn arrival(&self, at: f64, index: usize, source: Source, random: &mut Random) -> Arrival {
        let quality = if random.happens(self.fails) { Quality::Defective } else { Quality::Good };
        let back = index.saturating_sub(CONFLICTS_BACK)..index;
        let conflicts = back.filter(|_| random.happens(self.conflicts)).collect();
        Arrival { at, quality, conflicts, source }
    }
}

/// The settings A to F of the reference, without and with a campaign.
#[must_use]
pub fn settings(pulls: usize) -> Vec<Setting> {
    let moderate = Setting {
        name: "A",
        load: 4.0,
        workers: 8,
        fails: 0.05,
        flakes: 0.02,
        conflicts: 0.002,
        tests: TestTime::Fixed,
        burst: None,
        pulls,
    };
    let heavy = Setting { name: "B", load: 8.0, workers: 16, ..moderate.clone() };
    let extreme = Setting { name: "C", load: 16.0, workers: 64, ..moderate.clone() };
    let bad = Setting {
        name: "D",
        workers: 16,
        fails: 0.10,
        conflicts: 0.005,
        flakes: 0.05,
        ..moderate.clone()
    };
    let light = Setting { name: "E", load: 0.5, ..moderate.clone() };
    let varied = Setting { name: "F", tests: TestTime::Varies(0.5), ..heavy.clone() };
    vec![moderate, heavy, extreme, bad, light, varied]
}
