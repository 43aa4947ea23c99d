//! A letter of a person who does not exist, printed and scanned by tools that have nothing to do with this program.

use std::path::Path;
use std::process::Command;

use concord_documents::synthetic::{SyntheticRecord, letter};
use concord_documents::{ContentType, Problem, ReaderPool};

/// Makes files of the file before it, in a folder of its own: the commands of a shell, the file that they make, what it is.
struct Recipe {
    name: &'static str,
    tools: &'static [&'static str],
    commands: &'static str,
    file: &'static str,
    kind: ContentType,
}

const fn recipe(
    name: &'static str,
    tools: &'static [&'static str],
    commands: &'static str,
    file: &'static str,
    kind: ContentType,
) -> Recipe {
    Recipe { name, tools, commands, file, kind }
}

use ContentType::{Jpeg, Pdf, Png, Tiff, Unknown};

/// Of `letter.txt`, and of `letter.html`, which has the fields in a table.
#[rustfmt::skip]
const PRINTED: [Recipe; 5] = [
    recipe("LibreOffice", &["soffice"], "soffice -env:UserInstallation=file://$PWD/office --headless --convert-to pdf letter.txt", "letter.pdf", Pdf),
    recipe("LibreOffice, a table", &["soffice"], "soffice -env:UserInstallation=file://$PWD/office --headless --convert-to pdf:writer_web_pdf_Export letter.html", "letter.pdf", Pdf),
    recipe("LibreOffice by way of Word", &["soffice"], "for to in docx pdf; do soffice -env:UserInstallation=file://$PWD/office --headless --convert-to $to letter.${from:-txt}; from=docx; done", "letter.pdf", Pdf),
    recipe("groff", &["groff"], "{ echo .nf; sed \"s/'/\\\\\\\\[aq]/g; s/-/\\\\\\\\-/g\" letter.txt; } | groff -k -Tpdf >letter.pdf", "letter.pdf", Pdf),
    recipe("enscript and Ghostscript", &["enscript", "ps2pdf"], "enscript -q -B --word-wrap -p - letter.txt | ps2pdf - letter.pdf", "letter.pdf", Pdf),
];

/// Of `page.pdf`, which Ghostscript makes of the letter that enscript sets, and of `page.png`, its picture.
#[rustfmt::skip]
const SCANNED: [Recipe; 21] = [
    recipe("Ghostscript, gray PNG", &[], "cp page.png out.png", "out.png", Png),
    recipe("Ghostscript, PNG of two colours", &[], "gs -q -dBATCH -dNOPAUSE -sDEVICE=pngmono -r300 -sOutputFile=out.png page.pdf", "out.png", Png),
    recipe("Ghostscript, JPEG in colour", &[], "gs -q -dBATCH -dNOPAUSE -sDEVICE=jpeg -dJPEGQ=60 -r200 -sOutputFile=out.jpg page.pdf", "out.jpg", Jpeg),
    recipe("Ghostscript, a fax (G4)", &[], "gs -q -dBATCH -dNOPAUSE -sDEVICE=tiffg4 -r204x196 -sOutputFile=out.tif page.pdf", "out.tif", Tiff),
    recipe("Ghostscript, a fax (G3)", &[], "gs -q -dBATCH -dNOPAUSE -sDEVICE=tiffg3 -r204x196 -sOutputFile=out.tif page.pdf", "out.tif", Tiff),
    recipe("Ghostscript, TIFF in colour", &[], "gs -q -dBATCH -dNOPAUSE -sDEVICE=tiff24nc -sCompression=lzw -r200 -sOutputFile=out.tif page.pdf", "out.tif", Tiff),
    recipe("ImageMagick, PNG with a palette, interlaced", &["identify"], "convert page.png -colors 16 -interlace PNG out.png", "out.png", Png),
    recipe("ImageMagick, PNG with transparency, 16 bit", &["identify"], "convert page.png -fuzz 10% -transparent white -depth 16 PNG64:out.png", "out.png", Png),
    recipe("ImageMagick, JPEG in CMYK", &["identify"], "convert page.png -colorspace CMYK -quality 85 out.jpg", "out.jpg", Jpeg),
    recipe("ImageMagick, progressive JPEG", &["identify"], "convert page.png -interlace JPEG -quality 70 out.jpg", "out.jpg", Jpeg),
    recipe("ImageMagick, TIFF with ZIP", &["identify"], "convert page.png -compress zip out.tif", "out.tif", Tiff),
    recipe("ImageMagick, TIFF with JPEG", &["identify"], "convert page.png -colorspace sRGB -type TrueColor -compress jpeg -quality 85 out.tif", "out.tif", Tiff),
    recipe("ImageMagick, TIFF with packed bits, high bytes first", &["identify"], "convert page.png -compress rle -endian MSB out.tif", "out.tif", Tiff),
    recipe("ImageMagick, scanned a little askew and noisy", &["identify"], "convert page.png -background white -rotate 0.7 +noise Gaussian -attenuate 0.4 -quality 80 out.jpg", "out.jpg", Jpeg),
    recipe("ImageMagick, half as fine and much compressed", &["identify"], "convert page.png -resize 50% -quality 30 out.jpg", "out.jpg", Jpeg),
    recipe("ImageMagick, on its side", &["identify"], "convert page.png -rotate 90 out.png", "out.png", Png),
    recipe("ImageMagick, on its other side", &["identify"], "convert page.png -rotate 270 out.png", "out.png", Png),
    recipe("ImageMagick, on its head", &["identify"], "convert page.png -rotate 180 out.png", "out.png", Png),
    recipe("exiv2, a photograph that says how it was held", &["identify", "exiv2"], "convert page.png -rotate 90 out.jpg && exiv2 -M'set Exif.Image.Orientation Short 8' out.jpg", "out.jpg", Jpeg),
    recipe("ImageMagick, TIFF that says how it lies", &["identify"], "convert page.png -rotate 90 -orient LeftBottom -compress lzw out.tif", "out.tif", Tiff),
    recipe("img2pdf, a PDF of a picture", &["identify", "img2pdf"], "convert page.png -quality 80 out.jpg && img2pdf out.jpg -o out.pdf", "out.pdf", Pdf),
];

/// What is refused, and why.
#[rustfmt::skip]
const REFUSED: [(Recipe, &str); 3] = [
    (recipe("libtiff, TIFF in tiles", &["identify", "tiffcp"], "convert page.png in.tif && tiffcp -t -w 256 -l 256 -c lzw in.tif out.tif", "out.tif", Tiff), "a TIFF in tiles"),
    (recipe("libtiff, BigTIFF", &["identify", "tiffcp"], "convert page.png in.tif && tiffcp -8 in.tif out.tif", "out.tif", Unknown), "a BigTIFF image"),
    (recipe("ImageMagick, GIF", &["identify"], "convert page.png out.gif", "out.gif", Unknown), "a GIF image"),
];

fn missing<'a>(tools: &[&'a str]) -> Vec<&'a str> {
    let is_there =
        |tool: &str| Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap().status.success();
    tools.iter().copied().filter(|tool| !is_there(tool)).collect()
}

/// Says loudly when a recipe is left out.
fn has(name: &str, tools: &[&str]) -> bool {
    let missing = missing(tools);
    if !missing.is_empty() {
        println!("SKIPPED: {name} needs {}; scripts/documents_of_others.sh installs it", missing.join(", "));
    }
    missing.is_empty()
}

fn make(recipe: &Recipe, folder: &Path) -> Vec<u8> {
    let made = Command::new("sh").args(["-ec", recipe.commands]).current_dir(folder).output().unwrap();
    let messages = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{}: {messages}", recipe.name);
    std::fs::read(folder.join(recipe.file)).unwrap_or_else(|error| panic!("{}: {error}: {messages}", recipe.name))
}

/// A person with several medicines and an allergy.
fn person() -> SyntheticRecord {
    let people = (0..200).map(|index| SyntheticRecord::of(21, index));
    let is_rich = |record: &SyntheticRecord| record.medications.len() >= 3 && !record.allergies.is_empty();
    people.into_iter().find(is_rich).unwrap()
}

/// The letter with its first lines, `label: value`, as rows of a table.
fn as_table(letter: &str) -> String {
    let mut html = String::from("<html><head><meta charset=\"utf-8\"></head><body><table>");
    let (head, lists) = letter.split_once("\n\nCurrent").unwrap();
    for line in head.lines() {
        let (label, value) = line.split_once(": ").unwrap_or((line, ""));
        html.push_str(&format!("<tr><td>{label}{}</td><td>{value}</td></tr>", if value.is_empty() { "" } else { ":" }));
    }
    html.push_str("</table>");
    for paragraph in format!("Current{lists}").split("\n\n") {
        html.push_str(&format!("<p>{}</p>", paragraph.trim().replace('\n', "<br>")));
    }
    html + "</body></html>"
}

pub fn a_letter_printed_by_any_tool_is_read_exactly(reader: &ReaderPool) {
    let record = person();
    for recipe in PRINTED.iter().filter(|recipe| has(recipe.name, recipe.tools)) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter.txt"), letter(&record)).unwrap();
        std::fs::write(folder.path().join("letter.html"), as_table(&letter(&record))).unwrap();
        let document = make(recipe, folder.path());
        let reading = reader.read(&document).unwrap_or_else(|failure| panic!("{}: {failure}", recipe.name));
        assert_eq!(reading.content_type, recipe.kind, "{}", recipe.name);
        assert_eq!(reading.features.reader, "pdf-text", "{}", recipe.name);
        assert_eq!(SyntheticRecord::said_by(&reading.features), record, "{}", recipe.name);
        println!("{}: every value as printed", recipe.name);
    }
}

/// Values of a record, letter by letter.
fn values(record: &SyntheticRecord) -> Vec<String> {
    let SyntheticRecord { nhs_number, family_name, given_names, birth_date, sex, address, postcode, phone, .. } =
        record;
    let fields = [nhs_number, family_name, given_names, birth_date, sex, address, postcode, phone];
    let mut values: Vec<String> = fields.map(Clone::clone).to_vec();
    for one in &record.medications {
        let parts = [&one.code, &one.name, &one.strength, &one.form, &one.dose, &one.route, &one.start, &one.end];
        values.extend(parts.map(|part| format!("{} {part}", one.code)));
    }
    for one in &record.allergies {
        values.extend([&one.code, &one.substance, &one.reaction].map(|part| format!("{} {part}", one.code)));
    }
    values
}

pub fn a_letter_scanned_into_any_format_is_read_by_ocr(reader: &ReaderPool) {
    if !has("a scanned letter", &["enscript", "ps2pdf", "gs", "tesseract", "pdftoppm"]) {
        return;
    }
    let record = person();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), letter(&record)).unwrap();
    let page = recipe(
        "a page",
        &[],
        "enscript -q -B --word-wrap -f Helvetica11 -p - letter.txt | ps2pdf - page.pdf && gs -q -dBATCH -dNOPAUSE -sDEVICE=pnggray \
         -dTextAlphaBits=4 -r300 -sOutputFile=page.png page.pdf",
        "page.png",
        Png,
    );
    make(&page, folder.path());
    let (mut right, mut all) = (0, 0);
    for recipe in SCANNED.iter().filter(|recipe| has(recipe.name, recipe.tools)) {
        let document = make(recipe, folder.path());
        let reading = reader.read(&document).unwrap_or_else(|failure| panic!("{}: {failure}", recipe.name));
        assert_eq!(reading.content_type, recipe.kind, "{}", recipe.name);
        assert_eq!(reading.features.reader, "ocr", "{}", recipe.name);
        let (printed, read) = (values(&record), values(&SyntheticRecord::said_by(&reading.features)));
        let as_printed = printed.iter().filter(|value| read.contains(value)).count();
        println!("{}: {as_printed} of {} values as printed", recipe.name, printed.len());
        // A page of which a quarter is misread is one that was not understood.
        assert!(as_printed * 4 >= printed.len() * 3, "{}: {read:?}", recipe.name);
        right += as_printed;
        all += printed.len();
    }
    println!("of all scans {right} of {all} values as printed");
    assert!(right * 10 >= all * 9, "{right} of {all}");
    for (recipe, reason) in REFUSED.iter().filter(|(recipe, _)| has(recipe.name, recipe.tools)) {
        let failure = reader.read(&make(recipe, folder.path())).expect_err(recipe.name);
        assert_eq!((failure.problem, failure.content_type), (Problem::UnknownKind, recipe.kind), "{}", recipe.name);
        assert_eq!(failure.detail, *reason, "{}", recipe.name);
        println!("{}: refused, {failure}", recipe.name);
    }
    pages_of_several(&record, folder.path(), reader);
}

/// A TIFF of three pages: what stands on the last is read too, and with its page.
fn pages_of_several(record: &SyntheticRecord, folder: &Path, reader: &ReaderPool) {
    let several = recipe(
        "ImageMagick, TIFF of three pages",
        &["identify"],
        "convert -size 1200x400 xc:white xc:white page.png -compress lzw out.tif",
        "out.tif",
        Tiff,
    );
    if has(several.name, several.tools) {
        let features = reader.read(&make(&several, folder)).unwrap().features;
        assert_eq!(features.pages, 3);
        let number = features.demographics.iter().find(|one| one.field == "nhs_number").unwrap();
        assert_eq!((number.value.as_ref(), number.place.page), (record.nhs_number.as_str(), Some(3)));
        println!("{}: read to its end", several.name);
    }
}
