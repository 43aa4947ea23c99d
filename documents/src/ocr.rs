//! OCR of images by Tesseract.

use std::ffi::OsStr;
use std::path::Path;

use concord_schemas::patient_documents::Features;

use crate::found::Found;
use crate::words::{Line, confidence_of, lines_of_table};
use crate::{ContentType, Limits, ReadFailure, image, labelled, tools};

/// Reads an image of one page or several.
pub(crate) fn read(
    kind: ContentType,
    document: &[u8],
    limits: &Limits,
    workplace: &Path,
) -> Result<Features<'static>, ReadFailure> {
    let pages = image::check(kind, document, limits)?.pages;
    let file = tools::kept(document, "page", workplace)?;
    let lines = lines_of(&file, &Scan::default(), limits, workplace)?;
    let mut found = Found::new("ocr", limits);
    labelled::read_lines(&lines, &mut found);
    found.pages(i32::try_from(pages).unwrap_or(i32::MAX), "ocr");
    found.finish()
}

/// How an image came to be, where this program made it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scan {
    /// Dots to an inch, and the number of the page, of a rendered page; of any other image Tesseract finds out.
    pub page: Option<(u32, i32)>,
}

/// Below this mean confidence an image may stand on its head, or lie so that Tesseract does not see it by itself.
const UNSURE: i32 = 60;

/// The lines of an image. Boxes are in pixels; of a rendered page in points.
pub(crate) fn lines_of(file: &Path, scan: &Scan, limits: &Limits, workplace: &Path) -> Result<Vec<Line>, ReadFailure> {
    let lines = lines_as(&[], file, scan, limits, workplace)?;
    if !(1..UNSURE).contains(&confidence_of(&lines)) {
        return Ok(lines);
    }
    // Tesseract finds out first how the page lies. The data for that may not be installed, and the page may just be a bad one.
    match lines_as(&["--psm", "1"], file, scan, limits, workplace) {
        Ok(turned) if confidence_of(&turned) > confidence_of(&lines) => Ok(turned),
        _ => Ok(lines),
    }
}

fn lines_as(
    options: &[&str],
    file: &Path,
    scan: &Scan,
    limits: &Limits,
    workplace: &Path,
) -> Result<Vec<Line>, ReadFailure> {
    let dots = scan.page.map(|(dots, _)| dots.to_string());
    let mut arguments: Vec<&OsStr> = vec![file.as_os_str(), "stdout".as_ref(), "-l".as_ref(), "eng".as_ref()];
    if let Some(dots) = &dots {
        arguments.extend(["--dpi".as_ref(), OsStr::new(dots)]);
    }
    arguments.extend(options.iter().map(OsStr::new));
    arguments.push("tsv".as_ref());
    let ran = tools::run("tesseract", &arguments, workplace)?;
    // It may go on without an image, or without a page of it, that Leptonica cannot read, and end as if all were well.
    let is_whole = !ran.messages.contains("Error in pixRead");
    if !ran.succeeded || !is_whole {
        // It has no languages where its data is not installed: that is nothing that the document did.
        if ran.messages.contains("loading language") || ran.messages.contains("any languages") {
            return Err(ReadFailure::new(crate::Problem::NoTool, "tesseract has no data for English"));
        }
        return Err(ReadFailure::damaged("an image that cannot be decoded"));
    }
    let scale = scan.page.map_or(1.0, |(dots, _)| 72.0 / f64::from(dots.max(1)));
    lines_of_table(&String::from_utf8_lossy(&ran.output), scale, scan.page.map(|(_, page)| page), limits)
}
