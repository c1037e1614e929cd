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
    let text = distance((now - at) / 1_000.0);
    if time.text_content().as_deref() != Some(&text) {
        time.set_text_content(Some(&text));
    }
}

/// The distance of a point in time that lies so many seconds back, or ahead when negative.
fn distance(secs: f64) -> String {
    let size = secs.abs();
    let (number, unit) = match size {
        _ if size < 45.0 => return if secs < -5.0 { "in a moment" } else { "just now" }.into(),
        _ if size < 3_570.0 => ((size / 60.0).round().max(1.0), "min"),
        _ if size < 84_600.0 => ((size / 3_600.0).round(), "h"),
        _ => ((size / 86_400.0).round(), if size < 129_600.0 { "day" } else { "days" }),
    };
    if secs < 0.0 { format!("in {number} {unit}") } else { format!("{number} {unit} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_as_people_say_them() {
        for (secs, expected) in [
            (0.0, "just now"),
            (-20.0, "in a moment"),
            (50.0, "1 min ago"),
            (3_000.0, "50 min ago"),
            (-180.0, "in 3 min"),
            (7_300.0, "2 h ago"),
            (86_400.0, "1 day ago"),
            (400_000.0, "5 days ago"),
        ] {
            assert_eq!(distance(secs), expected, "{secs}");
        }
    }
}
