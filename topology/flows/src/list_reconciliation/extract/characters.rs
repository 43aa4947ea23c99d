//! Which characters a field may have: one table of byte classes, and white space as the earlier implementation saw it.

/// A set of character classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Characters(u8);

impl Characters {
    /// `A` to `Z`.
    pub(super) const CAPITALS: Self = Self(1);
    /// `0` to `9`.
    pub(super) const DIGITS: Self = Self(2);
    /// Any white space, also beyond ASCII.
    pub(super) const WHITE_SPACE: Self = Self(4);
    /// `'` and `-`.
    pub(super) const APOSTROPHE_HYPHEN: Self = Self(8);
    /// `.` and `,`.
    pub(super) const STOP_COMMA: Self = Self(16);
    /// `?` and `/`.
    pub(super) const QUESTION_SLASH: Self = Self(32);
    /// U+00C0 to U+00D6. Other accented capitals have never been accepted.
    pub(super) const ACCENTED_CAPITALS: Self = Self(64);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }

    const fn allows_ascii(self, byte: u8) -> bool {
        self.has(ASCII_CLASSES[byte as usize])
    }

    fn allows(self, character: char) -> bool {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.allows_ascii(byte),
            _ if ('\u{c0}'..='\u{d6}').contains(&character) => self.has(Self::ACCENTED_CAPITALS),
            _ => self.has(Self::WHITE_SPACE) && is_white_space(character),
        }
    }

    /// Whether the text is `shortest` to `longest` characters, all of these classes.
    pub(super) fn make_up(self, text: &str, shortest: usize, longest: usize) -> bool {
        let bytes = text.as_bytes();
        // Without branches inside, the loop runs at a few bytes per cycle.
        let all_ascii_allowed = bytes.iter().fold(true, |all, byte| all & self.allows_ascii(*byte));
        if all_ascii_allowed {
            return (shortest..=longest).contains(&bytes.len());
        }
        let mut count = 0;
        for character in text.chars() {
            count += 1;
            if count > longest || !self.allows(character) {
                return false;
            }
        }
        count >= shortest
    }
}

/// No byte beyond ASCII has a class here.
static ASCII_CLASSES: [Characters; 256] = {
    let mut classes = [Characters(0); 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => Characters::CAPITALS,
            b'0'..=b'9' => Characters::DIGITS,
            b'\t'..=b'\r' | 0x1c..=0x1f | b' ' => Characters::WHITE_SPACE,
            b'\'' | b'-' => Characters::APOSTROPHE_HYPHEN,
            b'.' | b',' => Characters::STOP_COMMA,
            b'?' | b'/' => Characters::QUESTION_SLASH,
            _ => Characters(0),
        };
        byte += 1;
    }
    classes
};

/// White space as Python counts it: Unicode's, and the four ASCII separators U+001C to U+001F.
pub(super) fn is_white_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The text without white space at its ends.
pub(super) fn trim(text: &str) -> &str {
    if let ([first, ..], [.., last]) = (text.as_bytes(), text.as_bytes())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    text.trim_matches(is_white_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_beyond_ascii_is_trimmed() {
        for space in ['\t', '\r', '\u{b}', '\u{1c}', '\u{85}', '\u{a0}', '\u{2003}', '\u{3000}'] {
            assert_eq!(trim(&format!("{space} A B{space}")), "A B");
        }
        assert_eq!(trim("\u{feff}A"), "\u{feff}A");
        assert_eq!(trim("\u{200b}A"), "\u{200b}A");
        assert_eq!(trim(" \t "), "");
    }

    #[test]
    fn length_is_counted_in_characters() {
        let names = Characters::CAPITALS.and(Characters::ACCENTED_CAPITALS);
        assert!(names.make_up(&"É".repeat(35), 1, 35));
        assert!(!names.make_up(&"É".repeat(36), 1, 35));
        assert!(!names.make_up("", 1, 35));
    }

    #[test]
    fn only_the_named_classes_are_allowed() {
        let names = Characters::CAPITALS.and(Characters::ACCENTED_CAPITALS);
        for character in '\0'..='\u{17f}' {
            let expected = character.is_ascii_uppercase() || ('À'..='Ö').contains(&character);
            assert_eq!(names.make_up(&character.to_string(), 1, 1), expected, "{character:?}");
        }
    }
}
