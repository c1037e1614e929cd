//! `drover validate`: what is wrong with a spec, without a server.

use super::{
    CliError, Outcome,
    args::ValidateArgs,
    console::{Console, Format},
    spec_file::SpecFile,
};
use crate::api::wire::Problems;
use drover::campaign::spec::CampaignSpec;

pub(super) fn run(args: &ValidateArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let spec = SpecFile::read(&args.file)?;
    let problems = CampaignSpec::parse(&spec.bytes).err().unwrap_or_default();
    let is_valid = problems.is_empty();
    match console.format {
        Format::Json => console.json(&Problems { problems: problems.clone() })?,
        Format::Text if is_valid => console.line(&format!("{} is valid", spec.name))?,
        Format::Text => {}
    }
    if is_valid { Ok(Outcome::Done) } else { Err(spec.refused(problems)) }
}
