//! Equality of text as the rules see it: the same words in the same order, without regard to case.
//!
//! It is the same as collapsing white space, trimming and lower-casing both texts, but nothing is allocated for it.

use std::slice;

/// Whether two texts, each given in pieces joined by white space, have the same words. Empty pieces count for nothing.
pub(in crate::list_reconciliation) fn same(left: &[&str], right: &[&str]) -> bool {
    // Nearly all text is ASCII, and going through bytes is several times as fast as going through characters.
    same_ascii(left, right).unwrap_or_else(|| same_words(left, right))
}

/// The answer, unless it depends on a character beyond ASCII.
fn same_ascii(left: &[&str], right: &[&str]) -> Option<bool> {
    let mut left_bytes = FoldedBytes::of(left);
    let mut right_bytes = FoldedBytes::of(right);
    loop {
        let (left, right) = (left_bytes.next(), right_bytes.next());
        if left == BEYOND_ASCII || right == BEYOND_ASCII {
            return None;
        }
        if left != right {
            // What stands behind the space may be no word, but white space beyond ASCII.
            let behind_space = match (left, right) {
                (SPACE, END) => left_bytes.next(),
                (END, SPACE) => right_bytes.next(),
                _ => return Some(false),
            };
            return (behind_space != BEYOND_ASCII).then_some(false);
        }
        if left == END {
            return Some(true);
        }
    }
}

/// Between two words, however much white space there is.
const SPACE: u8 = b' ';
const BEYOND_ASCII: u8 = 0x80;
const END: u8 = 0xff;

/// What each byte counts as: itself in lower case, `SPACE` or `BEYOND_ASCII`.
static FOLDED: [u8; 256] = {
    let mut folded = [BEYOND_ASCII; 256];
    let mut byte: u8 = 0;
    while byte.is_ascii() {
        folded[byte as usize] = if is_ascii_space(byte) { SPACE } else { byte.to_ascii_lowercase() };
        byte += 1;
    }
    folded
};

/// Goes through a text's bytes as they count: each word folded, one `SPACE` between words, `END` behind the last.
struct FoldedBytes<'pieces, 'text> {
    rest: &'text [u8],
    pieces: slice::Iter<'pieces, &'text str>,
}

impl<'pieces, 'text> FoldedBytes<'pieces, 'text> {
    fn of(pieces: &'pieces [&'text str]) -> Self {
        let mut bytes = Self { rest: &[], pieces: pieces.iter() };
        bytes.skip_to_word();
        bytes
    }

    #[inline]
    fn next(&mut self) -> u8 {
        if let Some((&byte, rest)) = self.rest.split_first() {
            let folded = FOLDED[usize::from(byte)];
            if folded != SPACE {
                self.rest = rest;
                return folded;
            }
        }
        self.skip_to_word()
    }

    fn skip_to_word(&mut self) -> u8 {
        loop {
            match self.rest.split_first() {
                Some((&byte, rest)) if FOLDED[usize::from(byte)] == SPACE => self.rest = rest,
                Some(_) => return SPACE,
                None => match self.pieces.next() {
                    Some(piece) => self.rest = piece.as_bytes(),
                    None => return END,
                },
            }
        }
    }
}

fn same_words(left: &[&str], right: &[&str]) -> bool {
    let mut left = left.iter().flat_map(|piece| words_of(piece));
    let mut right = right.iter().flat_map(|piece| words_of(piece));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if same_word(left, right) => {}
            _ => return false,
        }
    }
}

fn words_of(piece: &str) -> impl Iterator<Item = &str> {
    piece.split(is_space).filter(|word| !word.is_empty())
}

fn same_word(left: &str, right: &str) -> bool {
    // A capital sigma's lower case depends on its place in the word, which only the whole word's conversion knows.
    if left.contains('Σ') || right.contains('Σ') {
        return left.to_lowercase() == right.to_lowercase();
    }
    let left = left.chars().flat_map(char::to_lowercase);
    let right = right.chars().flat_map(char::to_lowercase);
    left.eq(right)
}

/// The text whose equality [`same`] tells: its words in lower case, a space between them.
pub(in crate::list_reconciliation) fn normalised(pieces: &[&str]) -> String {
    pieces.iter().flat_map(|piece| words_of(piece)).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// White space of Unicode, and the four ASCII separators that the earlier implementation's language counts as such.
pub(in crate::list_reconciliation) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

const fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::{normalised, same};

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
    fn white_space_beyond_ascii_at_the_end_makes_no_difference() {
        assert!(same(&["B", "\u{a0}"], &["b"]));
        assert!(same(&["b"], &["B \u{a0}"]));
        assert!(!same(&["B", "\u{a0}c"], &["b"]));
        assert!(!same(&["B", "É"], &["b"]));
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

    /// What the two ways must agree with.
    fn spelled_out(pieces: &[&str]) -> String {
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
            prop_assert_eq!(normalised(&left_pieces), spelled_out(&left_pieces));
            prop_assert_eq!(same(&left_pieces, &right_pieces), spelled_out(&left_pieces) == spelled_out(&right_pieces));
        }
    }
}
