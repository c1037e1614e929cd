//! Worlds know nothing of each other, so every core plays its own.

use std::{
    num::NonZero,
    ops::Range,
    sync::Mutex,
    thread::{available_parallelism, scope},
};

/// How many worlds can be played at once.
pub(crate) fn cores() -> u64 {
    available_parallelism().map_or(1, NonZero::get) as u64
}

/// What comes of each seed, in the order of the seeds.
pub(crate) fn on_all_cores<T: Send>(seeds: Range<u64>, play: &(dyn Fn(u64) -> T + Sync)) -> Vec<T> {
    let (waiting, done) = (Mutex::new(seeds), Mutex::new(Vec::new()));
    let work = || {
        // A core that panics takes the whole run with it, so nobody meets a poisoned lock.
        while let Some(seed) = waiting.lock().ok().and_then(|mut seeds| seeds.next()) {
            let outcome = play(seed);
            if let Ok(mut done) = done.lock() {
                done.push((seed, outcome));
            }
        }
    };
    scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What comes of each item, in their order.
pub(crate) fn each_on_all_cores<I: Sync, T: Send>(
    items: &[I],
    work: &(dyn Fn(&I) -> T + Sync),
) -> Vec<T> {
    let outcomes = on_all_cores(0..items.len() as u64, &|at| {
        usize::try_from(at).ok().and_then(|at| items.get(at)).map(work)
    });
    outcomes.into_iter().flatten().collect()
}
