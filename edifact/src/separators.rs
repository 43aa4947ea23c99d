//! The five characters that structure an interchange, and the service string advice that may change them.

/// Which characters separate what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between the components of an element.
    pub component: u8,
    /// Between the elements of a segment.
    pub element: u8,
    /// Takes the meaning from the character behind it; `None` where nothing is released.
    pub release: Option<u8>,
    /// Ends a segment.
    pub terminator: u8,
}

impl Default for Separators {
    fn default() -> Self {
        Self { component: b':', element: b'+', release: Some(b'?'), terminator: b'\'' }
    }
}

/// A service string advice is `UNA` and six characters.
pub(super) const ADVICE_LENGTH: usize = 9;

impl Separators {
    /// Reads the six characters behind `UNA`. `None` when they cannot separate: letters, digits, control characters, or
    /// one character with two meanings.
    ///
    /// ```
    /// use concord_edifact::Separators;
    ///
    /// assert_eq!(Separators::from_advice(b":+.? '"), Some(Separators::default()));
    /// assert_eq!(Separators::from_advice(b"++.? '"), None);
    /// ```
    #[must_use]
    pub fn from_advice(advice: &[u8]) -> Option<Self> {
        let &[component, element, _decimal_mark, release, _reserved, terminator] = advice else {
            return None;
        };
        let release = (release != b' ').then_some(release);
        let read = Self { component, element, release, terminator };
        let characters = [Some(component), Some(element), release, Some(terminator)];
        let usable = characters.iter().flatten().all(|character| character.is_ascii_punctuation());
        let distinct = (0..characters.len()).all(|place| !characters[..place].contains(&characters[place]));
        (usable && distinct).then_some(read)
    }

    /// Where the next unreleased `separator` stands at or behind `from`.
    pub(super) fn find(&self, separator: u8, bytes: &[u8], from: usize) -> Option<usize> {
        let mut start = from;
        while let Some(found) = memchr::memchr(separator, bytes.get(start..)?) {
            let place = start + found;
            if !self.is_released(bytes, place) {
                return Some(place);
            }
            start = place + 1;
        }
        None
    }

    /// Whether the character at `place` has an odd number of release characters before it.
    pub(super) fn is_released(&self, bytes: &[u8], place: usize) -> bool {
        let Some(release) = self.release else { return false };
        let before = bytes[..place].iter().rev().take_while(|&&byte| byte == release).count();
        before % 2 == 1
    }

    /// The bytes between unreleased separators; of no bytes, one empty piece.
    pub(super) fn split(self, separator: u8, bytes: &[u8]) -> Pieces<'_> {
        Pieces { separators: self, separator, rest: Some(bytes) }
    }
}

/// What stands between separators, release characters kept.
#[derive(Debug, Clone)]
pub struct Pieces<'bytes> {
    separators: Separators,
    separator: u8,
    rest: Option<&'bytes [u8]>,
}

impl<'bytes> Iterator for Pieces<'bytes> {
    type Item = &'bytes [u8];

    fn next(&mut self) -> Option<&'bytes [u8]> {
        let rest = self.rest?;
        match self.separators.find(self.separator, rest, 0) {
            Some(place) => {
                self.rest = Some(&rest[place + 1..]);
                Some(&rest[..place])
            }
            None => self.rest.take(),
        }
    }
}
