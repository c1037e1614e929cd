//! What tests stand on.

pub(crate) mod app;
pub(crate) mod builders;
pub(crate) mod client;
pub(crate) mod db;
pub(crate) mod program;
pub(crate) mod spec;

use std::time::Duration;

/// Far more than anything takes, even on a machine with other things to do.
const WAIT_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// Asks again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    match tokio::time::timeout(WAIT_MAX, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited too long for {what}"),
    }
}
