//! One segment: its tag, its elements, their components.

use std::borrow::Cow;

use super::separators::{Pieces, Separators};

/// A segment as it stands in its source, without its terminator.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'bytes> {
    /// Everything before the terminator, release characters kept, without the line ends before it.
    pub bytes: &'bytes [u8],
    /// What separates its elements and components.
    pub separators: Separators,
    /// Which segment of the source it is, from 1.
    pub number: u64,
    /// Where it begins in the source, in bytes from 0.
    pub offset: u64,
}

impl<'bytes> Segment<'bytes> {
    /// The first element: `UNB`, `RFF`. Empty when there is none.
    #[must_use]
    pub fn tag(&self) -> &'bytes [u8] {
        // Nearly every tag has three letters.
        if let Some((tag, [next, ..])) = self.bytes.split_at_checked(3)
            && *next == self.separators.element
            && !tag.contains(&self.separators.element)
            && self.separators.release.is_none_or(|release| !tag.contains(&release))
        {
            return tag;
        }
        self.elements().next().unwrap_or_default()
    }

    /// All elements, the tag first.
    #[must_use]
    pub fn elements(&self) -> Pieces<'bytes> {
        self.separators.split(self.separators.element, self.bytes)
    }

    /// An element, 0 being the tag; `None` behind the last.
    #[must_use]
    pub fn element(&self, place: usize) -> Option<&'bytes [u8]> {
        self.elements().nth(place)
    }

    /// The components of an element; none where there is no such element.
    pub fn components(&self, element: usize) -> impl Iterator<Item = &'bytes [u8]> + use<'bytes> {
        let separators = self.separators;
        self.element(element).into_iter().flat_map(move |bytes| separators.split(separators.component, bytes))
    }

    /// A component of an element, from 0.
    #[must_use]
    pub fn component(&self, element: usize, place: usize) -> Option<&'bytes [u8]> {
        self.components(element).nth(place)
    }

    /// Whether the segment is of this tag and its first element begins with this qualifier: `RFF`, `TN`.
    #[must_use]
    pub fn is(&self, tag: &[u8], qualifier: &[u8]) -> bool {
        self.tag() == tag && self.component(1, 0) == Some(qualifier)
    }
}

/// A value without its release characters.
///
/// ```
/// use concord_edifact::{Separators, unescaped};
///
/// assert_eq!(&*unescaped(b"O?'BRIEN??", Separators::default()), b"O'BRIEN?");
/// ```
#[must_use]
pub fn unescaped(value: &[u8], separators: Separators) -> Cow<'_, [u8]> {
    let Some(release) = separators.release else { return Cow::Borrowed(value) };
    if memchr::memchr(release, value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut is_released = false;
    for &byte in value {
        if byte == release && !is_released {
            is_released = true;
        } else {
            plain.push(byte);
            is_released = false;
        }
    }
    Cow::Owned(plain)
}
