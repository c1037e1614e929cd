//! The stand-in as its callers see it: git and HTTP from outside, every exchange held against
//! GitHub's OpenAPI description.

// Clippy lets tests panic where it sees `cfg(test)`.
#[cfg(test)]
mod support;

#[cfg(test)]
mod declined;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod git;
#[cfg(test)]
mod graphql;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pulls;
#[cfg(test)]
mod reopening;
#[cfg(test)]
mod repos;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod typed;
