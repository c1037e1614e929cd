//! "Did you mean …?" by edit distance.

/// The candidate that is nearest to a word, when it is near enough to be a slip of the keys.
pub(super) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    if word.chars().count() > WORD_CHARS_MAX {
        return None;
    }
    candidates
        .iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= slips_max(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer words are no slip of the keys.
const WORD_CHARS_MAX: usize = 64;

fn slips_max(candidate: &str) -> usize {
    (candidate.len() / 3).clamp(1, 4)
}

/// Insertions, removals, replacements and swaps of neighbours that turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1; to.len() + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b;
            if swapped {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let keys = ["name", "description", "on", "steps", "changesetTemplate"];
        let check = |word, expected| assert_eq!(nearest(word, &keys), expected, "{word}");
        check("stpes", Some("steps"));
        check("step", Some("steps"));
        check("Name", Some("name"));
        check("changeset_template", Some("changesetTemplate"));
        check("onn", Some("on"));
        check("workspaces", None);
        check("", None);
        check("x", None);
    }
}
