//! A short hash of content, to tell the same sent again from something else under the same number.

use twox_hash::XxHash3_64;

/// The hash of the segments so far. Line ends between segments and the separators between them are no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ContentHash(u64);

impl ContentHash {
    pub(super) fn add(&mut self, segment: SegmentHash) {
        self.0 = XxHash3_64::oneshot_with_seed(self.0, &segment.0.to_le_bytes());
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

/// The hash of one segment: its bytes are looked at once, however many hashes they are part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentHash(u64);

impl SegmentHash {
    pub(super) fn of(segment: &[u8]) -> Self {
        Self(XxHash3_64::oneshot(segment))
    }
}
