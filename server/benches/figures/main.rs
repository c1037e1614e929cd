//! The figures that README gives: `make bench` measures all of them in one run and prints a line
//! each, `id | measured | goal | ok or short`.
//!
//! A figure is a ratio or a size wherever it can be, so that it means the same on any machine. No
//! test asserts it: a busy machine is no fault of the code. Each area of figures is a file here.

mod campaign;
mod house;
mod rows;
mod site;

use std::{fmt, path::PathBuf};

/// What a measurement came to, and what it was meant to come to.
struct Figure {
    id: &'static str,
    measured: f64,
    unit: &'static str,
    goal: Goal,
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtMost(most) => self.measured <= most,
            Goal::AtLeast(least) => self.measured >= least,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, measured, unit, goal } = self;
        let met = if self.is_met() { "ok" } else { "short" };
        let (sign, bound) = match goal {
            Goal::AtMost(most) => ('≤', most),
            Goal::AtLeast(least) => ('≥', least),
        };
        write!(f, "{id} | {measured:.2} {unit} | {sign} {bound} {unit} | {met}")
    }
}

#[expect(clippy::print_stdout, reason = "the lines are what the program is for")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let site = std::env::args().skip(1).find(|it| !it.starts_with("--"));
    let site = PathBuf::from(site.ok_or_else(|| anyhow::anyhow!("usage: figures SITE_ROOT"))?);
    println!("{}", site::transfer(&site)?);
    for figure in campaign::sample().await? {
        println!("{figure}");
    }
    println!("{}", campaign::overhead().await?);
    for figure in rows::apply().await? {
        println!("{figure}");
    }
    Ok(())
}
