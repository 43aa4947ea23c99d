//! The work item of one patient: what both sides hold and the rules in which they differ, as one line of JSON.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::json_text::{push_key, push_list, push_text};
use super::stored;
use crate::list_reconciliation::compare::GUIDANCE;
use crate::list_reconciliation::profile::Profile;

/// What a work item is made of.
#[derive(Debug)]
pub struct WorkItem<'a> {
    /// Names the patient's record within the job; any unique text.
    pub patient_id: &'a str,
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name.
    pub practice: &'a str,
    /// The practice's record.
    pub gp: &'a GpRecord<'a>,
    /// The record of PDS.
    pub pds: &'a PdsRecord<'a>,
    /// Ids of the rules in which they differ; empty for a sensitive person.
    pub rule_ids: &'a [&'a str],
}

/// Appends the work item, without a line end.
pub fn write_work_item(out: &mut String, item: &WorkItem<'_>, profile: Profile) {
    out.push_str(r#"{"system": {"name": "GP List Reconciliation", "source": "GP System""#);
    push_member(out, "patientId", item.patient_id);
    push_member(out, "jobId", item.job_id);
    out.push_str(r#"}, "patient": {"nhsNumber": "#);
    push_text(out, stored::text(item.gp.nhs_number));
    push_gp(out, item, profile);
    push_pds(out, item.pds);
    out.push_str("}, ");
    push_differences(out, item.rule_ids);
    out.push('}');
}

fn push_gp(out: &mut String, item: &WorkItem<'_>, profile: Profile) {
    let gp = item.gp;
    out.push_str(r#", "gpData": {"birthDate": "#);
    push_text(out, stored::text(gp.date_of_birth));
    push_member(out, "gender", &stored::sex(gp, profile));
    out.push_str(r#", "name": {"given": "#);
    push_text(out, stored::text(gp.forenames));
    push_member(out, "family", stored::text(gp.surname));
    push_member(out, "previousFamily", stored::text(gp.previous_surname));
    push_member(out, "prefix", stored::text(gp.title));
    let [line_1, line_2, line_3, line_4, line_5] = stored::address(gp);
    out.push_str(r#"}, "address": {"line1": "#);
    push_text(out, line_1);
    push_member(out, "line2", line_2);
    push_member(out, "line3", line_3);
    push_member(out, "line4", line_4);
    push_member(out, "line5", line_5);
    out.push('}');
    push_member(out, "postalCode", stored::text(gp.postcode));
    push_member(out, "generalPractitionerOds", item.practice);
    out.push('}');
}

fn push_pds(out: &mut String, pds: &PdsRecord<'_>) {
    out.push_str(r#", "pdsData": {"scn": "#);
    push_text(out, pds.version);
    push_member(out, "security", pds.sensitivity);
    push_member(out, "birthDate", pds.date_of_birth);
    push_member(out, "gender", pds.gender);
    out.push_str(r#", "name": [{"given": "#);
    push_list(out, &pds.forenames);
    push_member(out, "family", pds.surname);
    out.push_str(r#", "prefix": "#);
    push_list(out, &pds.titles);
    out.push_str(r#"}], "address": "#);
    push_list(out, &pds.address);
    push_member(out, "postalCode", pds.postcode);
    push_member(out, "generalPractitionerOds", pds.gp_practice);
    out.push('}');
}

fn push_differences(out: &mut String, rule_ids: &[&str]) {
    push_key(out, "differences");
    out.push('[');
    for (position, rule_id) in rule_ids.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        out.push_str(r#"{"ruleId": "#);
        push_text(out, rule_id);
        push_member(out, "guidance", GUIDANCE);
        out.push('}');
    }
    out.push(']');
}

/// A further member of an object: `, "key": "text"`.
fn push_member(out: &mut String, key: &str, text: &str) {
    out.push_str(", ");
    push_key(out, key);
    push_text(out, text);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::list_reconciliation::outputs::fixtures;

    fn written(rule_ids: &[&str], pds: &PdsRecord<'_>) -> String {
        let mut out = String::new();
        let gp = fixtures::gp();
        let item = WorkItem { patient_id: "p-1", job_id: "j-1", practice: "Y12345", gp: &gp, pds, rule_ids };
        write_work_item(&mut out, &item, Profile::Fixed);
        out
    }

    #[test]
    fn a_work_item_has_its_keys_in_the_documented_order() {
        let expected = concat!(
            r#"{"system": {"name": "GP List Reconciliation", "source": "GP System", "patientId": "p-1", "jobId": "j-1"}, "#,
            r#""patient": {"nhsNumber": "9990000018", "#,
            r#""gpData": {"birthDate": "19800229", "gender": "2", "#,
            r#""name": {"given": "ANNA,BEA", "family": "WREN", "previousFamily": "LARK", "prefix": "DR"}, "#,
            r#""address": {"line1": "THE NEST", "line2": "1 OAK LANE", "line3": "", "line4": "ELMTON", "line5": ""}, "#,
            r#""postalCode": "AB1  2CD", "generalPractitionerOds": "Y12345"}, "#,
            r#""pdsData": {"scn": "7", "security": "U", "birthDate": "1980-02-28", "gender": "female", "#,
            r#""name": [{"given": ["Anna", "B\u00e9a"], "family": "Wren", "prefix": ["Dr", "Prof"]}], "#,
            r#""address": ["1 Oak Lane", "Elmton"], "postalCode": "AB1 2CD", "generalPractitionerOds": "Y54321"}}, "#,
            r#""differences": [{"ruleId": "MN-BR-FN-01", "guidance": "Manual Validation"}, "#,
            r#"{"ruleId": "MN-BR-DB-01", "guidance": "Manual Validation"}]}"#,
        );
        assert_eq!(written(&["MN-BR-FN-01", "MN-BR-DB-01"], &fixtures::pds()), expected);
    }

    #[test]
    fn a_sensitive_person_has_a_work_item_without_differences() {
        let pds = PdsRecord { sensitivity: "R", ..PdsRecord::default() };
        let item: serde_json::Value = serde_json::from_str(&written(&[], &pds)).unwrap();
        assert_eq!(item["differences"], serde_json::json!([]));
        assert_eq!(item["patient"]["pdsData"]["address"], serde_json::json!([]));
        assert_eq!(item["patient"]["pdsData"]["security"], "R");
    }
}
