//! Bytes to text: UTF-8, UTF-16 with its mark, else Windows-1252, which has all of Latin-1's letters.

use std::borrow::Cow;

/// What Windows-1252 has where Latin-1 has control characters, from 0x80 to 0x9f; five are unused.
const BETWEEN: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of a document, without its byte order mark; `None` when it has zero bytes, as no text has.
pub(crate) fn decode(document: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(rest) = document.strip_prefix(b"\xff\xfe") {
        return Some(Cow::Owned(utf_16(rest, u16::from_le_bytes)));
    }
    if let Some(rest) = document.strip_prefix(b"\xfe\xff") {
        return Some(Cow::Owned(utf_16(rest, u16::from_be_bytes)));
    }
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if document.contains(&0) {
        return None;
    }
    Some(match std::str::from_utf8(document) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(windows_1252(document)),
    })
}

/// The text of single bytes. Every byte is a character.
pub(crate) fn windows_1252(bytes: &[u8]) -> String {
    let characters = bytes.iter().map(|&byte| match byte {
        0x80..=0x9f => BETWEEN[usize::from(byte - 0x80)],
        _ => char::from(byte),
    });
    characters.collect()
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_that_documents_come_in() {
        assert_eq!(decode("Åsa".as_bytes()).unwrap(), "Åsa");
        assert_eq!(decode(b"\xef\xbb\xbfa").unwrap(), "a");
        assert_eq!(decode(b"O\x92Toole \xc5sa").unwrap(), "O’Toole Åsa");
        assert_eq!(decode(b"\xff\xfeA\0\xc5\0").unwrap(), "AÅ");
        assert_eq!(decode(b"\xfe\xff\0A\0\xc5").unwrap(), "AÅ");
        assert_eq!(decode(b"a\0b"), None);
    }
}
