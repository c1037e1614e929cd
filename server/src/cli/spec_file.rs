//! The text of a spec, from a file or from stdin.

use super::CliError;
use drover::campaign::spec::{SPEC_BYTES_MAX, SpecProblem, render_problems};
use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::Path,
};

pub struct SpecFile {
    /// As people know it.
    pub name: String,
    /// Not known to be text yet.
    pub bytes: Vec<u8>,
}

impl SpecFile {
    /// Reads no more than a spec can have.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let fail = |source| CliError::File { path: path.to_owned(), source };
        if path == Path::new("-") {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                return Err(CliError::Terminal);
            }
            return Self::read_from(&mut stdin.lock(), "stdin", fail);
        }
        let mut file = File::open(path).map_err(fail)?;
        Self::read_from(&mut file, &path.display().to_string(), fail)
    }

    fn read_from(
        source: &mut impl Read,
        name: &str,
        fail: impl Fn(io::Error) -> CliError,
    ) -> Result<Self, CliError> {
        let max = u64::try_from(SPEC_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        source.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() > SPEC_BYTES_MAX {
            return Err(CliError::TooLarge { name: name.to_owned(), max: SPEC_BYTES_MAX });
        }
        Ok(Self { name: name.to_owned(), bytes })
    }

    /// The error that shows these problems at their lines.
    #[must_use]
    pub fn refused(&self, problems: Vec<SpecProblem>) -> CliError {
        let text = String::from_utf8_lossy(&self.bytes);
        let rendered = render_problems(&text, &problems, &self.name);
        CliError::Spec { problems, rendered }
    }
}
