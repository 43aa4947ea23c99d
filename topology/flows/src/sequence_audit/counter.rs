//! The counters of a link, and arithmetic on numbers that begin again at 1 behind their largest.

use serde::{Deserialize, Serialize};

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counter {
    /// Send interchange sequence: per sender and recipient.
    Sis,
    /// Send message sequence: per sender and recipient.
    Sms,
    /// Transaction number: per sender.
    Tn,
}

impl Counter {
    /// As it stands in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sis => "sis",
            Self::Sms => "sms",
            Self::Tn => "tn",
        }
    }
}

/// Numbers from 1 to a largest one, which is followed by 1. There is no 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circle {
    largest: u32,
}

impl Circle {
    /// Interchange and message numbers.
    pub const REFERENCES: Self = Self { largest: 99_999_999 };
    /// Transaction numbers of GP systems.
    pub const GP_TRANSACTIONS: Self = Self { largest: 9_999_999 };
    /// Transaction numbers of Health Authorities: they exceed seven digits, and where they begin again is not known.
    pub const AUTHORITY_TRANSACTIONS: Self = Self { largest: 99_999_999 };

    /// Numbers from 1 to `largest`, which is at least 2.
    #[must_use]
    pub const fn up_to(largest: u32) -> Self {
        Self { largest: if largest < 2 { 2 } else { largest } }
    }

    /// The largest number.
    #[must_use]
    pub fn largest(self) -> u64 {
        u64::from(self.largest)
    }

    /// Whether it is one of the numbers.
    #[must_use]
    pub fn contains(self, number: u64) -> bool {
        (1..=self.largest()).contains(&number)
    }

    /// The number behind one of the numbers.
    ///
    /// ```
    /// use concord_flows::sequence_audit::Circle;
    ///
    /// assert_eq!(Circle::REFERENCES.successor(99_999_999), 1);
    /// assert_eq!(Circle::GP_TRANSACTIONS.successor(9_999_998), 9_999_999);
    /// ```
    #[must_use]
    pub fn successor(self, number: u64) -> u64 {
        number % self.largest() + 1
    }

    /// How many steps forward it is from one number to another: 0 to the largest less 1.
    ///
    /// ```
    /// use concord_flows::sequence_audit::Circle;
    ///
    /// assert_eq!(Circle::REFERENCES.steps(99_999_999, 2), 2);
    /// assert_eq!(Circle::REFERENCES.steps(5, 5), 0);
    /// assert_eq!(Circle::REFERENCES.steps(5, 4), 99_999_998);
    /// ```
    #[must_use]
    pub fn steps(self, from: u64, to: u64) -> u64 {
        (to % self.largest() + self.largest() - from % self.largest()) % self.largest()
    }

    /// The way from one number to another, backwards where that is shorter.
    #[must_use]
    pub fn way(self, from: u64, to: u64) -> i64 {
        let forward = self.steps(from, to).cast_signed();
        let largest = self.largest().cast_signed();
        if forward <= largest / 2 { forward } else { forward - largest }
    }

    /// The number at a place of the endless line on which place 0 has number 1.
    #[must_use]
    pub(super) fn number_at(self, place: i64) -> u64 {
        place.rem_euclid(self.largest().cast_signed()).cast_unsigned() + 1
    }
}

/// Numbers next to each other, ends included. In the order of the line: 99,999,998 to 2 are 99,999,998, 99,999,999, 1 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct NumberRange {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl From<(u64, u64)> for NumberRange {
    fn from((from, to): (u64, u64)) -> Self {
        Self { from, to }
    }
}

impl From<NumberRange> for (u64, u64) {
    fn from(range: NumberRange) -> Self {
        (range.from, range.to)
    }
}
