//! Faults on order: what a caller of GitHub must survive, made by rule and a set number of times.

use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const RULES_MAX: usize = 1_000;
/// A hanging request is let go in the end, so that nothing waits for ever.
pub(crate) const HANG: Duration = Duration::from_secs(600);

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// This status, and nothing was done.
    Status { status: u16 },
    /// Everything was done, and the caller is told this status all the same.
    StatusAfter { status: u16 },
    /// Answers later.
    Delay { millis: u64 },
    /// Never answers, and does nothing.
    Hang,
    /// Everything was done, and no answer comes.
    HangAfter,
    /// GitHub's secondary limit, 403 or 429; it may or may not say when to come back.
    SecondaryLimit { status: u16, retry_after_secs: Option<u64> },
    /// The hourly limit is used up.
    PrimaryLimit { reset_after_secs: u64 },
    /// The connection breaks, and nothing was done.
    CutBefore,
    /// Everything was done, then the connection breaks before the answer.
    CutAfter,
    /// Reads what was there before the last change of the repository.
    StaleRead,
}

/// Which requests a fault meets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Any method when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// A path without `/api/v3`; `*` stands for one segment, `**` at the end for all others.
    pub path: String,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it meets before it is used up.
    pub times: u32,
    pub fault: Fault,
}

impl Rule {
    /// Meets the next request with this method and path, once.
    #[must_use]
    pub fn once(method: &str, path: &str, fault: Fault) -> Self {
        let method = Some(method.to_owned());
        Self { method, path: path.to_owned(), skip: 0, times: 1, fault }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(method));
        method_fits && path_fits(&self.path, path)
    }
}

/// What happens to the delivery of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryFault {
    Lost,
    Doubled,
    /// Sent after the next one.
    Reordered,
}

/// Which deliveries a fault meets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryRule {
    /// Any event when absent.
    #[serde(default)]
    pub event: Option<String>,
    pub times: u32,
    pub fault: DeliveryFault,
}

#[derive(Default)]
pub(crate) struct Faults {
    requests: Mutex<VecDeque<Rule>>,
    deliveries: Mutex<VecDeque<DeliveryRule>>,
}

impl Faults {
    /// Adds a rule; the oldest goes when there are too many.
    pub(crate) fn add(&self, rule: Rule) {
        let mut rules = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push_back(rule);
        if rules.len() > RULES_MAX {
            rules.pop_front();
        }
    }

    pub(crate) fn add_for_deliveries(&self, rule: DeliveryRule) {
        let mut rules = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push_back(rule);
        if rules.len() > RULES_MAX {
            rules.pop_front();
        }
    }

    pub(crate) fn clear(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault that this request meets: that of the first rule that fits and is not used up.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut rules = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && rule.matches(method, path))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        let fault = rule.fault.clone();
        rules.retain(|rule| rule.times > 0);
        Some(fault)
    }

    pub(crate) fn take_for_delivery(&self, event: &str) -> Option<DeliveryFault> {
        let mut rules = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |rule: &DeliveryRule| rule.event.as_ref().is_none_or(|it| it == event);
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && fits(rule))?;
        rule.times -= 1;
        let fault = rule.fault;
        rules.retain(|rule| rule.times > 0);
        Some(fault)
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        match segments.next() {
            Some(segment) if wanted == "*" || wanted == segment => (),
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_segment_by_segment() {
        let check = |pattern, path, expected| assert_eq!(path_fits(pattern, path), expected);
        check("/repos/*/*/pulls", "/repos/a/b/pulls", true);
        check("/repos/*/*/pulls", "/repos/a/b/pulls/1", false);
        check("/repos/*/*/pulls", "/repos/a/b", false);
        check("/repos/a/**", "/repos/a/b/pulls/1", true);
        check("/**", "/", true);
    }

    #[test]
    fn a_rule_skips_then_meets_then_is_used_up() {
        let faults = Faults::default();
        let rule = Rule::once("POST", "/x", Fault::Hang);
        faults.add(Rule { skip: 1, times: 2, ..rule });
        let met: Vec<bool> = (0..4).map(|_| faults.take("POST", "/x").is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
        assert_eq!(faults.take("GET", "/x"), None);
    }
}
