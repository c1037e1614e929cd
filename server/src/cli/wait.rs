//! Asking again until something is over.

use super::CliError;
use std::time::{Duration, Instant};

/// Between two looks. Each page of a list adds as much, so that large campaigns are not asked
/// for all the time.
const PAUSE: Duration = Duration::from_millis(500);
/// Publishing 10,000 pull requests at the pace of a code host takes 20 hours.
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How often in a row the server may be out of reach, as while it is started again.
const UNREACHABLE_MAX: u32 = 20;

/// The patience of one command.
pub(super) struct Patience {
    what: &'static str,
    started: Instant,
    unreachable: u32,
}

impl Patience {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, started: Instant::now(), unreachable: 0 }
    }

    /// Waits before the next look, which asks for so many pages.
    pub(super) async fn pause(&self, pages: u32) -> Result<(), CliError> {
        if self.started.elapsed() > WAIT_MAX {
            return Err(CliError::TooLong { what: self.what.to_owned() });
        }
        tokio::time::sleep(PAUSE * pages.max(1)).await;
        Ok(())
    }

    /// Bears that the server is out of reach for a while; `None`: look again.
    pub(super) fn bear<T>(&mut self, looked: Result<T, CliError>) -> Result<Option<T>, CliError> {
        match looked {
            Ok(seen) => {
                self.unreachable = 0;
                Ok(Some(seen))
            }
            Err(CliError::Unreachable { .. }) if self.unreachable < UNREACHABLE_MAX => {
                self.unreachable += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
