//! What PDS says comes out as it says it.

use std::collections::BTreeSet;

use concord_connectors::pds::{PdsChange, PdsRecordOwned};

use crate::people::{NUMBER, People, one_person, synthetic, test_pack};
use crate::stand::{stand, stand_with};

fn assert_all_come_out(people: &People) {
    let stand = stand(people);
    for (number, expected) in &people.expected {
        let found = stand.client.look_up(number, "job-1").unwrap();
        assert_eq!(found, *expected, "{number}");
    }
    assert_eq!(stand.server.look_ups().len(), people.expected.len());
}

#[test]
fn everybody_of_the_test_pack_is_found_as_the_reader_of_the_pack_reads_them() {
    let Some(people) = test_pack("everybody_of_the_test_pack_is_found_as_the_reader_of_the_pack_reads_them") else {
        return;
    };
    assert_eq!(people.expected.len(), 690);
    assert_all_come_out(&people);
}

#[test]
fn generated_people_are_found_as_the_reader_of_files_reads_them_and_the_unknown_are_not() {
    let people = synthetic(400);
    assert!(people.expected.values().any(|change| *change == PdsChange::NotFound));
    assert_all_come_out(&people);
}

#[test]
fn a_text_that_is_no_nhs_number_has_no_record_and_is_never_asked_about() {
    let stand = stand(&one_person());
    for text in ["", "ABC/1?X", "../../oauth2/token", "9000000008", "900 000 0009", "9000000009?x=1"] {
        assert_eq!(stand.client.look_up(text, "job-1").unwrap(), PdsChange::NotFound, "{text}");
    }
    assert!(stand.server.look_ups().is_empty() && stand.server.token_requests().is_empty());
}

#[test]
fn each_request_has_an_id_of_its_own_and_names_the_job() {
    let stand = stand(&one_person());
    for _ in 0..3 {
        stand.client.look_up(NUMBER, "job-1").unwrap();
    }
    let look_ups = stand.server.look_ups();
    let ids: BTreeSet<&String> = look_ups.iter().map(|seen| &seen.headers["x-request-id"]).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    assert!(look_ups.iter().all(|seen| seen.method == "GET" && seen.headers["x-correlation-id"] == "job-1"));
}

#[test]
fn a_service_that_wants_no_token_is_asked_without_one() {
    let stand = stand_with(&one_person(), 0, |_| {});
    assert!(matches!(stand.client.look_up(NUMBER, "job-1").unwrap(), PdsChange::Upsert(_)));
    assert!(stand.server.token_requests().is_empty());
    assert!(!stand.server.look_ups()[0].headers.contains_key("authorization"));
}

#[test]
fn an_invalidated_number_is_a_record_of_nothing_but_that() {
    let mut people = People::default();
    let outcome =
        crate::people::outcome("INVALIDATED_RESOURCE", "Resource that has been marked as invalid was requested");
    people.answers.insert(NUMBER.to_owned(), (404, outcome));
    let found = stand(&people).client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(found, PdsChange::Upsert(Box::new(PdsRecordOwned::redacted(NUMBER))));
}
