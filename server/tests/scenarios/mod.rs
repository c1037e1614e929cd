//! The whole of Drover as its users and its code host see it: a spec goes in over HTTP, pull
//! requests come out on the stand-in.

mod access;
mod after_merge;
mod approved;
mod change;
mod crash;
mod drift;
mod faults;
mod heads;
mod identity;
mod kept;
mod look;
mod private;
mod publish;
mod refusals;
mod repositories;
mod start;
mod steps;
