#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len()).unwrap().to_be_bytes(), name.as_slice(), content, &[0; 4]].concat()
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", b"content"), chunk(b"IEND", b"")].concat()
}

fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let frame = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    let frame = [&[0xff, 0xc0, 0, u8::try_from(frame.len() + 2).unwrap()][..], &frame].concat();
    [
        &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9][..],
        &frame,
        &[0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd0, 7, 0xff, 0xd9],
    ]
    .concat()
}

/// A TIFF whose pages point to each other as `next` says; each has one strip of four bytes.
fn tiff_of(width: u32, height: u32, next: &[u32]) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    for next in next {
        let entry = |tag: u16, value: u32| {
            [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        tiff.extend(4_u16.to_le_bytes());
        tiff.extend([entry(256, width), entry(257, height), entry(273, 4), entry(279, 4)].concat());
        tiff.extend(next.to_le_bytes());
    }
    tiff
}

const DIRECTORY: u32 = 2 + 4 * 12 + 4;

fn problem_of(kind: ContentType, image: &[u8]) -> Problem {
    check(kind, image, &Limits { pixels: 1_000_000, pages: 3, ..Limits::default() }).unwrap_err().problem
}

#[test]
fn whole_images_are_whole() {
    let limits = Limits::default();
    assert_eq!(check(ContentType::Png, &png_of(10, 10), &limits).unwrap().pages, 1);
    assert_eq!(check(ContentType::Jpeg, &jpeg_of(10, 10), &limits).unwrap().pages, 1);
    assert_eq!(check(ContentType::Tiff, &tiff_of(10, 10, &[8 + DIRECTORY, 0]), &limits).unwrap().pages, 2);
}

#[test]
fn an_image_that_is_cut_off_anywhere_is_damaged() {
    for (kind, image) in [
        (ContentType::Png, png_of(10, 10)),
        (ContentType::Jpeg, jpeg_of(10, 10)),
        (ContentType::Tiff, tiff_of(10, 10, &[0])),
    ] {
        for length in 8..image.len() - 4 {
            assert_eq!(problem_of(kind, &image[..length]), Problem::Damaged, "{kind} of {length} bytes");
        }
    }
}

#[test]
fn an_image_of_fifty_thousand_by_fifty_thousand_is_refused_by_its_header() {
    assert_eq!(problem_of(ContentType::Png, &png_of(50_000, 50_000)), Problem::TooManyPixels);
    assert_eq!(problem_of(ContentType::Png, &png_of(u32::MAX, u32::MAX)), Problem::TooManyPixels);
    assert_eq!(problem_of(ContentType::Jpeg, &jpeg_of(50_000, 50_000)), Problem::TooManyPixels);
    assert_eq!(problem_of(ContentType::Tiff, &tiff_of(50_000, 50_000, &[0])), Problem::TooManyPixels);
    assert_eq!(problem_of(ContentType::Png, &png_of(0, 10)), Problem::Damaged);
}

#[test]
fn pages_of_a_tiff_that_go_round_in_a_circle_are_too_many() {
    assert_eq!(problem_of(ContentType::Tiff, &tiff_of(10, 10, &[8])), Problem::TooManyPages);
}

#[test]
fn a_tiff_in_tiles_is_refused_since_tesseract_would_say_nothing_of_it() {
    let mut image = tiff_of(10, 10, &[0]);
    let tag_of_strips = 8 + 2 + 2 * 12;
    image[tag_of_strips..tag_of_strips + 2].copy_from_slice(&324_u16.to_le_bytes());
    assert_eq!(problem_of(ContentType::Tiff, &image), Problem::UnknownKind);
}

#[test]
fn a_strip_outside_the_file_is_damage() {
    let mut image = tiff_of(10, 10, &[0]);
    let length_of_strip = 8 + 2 + 3 * 12 + 8;
    image[length_of_strip..length_of_strip + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(problem_of(ContentType::Tiff, &image), Problem::Damaged);
}
