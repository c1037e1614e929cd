//! Runs the queue against made-up worlds, to publish figures and to find mistakes.
//!
//! - Performance: [`workload`] says what comes, [`lab`] keeps time and truth, [`ours`] is the
//!   machine that ships, [`rivals`] are the other policies, [`figures`] counts, [`report`] prints,
//!   and [`cost`] measures a step.
//! - Safety: [`safety`].
//!
//! It is pure, too: the example `simulate` prints and writes.

pub mod cost;
pub mod figures;
pub mod lab;
pub mod names;
pub mod ours;
pub mod random;
pub mod report;
pub mod rivals;
pub mod safety;
pub mod workload;
