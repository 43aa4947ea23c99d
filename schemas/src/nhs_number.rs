//! The NHS number: ten digits, the last of which checks the nine before it (modulus 11).

/// Whether the text is ten digits whose last is the check digit of the first nine.
///
/// ```
/// use concord_schemas::nhs_number;
///
/// assert!(nhs_number::is_valid("9000000009"));
/// assert!(!nhs_number::is_valid("9000000008"));
/// assert!(!nhs_number::is_valid("900 000 0009"));
/// ```
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let Some((first_nine, last)) = text.as_bytes().split_last_chunk::<1>() else {
        return false;
    };
    check_digit_of(first_nine).is_some_and(|check| last[0] == b'0' + check)
}

/// The check digit (0 to 9) that belongs behind nine digits.
///
/// `None` when the text is not nine digits, or when the modulus comes out as ten: such numbers are never issued.
///
/// ```
/// use concord_schemas::nhs_number;
///
/// assert_eq!(nhs_number::check_digit("900000000"), Some(9));
/// assert_eq!(nhs_number::check_digit("90000"), None);
/// ```
#[must_use]
pub fn check_digit(first_nine: &str) -> Option<u8> {
    check_digit_of(first_nine.as_bytes())
}

fn check_digit_of(first_nine: &[u8]) -> Option<u8> {
    if first_nine.len() != 9 {
        return None;
    }
    let mut sum: u32 = 0;
    for (weight, &byte) in (2..=10).rev().zip(first_nine) {
        if !byte.is_ascii_digit() {
            return None;
        }
        sum += weight * u32::from(byte - b'0');
    }
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => u8::try_from(digit).ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn numbers_with_the_right_check_digit_are_valid() {
        for number in ["9000000009", "9000000017", "9449304424", "9449305552", "9449306621"] {
            assert!(is_valid(number), "{number}");
        }
    }

    #[test]
    fn any_single_wrong_digit_is_found() {
        let number = "9449304424";
        for position in 0..10 {
            for digit in b'0'..=b'9' {
                let mut wrong = number.as_bytes().to_vec();
                if wrong[position] == digit {
                    continue;
                }
                wrong[position] = digit;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(!is_valid(&wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn anything_but_ten_digits_is_invalid() {
        for text in ["", "9", "900000000", "90000000099", "90000 0009", "ABCDEFGHIJ", "900000000٩"] {
            assert!(!is_valid(text), "{text:?}");
        }
    }

    #[test]
    fn a_modulus_of_ten_has_no_check_digit() {
        // 6 * 2 = 12, 12 mod 11 = 1, 11 - 1 = 10.
        assert_eq!(check_digit("000000006"), None);
        assert_eq!(check_digit("000000000"), Some(0));
    }
}
