//! Random numbers from a seed, and NHS numbers that no person has.

use concord_schemas::nhs_number;

/// The splitmix64 generator: small, fast, and the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct SplitMix {
    state: u64,
}

impl SplitMix {
    /// The generator of one person: the same for the same seed and index, whatever was generated before.
    pub(super) fn of_person(seed: u64, index: u64) -> Self {
        let mut of_index = Self { state: index };
        Self { state: seed ^ of_index.next() }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The bounds here are tiny beside 2^64, so the bias of the remainder is too.
        self.next() % bound
    }

    /// True `count` times in a thousand.
    pub(super) fn per_mille(&mut self, count: u64) -> bool {
        self.below(1000) < count
    }

    pub(super) fn pick<'list, T: ?Sized>(&mut self, list: &[&'list T]) -> &'list T {
        let place = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list[place]
    }
}

/// Of the ten numbers that share their first eight digits at least nine have a check digit.
const NUMBERS_PER_EIGHT_DIGITS: u64 = 9;

/// The most people that can be generated: those whose number begins with 9.
pub(super) const MOST_PEOPLE: u64 = NUMBERS_PER_EIGHT_DIGITS * 10_000_000;

/// The valid NHS number of a person, by the person's index.
///
/// The first 900,000 begin with 999, which is kept for tests; larger lists go on in 998, 997 and so on, which no person
/// has either, since numbers are issued from 4 and from 6 and 7 only.
pub(super) fn nhs_number_of(index: u64) -> String {
    let block = (index % MOST_PEOPLE) / NUMBERS_PER_EIGHT_DIGITS;
    let prefix = 999 - block / 100_000;
    let eight_digits = prefix * 100_000 + block % 100_000;
    let mut before = index % NUMBERS_PER_EIGHT_DIGITS;
    for last in 0..10 {
        let nine_digits = format!("{eight_digits:08}{last}");
        let Some(check) = nhs_number::check_digit(&nine_digits) else {
            continue;
        };
        if before == 0 {
            return format!("{nine_digits}{check}");
        }
        before -= 1;
    }
    // Not reached: the sum of the weighted digits takes ten of its eleven remainders over the last digit.
    String::new()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_person_has_a_valid_number_of_his_own_outside_the_issued_ranges() {
        let indices = (0..20_000).chain(899_990..900_010).chain(MOST_PEOPLE - 20..MOST_PEOPLE);
        let mut seen = HashSet::new();
        for index in indices {
            let number = nhs_number_of(index);
            assert!(nhs_number::is_valid(&number), "{index}: {number}");
            assert!(number.starts_with('9'), "{index}: {number}");
            assert_eq!(number.starts_with("999"), index < 900_000, "{index}: {number}");
            assert!(seen.insert(number), "{index}");
        }
    }

    #[test]
    fn a_person_is_the_same_for_the_same_seed_and_another_for_another() {
        let first = |seed, index| SplitMix::of_person(seed, index).next();
        assert_eq!(first(1, 7), first(1, 7));
        assert_ne!(first(1, 7), first(2, 7));
        assert_ne!(first(1, 7), first(1, 8));
    }
}
