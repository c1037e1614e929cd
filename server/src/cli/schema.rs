//! `drover schema`: the language of specs for editors.

use super::{CliError, Outcome, console::Console};

pub(super) fn run(console: &mut Console<'_>) -> Result<Outcome, CliError> {
    console.json(&drover::campaign::schema())?;
    Ok(Outcome::Done)
}
