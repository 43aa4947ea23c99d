//! Bytes, in pieces cut anywhere, into segments.

use std::borrow::Cow;

use super::segment::Segment;
use super::separators::{ADVICE_LENGTH, Separators};

/// The longest segment that is read, in bytes: one segment can never exhaust the memory.
pub const LONGEST_SEGMENT: usize = 64 * 1024;

const ADVICE: &[u8] = b"UNA";
const HEADER: &[u8] = b"UNB";

/// What the lexer finds.
#[derive(Debug, Clone, Copy)]
pub enum Lexed<'bytes> {
    /// A segment with its terminator.
    Segment(Segment<'bytes>),
    /// The last segment of the source, which has no terminator.
    Unterminated(Segment<'bytes>),
    /// A segment longer than [`LONGEST_SEGMENT`]: its beginning. The rest is left out.
    TooLong(Segment<'bytes>),
    /// A service string advice whose characters cannot separate. The separators stay as they were.
    UnusableAdvice(Segment<'bytes>),
}

/// Cuts bytes into segments. Line ends are left out, also within a segment, since some systems break long lines; so are blanks before a
/// segment. A service string advice is obeyed; an interchange behind it that has none of its own may go on with its characters, or begin
/// with the usual ones, as far as its element separator tells.
///
/// ```
/// use concord_edifact::{Lexed, Lexer};
///
/// let mut lexer = Lexer::new();
/// let mut tags = Vec::new();
/// for piece in [&b"UNZ+1+0000"[..], b"0003'\r\nUN", b"B+UNOA:2'"] {
///     lexer.push(piece, &mut |found| {
///         if let Lexed::Segment(segment) = found {
///             tags.push(String::from_utf8_lossy(segment.tag()).into_owned());
///         }
///     });
/// }
/// assert_eq!(tags, ["UNZ", "UNB"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Lexer {
    separators: Separators,
    /// The beginning of a segment whose end has not come yet.
    begun: Vec<u8>,
    /// Bytes of the source before `begun`.
    offset: u64,
    segments: u64,
    /// Within a segment that was too long.
    skipping: bool,
    /// Release characters at the very end of what was skipped.
    releases_skipped: usize,
}

impl Lexer {
    /// Starts at the beginning of a source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next piece of the source.
    pub fn push(&mut self, mut bytes: &[u8], on: &mut impl FnMut(Lexed<'_>)) {
        while !bytes.is_empty() {
            if self.skipping {
                bytes = self.skip(bytes);
            } else if self.begun.is_empty() {
                bytes = self.cut(bytes, on);
            } else {
                bytes = self.complete(bytes, on);
            }
        }
    }

    /// Ends the source. What has no terminator is given as it is.
    pub fn finish(&mut self, on: &mut impl FnMut(Lexed<'_>)) {
        let begun = std::mem::take(&mut self.begun);
        let text = in_one_line(begun.trim_ascii_end());
        if !text.is_empty() {
            let segment = self.segment(&text);
            on(Lexed::Unterminated(segment));
        }
        *self = Self::new();
    }

    /// Gives the segments that lie wholly within `bytes`, and keeps what is left over.
    fn cut<'bytes>(&mut self, bytes: &'bytes [u8], on: &mut impl FnMut(Lexed<'_>)) -> &'bytes [u8] {
        let mut rest = bytes;
        loop {
            let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.offset += blanks as u64;
            rest = &rest[blanks..];
            self.take_usual_separators_back(rest);
            let Some(length) = self.length_of_first(rest) else {
                if rest.len() > LONGEST_SEGMENT {
                    self.begin_skipping(rest, on);
                } else {
                    self.begun.extend_from_slice(rest);
                }
                return &[];
            };
            self.give(&rest[..length], on);
            rest = &rest[length..];
            if rest.is_empty() {
                return rest;
            }
        }
    }

    /// Adds to the segment that was begun, up to its end if that is here.
    fn complete<'bytes>(&mut self, bytes: &'bytes [u8], on: &mut impl FnMut(Lexed<'_>)) -> &'bytes [u8] {
        let taken = if self.may_be(ADVICE, ADVICE_LENGTH) || self.may_be(HEADER, HEADER.len() + 1) {
            1
        } else {
            memchr::memchr(self.separators.terminator, bytes).map_or(bytes.len(), |place| place + 1)
        };
        self.begun.extend_from_slice(&bytes[..taken]);
        let begun = std::mem::take(&mut self.begun);
        self.take_usual_separators_back(&begun);
        let is_whole = if begun.starts_with(ADVICE) {
            begun.len() >= ADVICE_LENGTH
        } else {
            begun.last() == Some(&self.separators.terminator) && !self.separators.is_released(&begun, begun.len() - 1)
        };
        if is_whole {
            self.give(&begun, on);
        } else if begun.len() > LONGEST_SEGMENT {
            self.begin_skipping(&begun, on);
        } else {
            self.begun = begun;
            return &bytes[taken..];
        }
        // Its memory serves the next segment that is cut.
        if !self.skipping {
            self.begun = begun;
            self.begun.clear();
        }
        &bytes[taken..]
    }

    /// Whether what has begun may be a segment with a tag, of which `length` bytes must be seen before more is taken.
    fn may_be(&self, tag: &[u8], length: usize) -> bool {
        let compared = self.begun.len().min(tag.len());
        self.begun.len() < length && self.begun[..compared] == tag[..compared]
    }

    /// Of an interchange that begins with the usual separators, behind one with others, the usual ones hold.
    fn take_usual_separators_back(&mut self, segment: &[u8]) {
        let usual = Separators::default();
        let element = segment.strip_prefix(HEADER).and_then(|behind| behind.first());
        if element == Some(&usual.element) && self.separators.element != usual.element {
            self.separators = usual;
        }
    }

    /// Length of the segment at the beginning of `bytes`, terminator included.
    fn length_of_first(&self, bytes: &[u8]) -> Option<usize> {
        if bytes.starts_with(ADVICE) {
            return (bytes.len() >= ADVICE_LENGTH).then_some(ADVICE_LENGTH);
        }
        if bytes.len() < ADVICE.len() && ADVICE.starts_with(bytes) {
            return None;
        }
        self.separators.find(self.separators.terminator, bytes, 0).map(|place| place + 1)
    }

    fn give(&mut self, whole: &[u8], on: &mut impl FnMut(Lexed<'_>)) {
        if let Some(advice) = whole.strip_prefix(ADVICE) {
            match Separators::from_advice(advice) {
                Some(separators) => self.separators = separators,
                None => on(Lexed::UnusableAdvice(self.segment(whole))),
            }
        } else {
            let text = &whole[..whole.len() - 1];
            if text.len() > LONGEST_SEGMENT {
                on(Lexed::TooLong(self.segment(&text[..LONGEST_SEGMENT])));
            } else {
                on(Lexed::Segment(self.segment(&in_one_line(text))));
            }
        }
        self.offset += whole.len() as u64;
    }

    fn begin_skipping(&mut self, bytes: &[u8], on: &mut impl FnMut(Lexed<'_>)) {
        let segment = self.segment(&bytes[..LONGEST_SEGMENT.min(bytes.len())]);
        on(Lexed::TooLong(segment));
        self.offset += bytes.len() as u64;
        self.skipping = true;
        self.count_releases_at_end(bytes);
    }

    /// Goes on to the end of the segment that was too long.
    fn skip<'bytes>(&mut self, bytes: &'bytes [u8]) -> &'bytes [u8] {
        let mut from = 0;
        while let Some(found) = memchr::memchr(self.separators.terminator, &bytes[from..]) {
            let place = from + found;
            self.count_releases_at_end(&bytes[..place]);
            if self.releases_skipped.is_multiple_of(2) {
                self.offset += place as u64 + 1;
                self.skipping = false;
                self.releases_skipped = 0;
                return &bytes[place + 1..];
            }
            self.releases_skipped = 0;
            from = place + 1;
        }
        self.offset += bytes.len() as u64;
        self.count_releases_at_end(&bytes[from..]);
        &[]
    }

    fn count_releases_at_end(&mut self, bytes: &[u8]) {
        let Some(release) = self.separators.release else { return };
        let at_end = bytes.iter().rev().take_while(|&&byte| byte == release).count();
        if at_end == bytes.len() {
            self.releases_skipped += at_end;
        } else {
            self.releases_skipped = at_end;
        }
    }

    fn segment<'bytes>(&mut self, bytes: &'bytes [u8]) -> Segment<'bytes> {
        self.segments += 1;
        Segment { bytes, separators: self.separators, number: self.segments, offset: self.offset }
    }
}

/// A segment without the line ends in it.
fn in_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
}
