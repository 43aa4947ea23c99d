#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn kinds_are_found_by_their_first_bytes() {
    for (document, kind) in [
        (b"\x89PNG\r\n\x1a\nrest".as_slice(), ContentType::Png),
        (b"\xff\xd8\xff\xe0rest", ContentType::Jpeg),
        (b"II*\0rest", ContentType::Tiff),
        (b"MM\0*rest", ContentType::Tiff),
        (b"%PDF-1.7\n", ContentType::Pdf),
        (b"\r\n some words before it %PDF-1.4", ContentType::Pdf),
        (b"\x0bMSH|^~\\&|A\rPID|1\r\x1c\r", ContentType::Hl7V2),
        (b"FHS|^~\\&|A\rMSH|^~\\&|A\r", ContentType::Hl7V2),
    ] {
        assert_eq!(classify(document), kind, "{:?}", String::from_utf8_lossy(document));
    }
}

#[test]
fn json_is_fhir_when_its_own_object_names_a_type_of_resource() {
    for (document, kind) in [
        (r#"{"resourceType": "Patient"}"#, ContentType::FhirJson),
        ("\u{feff} {\"a\": {\"b\": \"}\\\"\"}, \"resourceType\" : \"Bundle\"}", ContentType::FhirJson),
        (r#"[{"resourceType": "Patient"}]"#, ContentType::FhirJson),
        (r#"{"entry": {"resourceType": "Patient"}}"#, ContentType::Json),
        (r#"{"a": "resourceType"}"#, ContentType::Json),
        ("[1, 2]", ContentType::Json),
        (r#"{"cut": "off"#, ContentType::Json),
    ] {
        assert_eq!(classify(document.as_bytes()), kind, "{document}");
    }
}

#[test]
fn xml_is_cda_when_its_first_element_is_a_clinical_document() {
    for (document, kind) in [
        ("<?xml version=\"1.0\"?>\n<!-- <a> --><ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>", ContentType::Cda),
        ("<v3:ClinicalDocument xmlns:v3=\"urn:hl7-org:v3\"/>", ContentType::Cda),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><ClinicalDocument/>", ContentType::Cda),
        ("<Patient xmlns=\"http://hl7.org/fhir\"/>", ContentType::Xml),
        ("<!DOCTYPE html><html></html>", ContentType::Unknown),
        ("< no markup", ContentType::Unknown),
        ("<!-- no end", ContentType::Unknown),
    ] {
        assert_eq!(classify(document.as_bytes()), kind, "{document}");
    }
}

#[test]
fn anything_that_is_readable_is_text_and_anything_else_is_unknown() {
    for (document, kind) in [
        (b"Dear Dr Jones,\r\n\tBMI: 22\n".as_slice(), ContentType::Text),
        (b"BMI: 22", ContentType::Text),
        (b"MSHA is no segment", ContentType::Text),
        ("Å".as_bytes(), ContentType::Text),
        (b"O\x92Toole", ContentType::Text),
        (b"\xff\xfeN\0H\0S\0", ContentType::Text),
        (b"", ContentType::Unknown),
        (b" \n", ContentType::Unknown),
        (b"PK\x03\x04\x14", ContentType::Unknown),
        (b"{\\rtf1 text}", ContentType::Unknown),
        (b"GIF89a", ContentType::Unknown),
        (b"BM\0\0\0\0", ContentType::Unknown),
        (b"text\0text", ContentType::Unknown),
        (b"\x01\x02\x03\x04text", ContentType::Unknown),
    ] {
        assert_eq!(classify(document), kind, "{:?}", String::from_utf8_lossy(document));
    }
}

#[test]
fn what_is_not_read_is_named_where_it_is_known() {
    assert_eq!(what_it_is_instead(b"PK\x03\x04"), "a ZIP archive or office document");
    assert_eq!(what_it_is_instead(b"<html>"), "a web page");
    assert_eq!(what_it_is_instead(b"\x01\x02"), "no format that is known here");
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    for (kind, name) in NAMES {
        assert_eq!(kind.name(), name);
        assert_eq!(ContentType::of_name(name), kind);
    }
    assert_eq!(ContentType::of_name("text/html"), ContentType::Unknown);
}
