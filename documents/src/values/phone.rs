//! Phone numbers as digits.

/// Digits, behind `+` when the number is written with its country: `+44 (0)113 496 0000` is `+441134960000`.
/// `None` when there are fewer than six or more than fifteen of them, or something that no phone number has.
pub(crate) fn from_text(text: &str) -> Option<String> {
    let text = text.trim();
    let text = ["tel:", "TEL:", "Tel:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let text = text.split([';', 'x', 'X', 'e']).next().unwrap_or_default();
    let (is_abroad, text) = match text.trim_start().strip_prefix('+') {
        Some(rest) => (true, rest.replace("(0)", "")),
        None => (false, text.to_owned()),
    };
    let mut digits = String::with_capacity(16);
    for one in text.chars() {
        match one {
            '0'..='9' => digits.push(one),
            ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' => {}
            _ => return None,
        }
    }
    // No country's code begins with a zero.
    let (is_abroad, digits) = match digits.strip_prefix("00") {
        Some(rest) if !is_abroad && !rest.starts_with('0') => (true, rest.to_owned()),
        _ => (is_abroad, digits),
    };
    if !(6..=15).contains(&digits.len()) {
        return None;
    }
    Some(if is_abroad { format!("+{digits}") } else { digits })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_phone_number_is_its_digits_and_its_country() {
        let read = [
            ("0113 496 0000", Some("01134960000")),
            ("+44 (0)113 496 0000", Some("+441134960000")),
            ("0044 113 496 0000", Some("+441134960000")),
            ("000-010-0202", Some("0000100202")),
            ("tel:+44-113-496-0000", Some("+441134960000")),
            ("(0113) 496.0000 ext 12", Some("01134960000")),
            ("12345", None),
            ("1234567890123456", None),
            ("ask reception", None),
        ];
        for (text, phone) in read {
            assert_eq!(from_text(text).as_deref(), phone, "{text}");
        }
    }
}
