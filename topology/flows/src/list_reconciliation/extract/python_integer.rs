//! Integers as the earlier implementation read them: Python's `int()`.

use super::characters::trim;

/// Reads ASCII digits with an optional sign, single underscores between digits, and white space around.
///
/// `None` when it is no such text, or beyond 64 bits (no field allows that much).
pub(super) fn python_integer(text: &str) -> Option<i64> {
    let text = trim(text);
    let (sign, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let mut value: i64 = 0;
    let mut after_digit = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                after_digit = true;
            }
            b'_' if after_digit => after_digit = false,
            _ => return None,
        }
    }
    after_digit.then_some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, value) in [
            ("3", Some(3)),
            ("03", Some(3)),
            (" 3", Some(3)),
            ("3\u{a0}", Some(3)),
            ("+5", Some(5)),
            ("-5", Some(-5)),
            ("1_0", Some(10)),
            ("0_1_0", Some(10)),
            ("", None),
            (" ", None),
            ("+", None),
            ("_1", None),
            ("1_", None),
            ("1__0", None),
            ("+_1", None),
            ("+ 1", None),
            ("3.0", None),
            ("3%", None),
            ("x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(python_integer(text), value, "{text:?}");
        }
    }
}
