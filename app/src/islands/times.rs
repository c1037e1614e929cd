//! "3 min ago", kept true.
//!
//! One island for the whole page: the server writes `<time datetime>` with the date and never
//! asks the clock while rendering; this fills in the distance, and again when a page changes.

use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::Element;

const EVERY: Duration = Duration::from_secs(15);

#[island]
pub fn Times() -> impl IntoView {
    Effect::new(|_| {
        fill();
        set_interval(fill, EVERY);
        super::on_hint(fill);
    });
}

fn fill() {
    let now = js_sys::Date::now();
    let Ok(times) = document().query_selector_all("time[datetime]") else { return };
    for index in 0..times.length() {
        if let Some(time) = times.get(index).and_then(|node| node.dyn_into::<Element>().ok()) {
            fill_one(&time, now);
        }
    }
}

fn fill_one(time: &Element, now: f64) {
    let at = js_sys::Date::parse(&time.get_attribute("datetime").unwrap_or_default());
    if at.is_nan() {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
    let text = distance(((now - at) / 1_000.0) as i64);
    if time.text_content().as_deref() != Some(&text) {
        time.set_text_content(Some(&text));
    }
}

/// The distance of a point in time that lies so many seconds back, or ahead when negative.
fn distance(secs: i64) -> String {
    let size = secs.abs();
    let (number, unit) = match size {
        ..45 => return if secs < -5 { "in a moment" } else { "just now" }.into(),
        45..3_570 => (((size + 30) / 60).max(1), "min"),
        3_570..84_600 => ((size + 1_800) / 3_600, "h"),
        84_600..129_600 => (1, "day"),
        129_600.. => ((size + 43_200) / 86_400, "days"),
    };
    if secs < 0 { format!("in {number} {unit}") } else { format!("{number} {unit} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_as_people_say_them() {
        for (secs, expected) in [
            (0, "just now"),
            (-20, "in a moment"),
            (50, "1 min ago"),
            (3_000, "50 min ago"),
            (-180, "in 3 min"),
            (7_300, "2 h ago"),
            (86_400, "1 day ago"),
            (400_000, "5 days ago"),
        ] {
            assert_eq!(distance(secs), expected, "{secs}");
        }
    }
}
