//! PDF files of lines of text, and of images.

/// Lines on a page of A4.
const LINES_PER_PAGE: usize = 50;
/// Characters of a line; a longer one goes on in the next, further in.
const WIDEST_LINE: usize = 92;

/// A PDF with a text layer: pages of A4, in Helvetica of eleven points. Characters that Windows-1252 lacks are question marks.
pub fn pdf_of_lines(text: &str) -> Vec<u8> {
    let lines: Vec<String> = text.lines().flat_map(wrapped).collect();
    let pages: Vec<&[String]> = if lines.is_empty() { vec![&[]] } else { lines.chunks(LINES_PER_PAGE).collect() };
    let mut file = PdfFile::new();
    // 1 is the catalogue, 2 the list of pages, 3 the font, then two objects for each page.
    let kids: Vec<String> = (0..pages.len()).map(|at| format!("{} 0 R", 4 + at * 2)).collect();
    file.object(b"<< /Type /Catalog /Pages 2 0 R >>");
    file.object(format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" ")).as_bytes());
    file.object(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
    for (at, page) in pages.iter().enumerate() {
        let content = 5 + at * 2;
        file.object(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            )
            .as_bytes(),
        );
        let mut drawn = b"BT /F1 11 Tf 15 TL 60 790 Td\n".to_vec();
        for line in *page {
            drawn.push(b'(');
            drawn.extend(line.chars().flat_map(written));
            drawn.extend(b") Tj T*\n");
        }
        drawn.extend(b"ET");
        file.stream("", &drawn);
    }
    file.end()
}

/// A PDF of one page that is a picture and no text: a JPEG of so many pixels.
pub(super) fn pdf_of_jpeg(jpeg: &[u8], (width, height): (u32, u32), is_gray: bool) -> Vec<u8> {
    let mut file = PdfFile::new();
    file.object(b"<< /Type /Catalog /Pages 2 0 R >>");
    file.object(b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>");
    file.object(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>");
    file.stream("", b"q 595 0 0 842 0 0 cm /I Do Q");
    let colours = if is_gray { "/DeviceGray" } else { "/DeviceRGB" };
    let entries = format!(
        "/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace {colours} /BitsPerComponent 8 /Filter /DCTDecode "
    );
    file.stream(&entries, jpeg);
    file.end()
}

/// Breaks a line at blanks.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let is_first = lines.len() == 1;
        let Some(last) = lines.last_mut() else { continue };
        if !last.trim().is_empty() && last.chars().count() + 1 + word.chars().count() > WIDEST_LINE {
            lines.push(format!("    {word}"));
        } else {
            if !last.is_empty() && (is_first || !last.trim().is_empty()) {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// A character as a string of a PDF has it.
fn written(one: char) -> Vec<u8> {
    match one {
        '(' | ')' | '\\' => vec![b'\\', one as u8],
        ' '..='~' => vec![one as u8],
        '\u{a0}'..='\u{ff}' => format!("\\{:03o}", u32::from(one)).into_bytes(),
        _ => vec![b'?'],
    }
}

/// Objects behind each other, and at the end where each of them is.
struct PdfFile {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl PdfFile {
    fn new() -> Self {
        Self { bytes: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec(), places: Vec::new() }
    }

    fn object(&mut self, content: &[u8]) {
        self.places.push(self.bytes.len());
        self.bytes.extend(format!("{} 0 obj\n", self.places.len()).into_bytes());
        self.bytes.extend(content);
        self.bytes.extend(b"\nendobj\n");
    }

    fn stream(&mut self, entries: &str, content: &[u8]) {
        let mut object = format!("<< {entries}/Length {} >>\nstream\n", content.len()).into_bytes();
        object.extend(content);
        object.extend(b"\nendstream");
        self.object(&object);
    }

    fn end(mut self) -> Vec<u8> {
        let (table, count) = (self.bytes.len(), self.places.len() + 1);
        self.bytes.extend(format!("xref\n0 {count}\n0000000000 65535 f \n").into_bytes());
        for place in &self.places {
            self.bytes.extend(format!("{place:010} 00000 n \n").into_bytes());
        }
        self.bytes
            .extend(format!("trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").into_bytes());
        self.bytes
    }
}
