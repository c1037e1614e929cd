//! Runs the steps of a spec in a sandbox.
