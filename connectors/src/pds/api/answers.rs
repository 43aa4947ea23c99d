//! What an answer of PDS means: a table of status and code.

use crate::pds::fhir_entry::{INVALIDATED_RESOURCE, RESOURCE_NOT_FOUND};

use super::error::PdsProblem;

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// There is a record.
    Found,
    /// There is no record.
    NoRecord,
    /// The number was given out in error: a record of nothing but that.
    Invalidated,
    /// The token has ended, or is refused for another reason: with a new one it may go.
    TokenRefused,
    /// The look-up fails, for now or for good.
    Failed(PdsProblem),
}

struct Row {
    status: u16,
    code: &'static str,
    meaning: Meaning,
}

const fn row(status: u16, code: &'static str, meaning: Meaning) -> Row {
    Row { status, code, meaning }
}

/// The pairs that PDS is known to answer.
const TABLE: [Row; 9] = [
    row(400, "INVALID_RESOURCE_ID", Meaning::Failed(PdsProblem::NumberRefused)),
    row(400, "INVALID_VALUE", Meaning::Failed(PdsProblem::NumberRefused)),
    row(400, "MISSING_VALUE", Meaning::Failed(PdsProblem::RequestRefused)),
    row(400, "UNSUPPORTED_SERVICE", Meaning::Failed(PdsProblem::RequestRefused)),
    row(403, "INVALID_VALUE", Meaning::Failed(PdsProblem::NotAllowed)),
    row(404, RESOURCE_NOT_FOUND, Meaning::NoRecord),
    row(404, INVALIDATED_RESOURCE, Meaning::Invalidated),
    row(408, "UNABLE_TO_CALL_SERVICE", Meaning::Failed(PdsProblem::Busy)),
    row(429, "TOO_MANY_REQUESTS", Meaning::Failed(PdsProblem::Busy)),
];

/// PDS answers it with several statuses.
const UNKNOWN_ERROR: &str = "UNKNOWN_ERROR";

/// What a status means together with the body's code. `code` is `None` when the body is not JSON, and empty when it is JSON
/// without a code.
pub(super) fn meaning_of(status: u16, code: Option<&str>) -> Meaning {
    if let Some(known) = TABLE.iter().find(|row| row.status == status && code == Some(row.code)) {
        return known.meaning;
    }
    match (status, code) {
        (200..=299, Some(_)) => Meaning::Found,
        (401, _) => Meaning::TokenRefused,
        (408 | 425 | 429 | 500..=599, _) | (_, Some(UNKNOWN_ERROR)) => Meaning::Failed(PdsProblem::Busy),
        // Whoever answered, PDS did not: its answers are JSON.
        (_, None) => Meaning::Failed(PdsProblem::NotUnderstood),
        (403, _) => Meaning::Failed(PdsProblem::NotAllowed),
        _ => Meaning::Failed(PdsProblem::UnknownAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_pair_has_its_meaning() {
        use Meaning::{Failed, Found, Invalidated, NoRecord, TokenRefused};
        let table = [
            (200, Some(""), Found),
            (404, Some("RESOURCE_NOT_FOUND"), NoRecord),
            (404, Some("INVALIDATED_RESOURCE"), Invalidated),
            (401, Some("ACCESS_DENIED"), TokenRefused),
            (400, Some("INVALID_RESOURCE_ID"), Failed(PdsProblem::NumberRefused)),
            (400, Some("INVALID_VALUE"), Failed(PdsProblem::NumberRefused)),
            (400, Some("MISSING_VALUE"), Failed(PdsProblem::RequestRefused)),
            (400, Some("UNSUPPORTED_SERVICE"), Failed(PdsProblem::RequestRefused)),
            (403, Some("INVALID_VALUE"), Failed(PdsProblem::NotAllowed)),
            (408, Some("UNABLE_TO_CALL_SERVICE"), Failed(PdsProblem::Busy)),
            (429, Some("TOO_MANY_REQUESTS"), Failed(PdsProblem::Busy)),
            (400, Some("UNKNOWN_ERROR"), Failed(PdsProblem::Busy)),
        ];
        for (status, code, expected) in table {
            assert_eq!(meaning_of(status, code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn only_pds_itself_can_say_that_there_is_no_record() {
        for status in 100..=599 {
            for code in
                [None, Some(""), Some("RESOURCE_NOT_FOUND"), Some("INVALIDATED_RESOURCE"), Some("UNKNOWN_ERROR")]
            {
                let says_so = matches!(meaning_of(status, code), Meaning::NoRecord | Meaning::Invalidated);
                let may = status == 404 && matches!(code, Some("RESOURCE_NOT_FOUND" | "INVALIDATED_RESOURCE"));
                assert_eq!(says_so, may, "{status} {code:?}");
            }
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_an_outage_whatever_its_status() {
        for status in [200, 204, 302, 400, 403, 404, 418, 429, 500, 502, 503] {
            let Meaning::Failed(problem) = meaning_of(status, None) else { unreachable!("{status}") };
            assert!(matches!(problem, PdsProblem::Busy | PdsProblem::NotUnderstood), "{status}: {problem:?}");
        }
    }

    #[test]
    fn an_error_of_the_service_is_an_outage_and_an_unknown_pair_is_told_apart() {
        for status in [500, 502, 503, 504, 599] {
            assert_eq!(meaning_of(status, Some("ANYTHING")), Meaning::Failed(PdsProblem::Busy));
        }
        for (status, code) in [(404, ""), (404, "GONE"), (412, "PRECONDITION_FAILED"), (302, "")] {
            assert_eq!(meaning_of(status, Some(code)), Meaning::Failed(PdsProblem::UnknownAnswer), "{status} {code}");
        }
    }
}
