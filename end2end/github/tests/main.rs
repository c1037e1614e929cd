//! The stand-in as its callers see it: git and HTTP from outside, every exchange held against
//! GitHub's OpenAPI description.

mod support;

mod faults;
mod git;
mod hooks;
mod pages;
mod pulls;
mod repos;
mod restart;
