//! Which transaction numbers have been seen in the file.

use hashbrown::HashSet;

/// Digits that surely fit 64 bits.
const SHORT: usize = 18;

/// A set of transaction numbers. All that grows with the file.
#[derive(Debug, Default)]
pub(super) struct TransactionNumbers {
    short: HashSet<u64>,
    /// Their length is not bounded, so these are kept as text.
    long: HashSet<Box<str>>,
}

impl TransactionNumbers {
    /// Adds digits without leading zero; `false` when they were there already.
    pub(super) fn add(&mut self, digits: &str) -> bool {
        if digits.len() > SHORT {
            return self.long.insert(digits.into());
        }
        let number = digits.bytes().fold(0, |number, digit| number * 10 + u64::from(digit & 0x0f));
        self.short.insert(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_whatever_its_length() {
        let mut numbers = TransactionNumbers::default();
        for digits in ["1", "999999999999999999", "1000000000000000000", "1000000000000000001", "18446744073709551617"]
        {
            assert!(numbers.add(digits), "{digits}");
            assert!(!numbers.add(digits), "{digits}");
        }
    }
}
