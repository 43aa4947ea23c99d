//! Images of pages, as a scanner would give them. Poppler draws them.

use std::ffi::OsStr;

use super::pdf::pdf_of_jpeg;
use crate::{Problem, ReadFailure, tools};

/// A kind of image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/tiff`.
    Tiff,
}

impl ImageKind {
    /// What its file is called behind the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Tiff => "tif",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Self::Png => "-png",
            Self::Jpeg => "-jpeg",
            Self::Tiff => "-tiff",
        }
    }
}

/// The first page of a PDF as a gray image.
///
/// # Errors
/// [`Problem::NoTool`] where Poppler is not installed, [`Problem::NoProcess`] where there is no room.
pub fn rendered(pdf: &[u8], kind: ImageKind, dots_per_inch: u32) -> Result<Vec<u8>, ReadFailure> {
    let no_room = |_| ReadFailure::new(Problem::NoProcess, "there is no temporary folder");
    let folder = tempfile::tempdir().map_err(no_room)?;
    let file = tools::kept(pdf, "page.pdf", folder.path())?;
    let dots = dots_per_inch.to_string();
    let arguments: [&OsStr; 7] = [
        kind.option().as_ref(),
        "-gray".as_ref(),
        "-singlefile".as_ref(),
        "-r".as_ref(),
        dots.as_ref(),
        file.as_os_str(),
        "page".as_ref(),
    ];
    tools::run("pdftoppm", &arguments, folder.path())?;
    std::fs::read(folder.path().join("page").with_extension(kind.extension())).map_err(no_room)
}

/// A PDF without a text layer: the picture of its first page.
///
/// # Errors
/// As [`rendered`].
pub fn scanned_pdf(pdf: &[u8], dots_per_inch: u32) -> Result<Vec<u8>, ReadFailure> {
    let jpeg = rendered(pdf, ImageKind::Jpeg, dots_per_inch)?;
    let (size, components) = frame_of(&jpeg).ok_or_else(|| ReadFailure::damaged("a JPEG without a frame"))?;
    Ok(pdf_of_jpeg(&jpeg, size, components == 1))
}

/// Width, height, and number of colours of a JPEG.
fn frame_of(jpeg: &[u8]) -> Option<((u32, u32), u8)> {
    let mut at = 2;
    loop {
        let segment = jpeg.get(at..)?;
        let (marker, length) = (*segment.get(1)?, u16::from_be_bytes([*segment.get(2)?, *segment.get(3)?]));
        if matches!(marker, 0xc0..=0xc2) {
            let side = |at: usize| Some(u32::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])));
            return Some(((side(7)?, side(5)?), *segment.get(9)?));
        }
        at += 2 + usize::from(length);
    }
}
