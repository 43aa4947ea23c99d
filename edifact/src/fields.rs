//! Values of elements: numbers and short texts.

/// A number in digits, with or without leading zeros, from 1 to `largest`.
pub(super) fn number(text: &[u8], largest: u64) -> Option<u64> {
    digits(text).filter(|number| (1..=largest).contains(number))
}

/// A count in digits, zero included.
pub(super) fn digits(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    // Twenty digits might not fit, and no field has so many.
    if text.is_empty() || text.len() > 19 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// A code or a name, with what is no UTF-8 replaced. `None` when it is empty.
pub(super) fn text(bytes: Option<&[u8]>) -> Option<String> {
    let trimmed = bytes?.trim_ascii();
    (!trimmed.is_empty()).then(|| String::from_utf8_lossy(trimmed).into_owned())
}
