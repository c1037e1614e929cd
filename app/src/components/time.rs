//! A point in time. The server writes the date; [`crate::islands::times`] makes it a distance.

use drover::time::Timestamp;
use leptos::prelude::*;

#[component]
pub fn Time(at: Timestamp) -> impl IntoView {
    let Civil { year, month, day, hour, minute, second } = Civil::new(at);
    let date = format!("{year:04}-{month:02}-{day:02}");
    let iso = format!("{date}T{hour:02}:{minute:02}:{second:02}Z");
    let text = format!("{date} {hour:02}:{minute:02} UTC");
    view! {
        <time class="whitespace-nowrap text-sm" datetime=iso title=text.clone()>
            {text.clone()}
        </time>
    }
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// The date in UTC. Years start in March here, so that the leap day comes last.
    fn new(at: Timestamp) -> Self {
        let secs = at.0.div_euclid(1_000);
        let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let days = days + 719_468; // from 0000-03-01
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self { year, month, day, hour: rest / 3_600, minute: rest / 60 % 60, second: rest % 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (secs, expected) in [
            (0, (1970, 1, 1, 0, 0, 0)),
            (951_782_399, (2000, 2, 28, 23, 59, 59)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (1_795_191_296, (2026, 11, 20, 16, 14, 56)),
            (-1, (1969, 12, 31, 23, 59, 59)),
        ] {
            let Civil { year, month, day, hour, minute, second } =
                Civil::new(Timestamp(secs * 1_000));
            assert_eq!((year, month, day, hour, minute, second), expected, "{secs}");
        }
    }
}
