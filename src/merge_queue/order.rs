//! Who is next: urgent before less urgent, people before campaigns, then by place in line.

use super::{
    entry::Entry,
    id::EntryId,
    pull::{Origin, Priority},
};
use crate::time::Timestamp;
use std::time::Duration;

/// Entries are served in ascending order of this key.
pub(super) type Place = (Landable, Priority, Group, Timestamp, EntryId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Landable {
    Now,
    /// Frozen: tested only while nobody else needs the workers.
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    People,
    Campaigns,
}

pub(super) fn place(entry: &Entry, landable: Landable, ageing: Duration, now: Timestamp) -> Place {
    let group = match entry.origin {
        Origin::Person => Group::People,
        Origin::Campaign(_) => Group::Campaigns,
    };
    let since = entry.waiting_since.unwrap_or(now);
    (landable, aged(entry.priority, now.since(since), ageing), group, since, entry.id)
}

/// Waiting makes urgent, one class at a time, so that nothing starves; never critical, which
/// is a person's word.
fn aged(priority: Priority, waited: Duration, ageing: Duration) -> Priority {
    let classes = waited.as_millis().checked_div(ageing.as_millis()).unwrap_or(0);
    match (priority, classes) {
        (_, 0) | (Priority::Critical | Priority::High, _) => priority,
        (Priority::Low, 1) => Priority::Normal,
        (Priority::Normal | Priority::Low, _) => Priority::High,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_promotes_by_one_class_per_period_and_never_to_critical() {
        let hour = Duration::from_secs(3_600);
        let rows = [
            (Priority::Low, 0, Priority::Low),
            (Priority::Low, 1, Priority::Normal),
            (Priority::Low, 2, Priority::High),
            (Priority::Low, 9, Priority::High),
            (Priority::Normal, 1, Priority::High),
            (Priority::High, 9, Priority::High),
            (Priority::Critical, 9, Priority::Critical),
        ];
        for (priority, hours, expected) in rows {
            assert_eq!(aged(priority, hour * hours, hour), expected, "{priority} after {hours} h");
        }
        assert_eq!(aged(Priority::Low, hour, Duration::ZERO), Priority::Low);
    }
}
