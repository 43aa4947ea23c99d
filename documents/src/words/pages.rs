//! Pages behind each other: what every page repeats at its edges is read once, so that what was cut in two at the end of a page goes on.

use std::collections::{BTreeMap, HashSet};

use super::Line;

/// Headers and footers have at most so many lines.
const EDGE: usize = 3;

/// All lines of the pages, an empty one between two pages.
pub(crate) fn behind_each_other(pages: BTreeMap<u32, Vec<Line>>) -> Vec<Line> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut all: Vec<Line> = Vec::new();
    for lines in pages.into_values() {
        let with_text: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].text.trim().is_empty()).collect();
        let edges = with_text.iter().take(EDGE).chain(with_text.iter().rev().take(EDGE)).copied();
        let edges: BTreeMap<usize, String> = edges.map(|at| (at, without_number(&lines[at].text))).collect();
        if let Some(first) = lines.first() {
            all.push(Line { page: first.page, ..Line::default() });
        }
        let is_repeated = |at: &usize| edges.get(at).is_some_and(|edge| edge.is_empty() || seen.contains(edge));
        let kept: Vec<usize> = (0..lines.len()).filter(|at| !is_repeated(at)).collect();
        seen.extend(edges.into_values());
        all.extend(kept.into_iter().map(|at| lines[at].clone()));
    }
    all
}

/// The words of a line without the number of the page: behind `Page` or `of`, or alone in the line.
fn without_number(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'/'));
    let counts = |before: &str| matches!(before.to_lowercase().as_str(), "page" | "of" | "p.");
    // A longer number may be what is left of a broken line, such as a code.
    let is_alone = words.iter().all(|word| is_number(word)) && text.bytes().filter(u8::is_ascii_digit).count() <= 3;
    let kept = words.iter().enumerate().filter(|(at, word)| {
        let is_counted = *at > 0 && counts(words[at - 1]);
        !(is_number(word) && (is_alone || is_counted))
    });
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::lines_of_text;
    use super::*;

    fn texts(pages: &[&str]) -> Vec<String> {
        let pages = pages.iter().zip(1..).map(|(page, number)| (number, lines_of_text(page))).collect();
        behind_each_other(pages).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_pages_repeat_at_their_edges_is_read_once() {
        let read = texts(&["Ann Smith  Page 1 of 2\n- Senna\n1", "Ann Smith  Page 2 of 2\n- Ramipril\n2"]);
        assert_eq!(read, ["", "Ann Smith  Page 1 of 2", "- Senna", "", "- Ramipril"]);
    }

    #[test]
    fn what_differs_by_any_other_number_is_kept() {
        let read = texts(&["Born: 1/1/1950", "Born: 1/1/1951"]);
        assert_eq!(read, ["", "Born: 1/1/1950", "", "Born: 1/1/1951"]);
        assert_eq!(texts(&["Senna, dm+d\n9000010010"]), ["", "Senna, dm+d", "9000010010"]);
    }
}
