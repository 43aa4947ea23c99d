//! Postcodes of the United Kingdom; any other is kept as it is written, in capitals.

/// In capitals with one blank: `ls14ap` is `LS1 4AP`. A letter that looks like the digit that must stand in its place counts as
/// that digit, and the other way round. `None` when it is no postcode of the United Kingdom.
pub(crate) fn of_uk(text: &str) -> Option<String> {
    let capitals: Vec<char> = text.chars().filter(|one| !one.is_whitespace()).flat_map(char::to_uppercase).collect();
    if !(5..=7).contains(&capitals.len()) || !capitals.iter().all(char::is_ascii_alphanumeric) {
        return None;
    }
    // Of another country, or no postcode: none of the United Kingdom begins with a digit.
    if !capitals[0].is_ascii_alphabetic() {
        return None;
    }
    let (outward, inward) = capitals.split_at(capitals.len() - 3);
    let (inward, changed) = shaped(inward, "9AA")?;
    // Of several shapes that it may have, the one for which the least must be taken for something else.
    let shapes = SHAPES.iter().filter_map(|shape| shaped(outward, shape));
    let (outward, of_outward) = shapes.min_by_key(|(_, changed)| *changed)?;
    // One character may look like another; with two it is something else.
    if changed + of_outward > 1 {
        return None;
    }
    Some(format!("{outward} {inward}"))
}

/// A postcode as the contract wants it; of another country as written. Where a second half was to follow (`97006-`) or all is zeros,
/// a form was not filled in.
pub(crate) fn from_text(text: &str) -> String {
    if text.chars().all(|one| matches!(one, '0' | '-') || one.is_whitespace()) {
        return String::new();
    }
    of_uk(text).unwrap_or_else(|| super::squeezed(text).trim_end_matches([' ', '-']).to_uppercase())
}

/// An address in one line whose end is a postcode: what is before it, and the postcode.
pub(crate) fn at_end_of(text: &str) -> Option<(&str, String)> {
    let text = text.trim().trim_end_matches(['.', ',']);
    let ends = |words: usize| {
        let start = text.rmatch_indices([' ', ',']).nth(words - 1).map_or(0, |(at, _)| at + 1);
        let rest = text[..start].trim_end_matches([' ', ',']);
        // Letters that look like digits are not corrected here: a word at the end of an address is no postcode for that.
        let strict = |found: &String| text[start..].trim().replace(' ', "").to_uppercase() == found.replace(' ', "");
        of_uk(&text[start..]).filter(strict).map(|postcode| (rest, postcode))
    };
    ends(2).or_else(|| ends(1))
}

/// The shapes of the first half, frequent ones first: `A` a letter, `9` a digit.
const SHAPES: [&str; 6] = ["AA9", "A9", "AA99", "A99", "AA9A", "A9A"];

/// The half in this shape, and how many of its characters are taken for others.
fn shaped(half: &[char], shape: &str) -> Option<(String, usize)> {
    if half.len() != shape.len() {
        return None;
    }
    let read = half.iter().zip(shape.chars());
    let read = read.map(|(one, kind)| if kind == 'A' { as_letter(*one) } else { as_digit(*one) });
    let read: String = read.collect::<Option<String>>()?;
    let changed = read.chars().zip(half).filter(|(read, written)| read != *written).count();
    Some((read, changed))
}

fn as_digit(one: char) -> Option<char> {
    match one {
        '0'..='9' => Some(one),
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        'S' => Some('5'),
        'Z' => Some('2'),
        'B' => Some('8'),
        _ => None,
    }
}

fn as_letter(one: char) -> Option<char> {
    match one {
        'A'..='Z' => Some(one),
        '0' => Some('O'),
        '1' => Some('I'),
        '5' => Some('S'),
        '8' => Some('B'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn postcodes_have_one_blank_and_capitals() {
        for (text, postcode) in [
            ("ls14ap", "LS1 4AP"),
            ("LS1  4AP", "LS1 4AP"),
            ("m1 1aa", "M1 1AA"),
            ("EC1A 1BB", "EC1A 1BB"),
            ("W1A0AX", "W1A 0AX"),
            ("LS10 1AA", "LS10 1AA"),
        ] {
            assert_eq!(of_uk(text).as_deref(), Some(postcode), "{text}");
        }
        for text in ["", "Leeds", "12345", "LS1 AAA", "LS1 4A!"] {
            assert_eq!(of_uk(text), None, "{text}");
        }
        for (text, postcode) in
            [("1012 ab", "1012 AB"), ("97006-    ", "97006"), ("97006-1234", "97006-1234"), ("00000-0000", "")]
        {
            assert_eq!(from_text(text), postcode, "{text}");
        }
    }

    #[test]
    fn a_letter_in_the_place_of_a_digit_counts_as_the_digit_that_it_looks_like() {
        assert_eq!(of_uk("LSI 4AP").as_deref(), Some("LS1 4AP"));
        assert_eq!(of_uk("LS1 OAP").as_deref(), Some("LS1 0AP"));
    }

    #[test]
    fn a_postcode_at_the_end_of_an_address_is_found() {
        assert_eq!(at_end_of("1 High St, Leeds, LS1 4AP"), Some(("1 High St, Leeds", "LS1 4AP".to_owned())));
        assert_eq!(at_end_of("1 High St, Leeds LS14AP."), Some(("1 High St, Leeds", "LS1 4AP".to_owned())));
        assert_eq!(at_end_of("LS1 4AP"), Some(("", "LS1 4AP".to_owned())));
        assert_eq!(at_end_of("1 High St, Leeds"), None);
        assert_eq!(at_end_of(""), None);
    }
}
