//! What producers should not send goes to the dead letters and disturbs nobody.

use concord_flows::patient_documents::codes;
use concord_flows::patient_documents::topology::{DOCUMENT, READ_REQUEST, UPDATE_REQUEST};
use concord_flows::patient_documents::values::{Documents, ReadRequests, UpdateRequests};
use concord_schemas::patient_documents::{Document, ReadRequest, UpdateRequest};

use crate::stage::Stage;

#[test]
fn each_kind_of_bad_input_has_its_code() {
    let good = Document { document_id: "d1", patient_id: "p1", content: Some(b"x"), ..Document::default() };
    let table = [
        (Document { document_id: "d2", ..good.clone() }, "d1", codes::KEY_DIFFERS),
        (Document { patient_id: "", ..good.clone() }, "d1", codes::BAD_ID),
        (Document { patient_id: "p/1", ..good.clone() }, "d1", codes::BAD_ID),
        (Document { document_id: "d/1", ..good.clone() }, "d/1", codes::BAD_ID),
        (Document { content: None, ..good.clone() }, "d1", codes::NO_CONTENT),
    ];
    for (document, key, code) in table {
        let mut stage = Stage::new();
        stage.driver.pipe::<Documents>(DOCUMENT, key, &document).unwrap();
        stage.rest();
        let letters = stage.driver.dead_letters().unwrap();
        assert_eq!(letters.iter().map(|letter| &*letter.code).collect::<Vec<_>>(), [code]);
        assert_eq!(stage.documents(), 0);
    }
}

#[test]
fn requests_about_nobody_have_their_codes() {
    let mut stage = Stage::new();
    let of = ReadRequest { document_id: "d1", by: "" };
    stage.driver.pipe::<ReadRequests>(READ_REQUEST, "d1", &of).unwrap();
    stage.driver.pipe::<ReadRequests>(READ_REQUEST, "d2", &of).unwrap();
    let of = UpdateRequest { patient_id: "p1", delay_ms: None, by: "" };
    stage.driver.pipe::<UpdateRequests>(UPDATE_REQUEST, "p2", &of).unwrap();
    stage.rest();
    let mut codes_found: Vec<String> = stage.driver.dead_letters().unwrap().into_iter().map(|l| l.code).collect();
    codes_found.sort();
    assert_eq!(codes_found, [codes::KEY_DIFFERS, codes::KEY_DIFFERS, codes::UNKNOWN_DOCUMENT]);
}

#[test]
fn a_deletion_of_what_nobody_knows_does_nothing() {
    let mut stage = Stage::new();
    stage.delete("d1");
    stage.rest();
    stage.check();
}
