//! Content on its way out: unpacked, counted, held to a limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use super::checksum::Digests;
use super::message::Packing;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why content could not be written.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// It is longer than the limit.
    TooLarge,
    /// It is not gzip, or ends in the middle of it.
    NotGzip(String),
    /// Where it goes to does not accept it.
    Sink(io::Error),
}

/// What came out.
pub(super) struct Unpacked {
    pub bytes: u64,
    pub digests: Digests,
}

/// Takes content as it arrives, in pieces of any length, and writes it unpacked.
pub(super) struct Unpacker<'sink> {
    stage: Stage<'sink>,
    /// Packed bytes that may still arrive: gzip can be long and say nothing.
    packed_left: u64,
}

enum Stage<'sink> {
    /// Not enough has arrived to tell.
    Undecided {
        packing: Packing,
        start: Vec<u8>,
        out: Bounded<'sink>,
    },
    Plain(Bounded<'sink>),
    Gzip(Box<MultiGzDecoder<Bounded<'sink>>>),
    /// Only while one stage becomes the next.
    Passing,
}

impl<'sink> Unpacker<'sink> {
    pub(super) fn new(into: &'sink mut dyn Write, packing: Packing, limit: u64, digests: Digests) -> Self {
        let out = Bounded { into, left: limit, bytes: 0, digests, refused: None };
        let stage = match packing {
            Packing::Plain => Stage::Plain(out),
            _ => Stage::Undecided { packing, start: Vec::new(), out },
        };
        Self { stage, packed_left: limit }
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> Result<(), UnpackError> {
        self.packed_left = self.packed_left.checked_sub(piece.len() as u64).ok_or(UnpackError::TooLarge)?;
        match &mut self.stage {
            Stage::Undecided { start, .. } => {
                start.extend_from_slice(piece);
                if start.len() >= GZIP_MAGIC.len() { self.decide() } else { Ok(()) }
            }
            Stage::Plain(out) => out.accept(piece),
            Stage::Gzip(decoder) => decoder.write_all(piece).map_err(|error| refusal(decoder.get_mut(), &error)),
            Stage::Passing => Ok(()),
        }
    }

    pub(super) fn finish(mut self) -> Result<Unpacked, UnpackError> {
        if matches!(self.stage, Stage::Undecided { .. }) {
            self.decide()?;
        }
        let mut out = match self.stage {
            Stage::Plain(out) | Stage::Undecided { out, .. } => out,
            Stage::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|error| refusal(decoder.get_mut(), &error))?;
                decoder.finish().map_err(UnpackError::Sink)?
            }
            Stage::Passing => return Err(UnpackError::NotGzip("it was given up before".to_owned())),
        };
        out.flush().map_err(UnpackError::Sink)?;
        Ok(Unpacked { bytes: out.bytes, digests: out.digests })
    }

    fn decide(&mut self) -> Result<(), UnpackError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Passing);
        let Stage::Undecided { packing, start, out } = stage else {
            self.stage = stage;
            return Ok(());
        };
        let is_gzip = start.starts_with(&GZIP_MAGIC);
        if !is_gzip && packing == Packing::Gzip {
            return Err(UnpackError::NotGzip("it does not begin as gzip does".to_owned()));
        }
        self.stage = if is_gzip { Stage::Gzip(Box::new(MultiGzDecoder::new(out))) } else { Stage::Plain(out) };
        match &mut self.stage {
            Stage::Gzip(decoder) => decoder.write_all(&start).map_err(|error| refusal(decoder.get_mut(), &error)),
            Stage::Plain(out) => out.accept(&start),
            _ => Ok(()),
        }
    }
}

/// A decoder gives on what its sink said only as text, so the sink remembers it.
fn refusal(out: &mut Bounded<'_>, error: &io::Error) -> UnpackError {
    out.refused.take().unwrap_or_else(|| UnpackError::NotGzip(error.to_string()))
}

/// The sink, counting and digesting what it is given, up to a limit.
struct Bounded<'sink> {
    into: &'sink mut dyn Write,
    left: u64,
    bytes: u64,
    digests: Digests,
    refused: Option<UnpackError>,
}

impl Bounded<'_> {
    fn accept(&mut self, content: &[u8]) -> Result<(), UnpackError> {
        self.left = self.left.checked_sub(content.len() as u64).ok_or(UnpackError::TooLarge)?;
        self.into.write_all(content).map_err(UnpackError::Sink)?;
        self.bytes += content.len() as u64;
        self.digests.update(content);
        Ok(())
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match self.accept(content) {
            Ok(()) => Ok(content.len()),
            Err(refused) => {
                self.refused = Some(refused);
                Err(io::Error::other("the content was not accepted"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::test_rows::gzipped;

    /// Gives the content in pieces of `piece` bytes.
    fn unpack(content: &[u8], packing: Packing, limit: u64, piece: usize) -> Result<Vec<u8>, UnpackError> {
        let mut sink = Vec::new();
        let mut unpacker = Unpacker::new(&mut sink, packing, limit, Digests::new(""));
        for piece in content.chunks(piece) {
            unpacker.write(piece)?;
        }
        let unpacked = unpacker.finish()?;
        assert_eq!(unpacked.bytes, sink.len() as u64);
        Ok(sink)
    }

    #[test]
    fn content_comes_out_as_it_was_before_packing_however_it_is_cut() {
        let text = b"some content, some content\n".repeat(100);
        let packed = gzipped(&text);
        let mut twice = packed.clone();
        twice.extend(gzipped(b"and more"));
        for piece in [1, 7, 4096] {
            assert_eq!(unpack(&text, Packing::Plain, 10_000, piece).unwrap(), text);
            assert_eq!(unpack(&text, Packing::PerhapsGzip, 10_000, piece).unwrap(), text);
            assert_eq!(unpack(&packed, Packing::Plain, 10_000, piece).unwrap(), packed);
            for packing in [Packing::Gzip, Packing::PerhapsGzip] {
                assert_eq!(unpack(&packed, packing, 10_000, piece).unwrap(), text);
                assert_eq!(unpack(&twice, packing, 10_000, piece).unwrap(), [&text[..], b"and more"].concat());
            }
        }
        assert_eq!(unpack(b"", Packing::PerhapsGzip, 10, 1).unwrap(), b"");
        assert_eq!(unpack(b"x", Packing::PerhapsGzip, 10, 1).unwrap(), b"x");
    }

    #[test]
    fn gzip_that_is_damaged_or_not_whole_is_told() {
        let mut packed = gzipped(&b"some content, some content\n".repeat(100));
        let whole = packed.len();
        for length in [1, 5, whole / 2, whole - 1] {
            let result = unpack(&packed[..length], Packing::Gzip, 10_000, 16);
            assert!(matches!(result, Err(UnpackError::NotGzip(_))), "{length} of {whole}: {result:?}");
        }
        packed[whole - 5] ^= 1;
        assert!(matches!(unpack(&packed, Packing::Gzip, 10_000, 16), Err(UnpackError::NotGzip(_))));
        assert!(matches!(unpack(b"plain text", Packing::Gzip, 10_000, 16), Err(UnpackError::NotGzip(_))));
    }

    #[test]
    fn content_beyond_the_limit_is_refused_before_it_is_written() {
        let bomb = gzipped(&vec![0; 1_000_000]);
        assert!(bomb.len() < 2_000);
        for packing in [Packing::Gzip, Packing::Plain] {
            assert!(matches!(unpack(&bomb, packing, 500, 64), Err(UnpackError::TooLarge)));
        }
        assert!(matches!(unpack(&bomb, Packing::Gzip, 999_999, 64), Err(UnpackError::TooLarge)));
        assert_eq!(unpack(&bomb, Packing::Gzip, 1_000_000, 64).unwrap().len(), 1_000_000);
    }

    #[test]
    fn a_sink_that_fails_is_not_taken_for_damaged_content() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (content, packing) in [(gzipped(b"abc"), Packing::Gzip), (b"abc".to_vec(), Packing::Plain)] {
            let mut full = Full;
            let mut unpacker = Unpacker::new(&mut full, packing, 1_000, Digests::new(""));
            let result = unpacker.write(&content).and_then(|()| unpacker.finish().map(|_| ()));
            let Err(UnpackError::Sink(error)) = result else { panic!("{packing:?}: {result:?}") };
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}
