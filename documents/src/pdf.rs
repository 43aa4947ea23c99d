//! PDF by its text layer, and by OCR of those pages that have none. Poppler reads the file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use concord_schemas::patient_documents::Features;

use crate::found::Found;
use crate::ocr::{self, Scan};
use crate::words::{Line, behind_each_other, lines_of_table};
use crate::{Limits, Problem, ReadFailure, labelled, tools};

/// A page with fewer words than these is taken for a scan with a stamp on it, and read by OCR too.
const FEWEST_WORDS: usize = 5;
/// At which OCR reads best. A page that would have too many pixels is rendered with fewer.
const DOTS_PER_INCH: u32 = 300;

/// Reads a PDF.
pub(crate) fn read(document: &[u8], limits: &Limits, workplace: &Path) -> Result<Features<'static>, ReadFailure> {
    let file = tools::kept(document, "document.pdf", workplace)?;
    let pages = pages_of(&file, limits, workplace)?;
    let mut lines = text_of(&file, pages.count, limits, workplace)?;
    let by_ocr = read_scans(&file, &pages, &mut lines, limits, workplace)?;
    let mut found = Found::new("pdf-text", limits);
    labelled::read_lines(&behind_each_other(lines), &mut found);
    found.pages(i32::try_from(pages.count).unwrap_or(i32::MAX), if by_ocr { "ocr" } else { "pdf-text" });
    found.finish()
}

struct Pages {
    count: u32,
    /// Width and height in points, by page from 1.
    sizes: BTreeMap<u32, (f64, f64)>,
}

fn pages_of(file: &Path, limits: &Limits, workplace: &Path) -> Result<Pages, ReadFailure> {
    let last = limits.pages.to_string();
    let arguments: [&OsStr; 5] = ["-f".as_ref(), "1".as_ref(), "-l".as_ref(), last.as_ref(), file.as_os_str()];
    let ran = tools::run("pdfinfo", &arguments, workplace)?;
    if !ran.succeeded {
        return Err(if ran.messages.contains("Incorrect password") {
            ReadFailure::new(Problem::Encrypted, "")
        } else {
            ReadFailure::damaged("a PDF that cannot be opened")
        });
    }
    let mut pages = Pages { count: 0, sizes: BTreeMap::new() };
    for line in String::from_utf8_lossy(&ran.output).lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let words: Vec<&str> = key.split_whitespace().chain(value.split_whitespace()).collect();
        match words[..] {
            ["Pages", count] => pages.count = count.parse().unwrap_or_default(),
            ["Page", number, "size", width, "x", height, ..] => {
                if let (Ok(number), Ok(width), Ok(height)) = (number.parse(), width.parse(), height.parse()) {
                    pages.sizes.insert(number, (width, height));
                }
            }
            _ => {}
        }
    }
    match pages.count {
        0 => Err(ReadFailure::damaged("a PDF without pages")),
        count if count > limits.pages => {
            Err(ReadFailure::new(Problem::TooManyPages, format!("{count} pages, {} are read", limits.pages)))
        }
        _ => Ok(pages),
    }
}

/// The lines of the text layer by page. Boxes are in points.
fn text_of(
    file: &Path,
    pages: u32,
    limits: &Limits,
    workplace: &Path,
) -> Result<BTreeMap<u32, Vec<Line>>, ReadFailure> {
    let last = pages.to_string();
    let arguments: [&OsStr; 5] = ["-tsv".as_ref(), "-l".as_ref(), last.as_ref(), file.as_os_str(), "-".as_ref()];
    let ran = tools::run("pdftotext", &arguments, workplace)?;
    if !ran.succeeded {
        return Err(ReadFailure::damaged("a PDF whose text cannot be read"));
    }
    let mut by_page: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
    for line in lines_of_table(&String::from_utf8_lossy(&ran.output), 1.0, None, limits)? {
        let page = line.page.and_then(|page| u32::try_from(page).ok()).unwrap_or_default();
        by_page.entry(page).or_default().push(line);
    }
    Ok(by_page)
}

/// Reads pages without text by OCR, one after the other; says whether there was one that said more than its text layer.
fn read_scans(
    file: &Path,
    pages: &Pages,
    lines: &mut BTreeMap<u32, Vec<Line>>,
    limits: &Limits,
    workplace: &Path,
) -> Result<bool, ReadFailure> {
    let words_of = |lines: &[Line]| lines.iter().map(|line| line.text.split_whitespace().count()).sum::<usize>();
    let is_scan = |page: &u32| lines.get(page).is_none_or(|lines| words_of(lines) < FEWEST_WORDS);
    let scans: Vec<u32> = (1..=pages.count).filter(is_scan).collect();
    if scans.len() > limits.ocr_pages as usize {
        let (scans, most) = (scans.len(), limits.ocr_pages);
        return Err(ReadFailure::new(Problem::TooManyPages, format!("{scans} pages without text, {most} are read")));
    }
    let mut by_ocr = false;
    for page in scans {
        let size = pages.sizes.get(&page).copied().unwrap_or((595.0, 842.0));
        let dots = dots_for(size, limits.pixels);
        let image = render(file, page, dots, workplace)?;
        let number = i32::try_from(page).unwrap_or(i32::MAX);
        let read = ocr::lines_of(&image, &Scan { page: Some((dots, number)) }, limits, workplace)?;
        // It is written anew for the next page, and the folder goes with the document.
        if words_of(&read) > lines.get(&page).map_or(0, |lines| words_of(lines)) {
            lines.insert(page, read);
            by_ocr = true;
        }
    }
    Ok(by_ocr)
}

fn dots_for((width, height): (f64, f64), pixels: u64) -> u32 {
    let square_inches = (width / 72.0) * (height / 72.0);
    let most = (pixels as f64 / square_inches.max(f64::MIN_POSITIVE)).sqrt().floor();
    // A page of any size has room for one dot to the inch, or is no page that OCR could read.
    (most.min(f64::from(DOTS_PER_INCH)) as u32).max(1)
}

fn render(file: &Path, page: u32, dots: u32, workplace: &Path) -> Result<std::path::PathBuf, ReadFailure> {
    let (page, dots) = (page.to_string(), dots.to_string());
    let root = workplace.join("scan");
    let arguments: [&OsStr; 10] = [
        "-gray".as_ref(),
        "-singlefile".as_ref(),
        "-r".as_ref(),
        dots.as_ref(),
        "-f".as_ref(),
        page.as_ref(),
        "-l".as_ref(),
        page.as_ref(),
        file.as_os_str(),
        root.as_os_str(),
    ];
    let ran = tools::run("pdftoppm", &arguments, workplace)?;
    let image = root.with_extension("pgm");
    if ran.succeeded && image.exists() {
        Ok(image)
    } else {
        Err(ReadFailure::damaged("a page that cannot be rendered"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_page_is_rendered_with_no_more_pixels_than_a_page_may_have() {
        assert_eq!(dots_for((595.0, 842.0), 64_000_000), 300);
        let dots = f64::from(dots_for((14_400.0, 14_400.0), 64_000_000));
        assert!((14_400.0 / 72.0 * dots).powi(2) <= 64_000_000.0);
        assert_eq!(dots_for((0.0, 0.0), 64_000_000), 300);
        assert_eq!(dots_for((1e9, 1e9), 64_000_000), 1);
    }
}
