//! Looks at an image before any library does: whether it is whole, how large its pages are, how many there are.

use crate::{ContentType, Limits, Problem, ReadFailure};

/// What is known of an image that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Image {
    pub pages: u32,
}

/// # Errors
/// [`Problem::Damaged`] when it is cut off or its parts do not fit, [`Problem::TooManyPixels`], [`Problem::TooManyPages`].
pub(crate) fn check(kind: ContentType, image: &[u8], limits: &Limits) -> Result<Image, ReadFailure> {
    match kind {
        ContentType::Png => png(image, limits),
        ContentType::Jpeg => jpeg(image, limits),
        _ => tiff(image, limits),
    }
}

fn cut_off(what: &str) -> ReadFailure {
    ReadFailure::damaged(format!("the {what} is cut off"))
}

fn in_size(width: u64, height: u64, limits: &Limits) -> Result<(), ReadFailure> {
    if width == 0 || height == 0 {
        return Err(ReadFailure::damaged("a page without width or height"));
    }
    if width.saturating_mul(height) > limits.pixels {
        return Err(ReadFailure::new(Problem::TooManyPixels, format!("{width} x {height} pixels")));
    }
    Ok(())
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Chunks of length, name, content and checksum, from IHDR to IEND.
fn png(image: &[u8], limits: &Limits) -> Result<Image, ReadFailure> {
    let mut at = 8;
    let mut has_content = false;
    loop {
        let length = big_endian(image, at).ok_or_else(|| cut_off("PNG"))? as usize;
        let name = image.get(at + 4..at + 8).ok_or_else(|| cut_off("PNG"))?;
        let content = image.get(at + 8..).and_then(|rest| rest.get(..length)).ok_or_else(|| cut_off("PNG"))?;
        match name {
            b"IHDR" if at == 8 => {
                let side = |at| big_endian(content, at).map(u64::from).ok_or_else(|| cut_off("PNG"));
                in_size(side(0)?, side(4)?, limits)?;
            }
            _ if at == 8 => return Err(ReadFailure::damaged("a PNG that does not begin with its size")),
            b"IDAT" => has_content = true,
            b"IEND" if has_content => return Ok(Image { pages: 1 }),
            b"IEND" => return Err(ReadFailure::damaged("a PNG without content")),
            _ => {}
        }
        at += 12 + length;
    }
}

/// Segments from SOI to EOI; the size is in the frame (SOF).
fn jpeg(image: &[u8], limits: &Limits) -> Result<Image, ReadFailure> {
    let mut at = 2;
    let mut has_frame = false;
    loop {
        // Up to the next marker: what is between is content of a scan, or padding.
        let rest = image.get(at..).ok_or_else(|| cut_off("JPEG"))?;
        let next = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7));
        at += next.ok_or_else(|| cut_off("JPEG"))?;
        let marker = image[at + 1];
        at += 2;
        match marker {
            0xd9 if has_frame => return Ok(Image { pages: 1 }),
            0xd9 => return Err(ReadFailure::damaged("a JPEG without a frame")),
            0x01 | 0xd8 => continue,
            _ => {}
        }
        let length = image.get(at..at + 2).ok_or_else(|| cut_off("JPEG"))?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            let sides = image.get(at + 3..at + 7).ok_or_else(|| cut_off("JPEG"))?;
            let side = |at: usize| u64::from(u16::from_be_bytes([sides[at], sides[at + 1]]));
            in_size(side(2), side(0), limits)?;
            has_frame = true;
        }
        at += length.max(2);
    }
}

/// Directories, one for each page, each of entries that say where its strips are.
fn tiff(image: &[u8], limits: &Limits) -> Result<Image, ReadFailure> {
    let tiff = Tiff { image, is_little: image.starts_with(b"II") };
    let mut at = tiff.long(4).ok_or_else(|| cut_off("TIFF"))? as usize;
    let mut pages = 0;
    while at != 0 {
        pages += 1;
        // Directories that go round in a circle have too many pages as well.
        if pages > limits.pages {
            return Err(ReadFailure::new(Problem::TooManyPages, format!("more than {} pages", limits.pages)));
        }
        at = tiff.page(at, limits)?;
    }
    if pages == 0 { Err(ReadFailure::damaged("a TIFF without a page")) } else { Ok(Image { pages }) }
}

struct Tiff<'a> {
    image: &'a [u8],
    is_little: bool,
}

/// An entry of a directory: numbers of two or four bytes.
struct Entry {
    size: usize,
    count: usize,
    at: usize,
}

impl Tiff<'_> {
    fn short(&self, at: usize) -> Option<u32> {
        let bytes = *self.image.get(at..)?.first_chunk()?;
        Some(u32::from(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }))
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.image.get(at..)?.first_chunk()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// Checks one page; gives where the next one's directory is.
    fn page(&self, at: usize, limits: &Limits) -> Result<usize, ReadFailure> {
        let cut = || cut_off("TIFF");
        let entries = self.short(at).ok_or_else(cut)? as usize;
        let (mut width, mut height, mut places, mut lengths) = (0, 0, None, None);
        for number in 0..entries {
            let entry = at + 2 + number * 12;
            let tag = self.short(entry).ok_or_else(cut)?;
            match tag {
                256 | 257 => {
                    let entry = self.entry(entry).ok_or_else(cut)?;
                    let side = self.number(&entry, 0).ok_or_else(cut)?;
                    *(if tag == 256 { &mut width } else { &mut height }) = u64::from(side);
                }
                // Leptonica, by which Tesseract reads images, does not know these.
                324 => return Err(ReadFailure::new(Problem::UnknownKind, "a TIFF in tiles")),
                273 => places = Some(self.entry(entry).ok_or_else(cut)?),
                279 => lengths = Some(self.entry(entry).ok_or_else(cut)?),
                _ => {}
            }
        }
        in_size(width, height, limits)?;
        let (Some(places), Some(lengths)) = (places, lengths) else {
            return Err(ReadFailure::damaged("a page of a TIFF without content"));
        };
        for number in 0..places.count.min(lengths.count) {
            let place = self.number(&places, number).ok_or_else(cut)? as usize;
            let length = self.number(&lengths, number).ok_or_else(cut)? as usize;
            if place + length > self.image.len() {
                return Err(cut());
            }
        }
        Ok(self.long(at + 2 + entries * 12).ok_or_else(cut)? as usize)
    }

    /// Its numbers stand in the entry itself when they fit into four bytes, else elsewhere.
    fn entry(&self, at: usize) -> Option<Entry> {
        let size = match self.short(at + 2)? {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let count = self.long(at + 4)? as usize;
        let is_here = count.checked_mul(size)? <= 4;
        Some(Entry { size, count, at: if is_here { at + 8 } else { self.long(at + 8)? as usize } })
    }

    fn number(&self, entry: &Entry, number: usize) -> Option<u32> {
        if number >= entry.count {
            return None;
        }
        let at = entry.at + number * entry.size;
        if entry.size == 2 { self.short(at) } else { self.long(at) }
    }
}

#[cfg(test)]
mod tests;
