//! What goes wrong, and what comes of it: patience, a code, and never "no record".

use std::time::Duration;

use concord_connectors::next_step::NextStep;
use concord_connectors::pds::PdsChange;
use concord_connectors::pds::api::{ApiTime, PdsError, PdsProblem};

use crate::people::{NUMBER, one_person, outcome};
use crate::server::Fault;
use crate::stand::{Stand, patience, stand};

const HTML: &str = "<html><body>Service Unavailable: Anna Wren</body></html>";

fn answer(status: u16, body: impl Into<String>) -> Fault {
    Fault::Answer(status, body.into(), None)
}

fn busy() -> Fault {
    answer(429, outcome("TOO_MANY_REQUESTS", "Too Many Requests"))
}

fn failure(stand: &Stand) -> PdsError {
    let error = stand.client.look_up(NUMBER, "job-1").unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(NUMBER) && !text.contains("Wren") && !text.contains("token-"), "{text}");
    error
}

#[test]
fn whatever_passes_is_tried_again_until_pds_answers() {
    let passing = [
        busy(),
        Fault::Answer(429, outcome("TOO_MANY_REQUESTS", "Too Many Requests"), Some(7)),
        answer(500, outcome("UNKNOWN_ERROR", "Unknown error")),
        answer(500, HTML),
        answer(502, ""),
        answer(503, HTML),
        answer(504, outcome("GATEWAY_TIMEOUT", "")),
        answer(408, outcome("UNABLE_TO_CALL_SERVICE", "Unable to call service")),
        answer(404, HTML),
        answer(404, ""),
        answer(403, HTML),
        answer(400, outcome("UNKNOWN_ERROR", "")),
        answer(302, ""),
        answer(200, HTML),
        answer(200, r#"{"resourceType": "Patient", "id": "90000"#),
        answer(200, outcome("RESOURCE_NOT_FOUND", "")),
        Fault::Cut,
        Fault::HangUp,
    ];
    for fault in passing {
        let stand = stand(&one_person());
        stand.server.fail([fault.clone()]);
        let found = stand.client.look_up(NUMBER, "job-1");
        assert!(matches!(found, Ok(PdsChange::Upsert(_))), "{fault:?}: {found:?}");
        assert_eq!(stand.server.look_ups().len(), 2, "{fault:?}");
    }
}

#[test]
fn what_lasts_is_an_error_with_a_code_and_never_no_record() {
    let lasting = [
        (busy(), PdsProblem::Busy),
        (answer(503, HTML), PdsProblem::Busy),
        (answer(404, HTML), PdsProblem::NotUnderstood),
        (answer(404, ""), PdsProblem::NotUnderstood),
        (answer(200, HTML), PdsProblem::NotUnderstood),
        (answer(418, outcome("TEAPOT", "")), PdsProblem::UnknownAnswer),
        (answer(404, outcome("GONE_FISHING", "")), PdsProblem::UnknownAnswer),
        (Fault::HangUp, PdsProblem::Unreachable),
        (Fault::Cut, PdsProblem::Unreachable),
    ];
    for (fault, problem) in lasting {
        let stand = stand(&one_person());
        stand.server.fail_on(Some(fault.clone()));
        assert_eq!(failure(&stand).problem, problem, "{fault:?}");
        assert_eq!(stand.server.look_ups().len(), patience().attempts as usize, "{fault:?}");
        stand.server.fail_on(None);
        assert!(stand.client.look_up(NUMBER, "job-1").is_ok(), "{fault:?}");
    }
}

#[test]
fn what_can_never_go_is_not_tried_again() {
    let final_answers = [
        (answer(400, outcome("INVALID_RESOURCE_ID", "")), PdsProblem::NumberRefused, NextStep::SetAside),
        (answer(400, outcome("INVALID_VALUE", "")), PdsProblem::NumberRefused, NextStep::SetAside),
        (answer(400, outcome("MISSING_VALUE", "")), PdsProblem::RequestRefused, NextStep::WaitForOperator),
        (answer(400, outcome("UNSUPPORTED_SERVICE", "")), PdsProblem::RequestRefused, NextStep::WaitForOperator),
        (answer(403, outcome("INVALID_VALUE", "")), PdsProblem::NotAllowed, NextStep::WaitForOperator),
        (
            answer(200, r#"{"resourceType": "Patient", "id": "9000000009", "name": "Anna Wren"}"#),
            PdsProblem::RecordUnusable,
            NextStep::SetAside,
        ),
        (
            answer(200, r#"{"resourceType": "Patient", "id": "9000000009", "gender": "Wren"}"#),
            PdsProblem::RecordUnusable,
            NextStep::SetAside,
        ),
        (
            answer(200, r#"{"resourceType": "Patient", "id": "9000000017", "name": [{"family": "Wren"}]}"#),
            PdsProblem::Superseded,
            NextStep::SetAside,
        ),
    ];
    for (fault, problem, next_step) in final_answers {
        let stand = stand(&one_person());
        stand.server.fail([fault.clone()]);
        let error = failure(&stand);
        assert_eq!((error.problem, error.next_step()), (problem, next_step), "{fault:?}");
        assert_eq!(stand.server.look_ups().len(), 1, "{fault:?}");
    }
}

#[test]
fn pds_is_left_alone_for_as_long_as_it_asks_and_by_everybody() {
    let stand = stand(&one_person());
    stand.client.look_up(NUMBER, "job-1").unwrap();
    let before = stand.time.elapsed();
    stand.server.fail([Fault::Answer(429, outcome("TOO_MANY_REQUESTS", ""), Some(60))]);
    stand.client.look_up(NUMBER, "job-1").unwrap();
    let look_ups = stand.server.look_ups();
    assert_eq!(look_ups.len(), 3);
    assert!(look_ups[2].at >= before + Duration::from_secs(60), "{:?} after {before:?}", look_ups[2].at);
}

#[test]
fn a_pds_that_asks_for_longer_than_patience_lasts_gets_no_further_request_from_this_look_up() {
    let stand = stand(&one_person());
    stand.server.fail([Fault::Answer(503, HTML.to_owned(), Some(3600))]);
    let error = failure(&stand);
    assert_eq!((error.problem, error.retry_after), (PdsProblem::Busy, Some(Duration::from_secs(3600))));
    assert_eq!(stand.server.look_ups().len(), 1);
}

#[test]
fn pauses_grow_while_pds_is_away() {
    let stand = stand(&one_person());
    stand.server.fail_on(Some(answer(503, HTML)));
    failure(&stand);
    let at: Vec<Duration> = stand.server.look_ups().iter().map(|seen| seen.at).collect();
    let pauses: Vec<Duration> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // A pause doubles, less up to a quarter.
    for (pause, longest) in pauses.iter().zip([1, 2, 4]) {
        let longest = Duration::from_secs(longest);
        assert!(*pause >= longest * 3 / 4 && *pause <= longest, "{pauses:?}");
    }
}
