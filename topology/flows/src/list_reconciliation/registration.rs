//! Where PDS says a patient of the file is registered, and whether the person is sensitive.

use concord_schemas::list_reconciliation::PdsRecord;

/// Where PDS says a patient of a practice's file is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegistrationStatus {
    /// At the practice that sent the file.
    Matched,
    /// At another practice.
    PartnershipMismatch,
    /// PDS knows the person but names no practice.
    DeductedPatientMatch,
    /// PDS knows no such person.
    Unmatched,
}

impl RegistrationStatus {
    /// Decides the status. `practice` is the code in the file's name; codes are compared letter by letter, case included.
    #[must_use]
    pub fn of(practice: &str, pds: Option<&PdsRecord<'_>>) -> Self {
        let Some(pds) = pds else {
            return Self::Unmatched;
        };
        if pds.gp_practice.is_empty() {
            return Self::DeductedPatientMatch;
        }
        if pds.gp_practice == practice {
            return Self::Matched;
        }
        Self::PartnershipMismatch
    }

    /// The words that outputs and topics carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "Matched",
            Self::PartnershipMismatch => "Partnership Mismatch",
            Self::DeductedPatientMatch => "Deducted Patient Match",
            Self::Unmatched => "Unmatched",
        }
    }

    /// Whether a patient of this status is a row of the OnlyOnGP file: all but the matched, and never a sensitive person.
    #[must_use]
    pub fn is_only_on_gp(self, sensitive: bool) -> bool {
        self != Self::Matched && !sensitive
    }
}

/// Whether PDS restricts what may be shown of the person: `R` restricted, `V` very restricted, `REDACTED` invalidated.
#[must_use]
pub fn is_sensitive(pds: &PdsRecord<'_>) -> bool {
    matches!(pds.sensitivity, "R" | "V" | "REDACTED")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn registered_at(gp_practice: &str) -> PdsRecord<'_> {
        PdsRecord { gp_practice, ..PdsRecord::default() }
    }

    #[test]
    fn the_status_follows_the_practice_that_pds_names() {
        let table = [
            (Some("Y1234"), "Matched"),
            (Some("Y5678"), "Partnership Mismatch"),
            (Some("y1234"), "Partnership Mismatch"),
            (Some(""), "Deducted Patient Match"),
            (None, "Unmatched"),
        ];
        for (practice_on_pds, expected) in table {
            let pds = practice_on_pds.map(registered_at);
            assert_eq!(RegistrationStatus::of("Y1234", pds.as_ref()).as_str(), expected, "{practice_on_pds:?}");
        }
    }

    #[test]
    fn only_on_gp_holds_everyone_but_the_matched_and_the_sensitive() {
        assert!(!RegistrationStatus::Matched.is_only_on_gp(false));
        assert!(RegistrationStatus::PartnershipMismatch.is_only_on_gp(false));
        assert!(RegistrationStatus::DeductedPatientMatch.is_only_on_gp(false));
        assert!(RegistrationStatus::Unmatched.is_only_on_gp(false));
        assert!(!RegistrationStatus::DeductedPatientMatch.is_only_on_gp(true));
    }

    #[test]
    fn restricted_very_restricted_and_redacted_people_are_sensitive() {
        for (sensitivity, expected) in
            [("U", false), ("", false), ("N", false), ("R", true), ("V", true), ("REDACTED", true)]
        {
            let pds = PdsRecord { sensitivity, ..PdsRecord::default() };
            assert_eq!(is_sensitive(&pds), expected, "{sensitivity:?}");
        }
    }
}
