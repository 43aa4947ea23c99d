//! Equality of text as the rules see it: the same words in the same order, without regard to case.
//!
//! Collapsing white space, trimming and lower-casing two texts and then comparing them is the same as comparing their
//! words one by one; nothing is allocated for it.

use std::slice;

/// Whether two texts, each given in pieces joined by white space, have the same words. Empty pieces count for nothing.
pub(super) fn same(left: &[&str], right: &[&str]) -> bool {
    let mut left = Words::of(left);
    let mut right = Words::of(right);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if same_word(left, right) => {}
            _ => return false,
        }
    }
}

struct Words<'pieces, 'text> {
    rest: &'text str,
    pieces: slice::Iter<'pieces, &'text str>,
}

impl<'pieces, 'text> Words<'pieces, 'text> {
    fn of(pieces: &'pieces [&'text str]) -> Self {
        Self { rest: "", pieces: pieces.iter() }
    }
}

impl<'text> Iterator for Words<'_, 'text> {
    type Item = &'text str;

    fn next(&mut self) -> Option<&'text str> {
        loop {
            let start = length_of(self.rest, Part::Space);
            let Some(from_word) = self.rest.get(start..).filter(|text| !text.is_empty()) else {
                self.rest = self.pieces.next()?;
                continue;
            };
            let (word, rest) = from_word.split_at(length_of(from_word, Part::Word));
            self.rest = rest;
            return Some(word);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Space,
    Word,
}

/// How many bytes at the start of a text are all white space, or all not.
fn length_of(text: &str, part: Part) -> usize {
    for (position, byte) in text.bytes().enumerate() {
        if !byte.is_ascii() {
            // Nearly all text is ASCII, and looking at bytes is several times as fast as looking at characters.
            let rest = &text[position..];
            let end = rest.find(|character| is_space(character) != (part == Part::Space));
            return position + end.unwrap_or(rest.len());
        }
        if is_ascii_space(byte) != (part == Part::Space) {
            return position;
        }
    }
    text.len()
}

/// White space of Unicode, and the four ASCII separators that the earlier implementation's language counts as such.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d | 0x1c..=0x1f)
}

fn same_word(left: &str, right: &str) -> bool {
    if left.eq_ignore_ascii_case(right) {
        return true;
    }
    if left.is_ascii() && right.is_ascii() {
        return false;
    }
    // A capital sigma's lower case depends on its place in the word, which only the whole word's conversion knows.
    if left.contains('Σ') || right.contains('Σ') {
        return left.to_lowercase() == right.to_lowercase();
    }
    let left = left.chars().flat_map(char::to_lowercase);
    let right = right.chars().flat_map(char::to_lowercase);
    left.eq(right)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::same;

    #[test]
    fn spacing_and_the_split_into_pieces_make_no_difference() {
        assert!(same(&["FLAT A THE STREET", "EAST"], &["Flat A", "The Street", "East"]));
        assert!(same(&["LE12 4RT"], &["LE12    4RT"]));
        assert!(same(&["PETER PIPER"], &[" Peter ", "", "Piper\t"]));
        assert!(same(&["A\u{a0}B"], &["a\u{1c}b"]));
        assert!(same(&[], &["", " \u{2003}"]));
    }

    #[test]
    fn words_are_neither_joined_nor_split() {
        assert!(!same(&["E1   1AA"], &["E11AA"]));
        assert!(!same(&["PETER"], &["Peter", "Piper"]));
        assert!(!same(&["PETER-PIPER"], &["Peter", "Piper"]));
    }

    #[test]
    fn case_makes_no_difference_but_accents_do() {
        assert!(same(&["ÉLAN"], &["Élan"]));
        assert!(same(&["RENÉE"], &["renée"]));
        assert!(same(&["ΟΔΟΣ"], &["οδος"]));
        assert!(!same(&["ELAN"], &["Élan"]));
        // One letter written in two ways (composed, and with a combining accent) is two texts.
        assert!(!same(&["É"], &["E\u{301}"]));
    }

    #[test]
    fn the_two_ways_to_tell_white_space_agree_on_ascii() {
        for byte in 0..=0x7f_u8 {
            assert_eq!(super::is_ascii_space(byte), super::is_space(char::from(byte)), "{byte:#x}");
        }
    }

    fn normalised(pieces: &[String]) -> String {
        let joined = pieces.join(" ");
        let words: Vec<&str> = joined
            .split(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
            .filter(|w| !w.is_empty())
            .collect();
        words.join(" ").to_lowercase()
    }

    proptest! {
        #[test]
        fn comparing_words_is_comparing_normalised_text(
            left in prop::collection::vec("[aAbBéÉΣσς \\t\u{a0}\u{1c}]{0,6}", 0..4),
            right in prop::collection::vec("[aAbBéÉΣσς \\t\u{a0}\u{1c}]{0,6}", 0..4),
        ) {
            let left_pieces: Vec<&str> = left.iter().map(String::as_str).collect();
            let right_pieces: Vec<&str> = right.iter().map(String::as_str).collect();
            prop_assert_eq!(same(&left_pieces, &right_pieces), normalised(&left) == normalised(&right));
        }
    }
}
