//! What the earlier adaptor remembered: its collections `inboundState` and `outboundState`, exported from MongoDB as JSON Lines.
//!
//! Both generations of fields are read, and numbers and dates in each form that exports have had.

use std::io::BufRead;

use concord_schemas::gp_links::{DocumentReceipt, DocumentWorkflow, StateDocument};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::lines::Lines;
use crate::rejected::ReadError;

/// Reads documents one by one, plain or gzip. A bad line is an error of its own; the lines behind it are still read.
///
/// ```
/// use concord_connectors::nhais_state::StateReader;
///
/// let export = r#"{"workflowId":"REGISTRATION","intSeq":{"$numberLong":"3"},"tn":101,"sndr":"XX11","recip":"TES5"}"#;
/// let mut reader = StateReader::open("inboundState.json", export.as_bytes())?;
/// let document = reader.next().transpose()?.expect("a document");
/// assert_eq!((document.interchange, document.transaction), (Some(3), Some(101)));
/// # Ok::<(), concord_connectors::rejected::ReadError>(())
/// ```
pub struct StateReader<'source> {
    lines: Lines<'source>,
}

impl<'source> StateReader<'source> {
    /// Starts at the beginning of an export. `file` is the name for errors.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn open(file: &str, source: impl BufRead + Send + 'source) -> Result<Self, ReadError> {
        Ok(Self { lines: Lines::open(file, source)? })
    }

    /// The line of the document read last, as the export has it: all its fields, those that Concord does not use among them.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        self.lines.line()
    }
}

impl Iterator for StateReader<'_> {
    type Item = Result<StateDocument, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = match self.lines.next_line()? {
            Ok(line) => document(line),
            Err(error) => return Some(Err(error)),
        };
        Some(read.map_err(|Unusable { field, problem, remedy }| self.lines.reject(field, problem, remedy)))
    }
}

struct Unusable {
    field: &'static str,
    problem: &'static str,
    remedy: &'static str,
}

const EXPORT_AGAIN: &str = "export the collection with mongoexport, one document a line";

fn document(line: &[u8]) -> Result<StateDocument, Unusable> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else {
        return Err(Unusable { field: "the line", problem: "it is no JSON object", remedy: EXPORT_AGAIN });
    };
    Ok(StateDocument {
        workflow: workflow(&fields)?,
        sender: code(&fields, "sndr")?,
        recipient: code(&fields, "recip")?,
        interchange: number(&fields, "intSeq")?,
        message: number(&fields, "msgSeq")?,
        transaction: number(&fields, "tn")?,
        transaction_type: text(&fields, "transactionType"),
        operation_id: text(&fields, "operationId"),
        translated_at: date(&fields, "translationTimestamp")?,
        processed_at: date(&fields, "processedTimestamp")?,
        recep_code: text(&fields, "recepCode"),
        recep_date_time: date(&fields, "recepDateTime")?,
        recep: receipt(&fields)?,
    })
}

/// The name of the adaptor's own word, or of the MESH workflow, which its load generator wrote.
fn workflow(fields: &Map<String, Value>) -> Result<DocumentWorkflow, Unusable> {
    match text(fields, "workflowId").map(|workflow| workflow.to_ascii_uppercase()).as_deref() {
        Some("REGISTRATION" | "NHAIS_REG") => Ok(DocumentWorkflow::Registration),
        Some("RECEP" | "NHAIS_RECEP") => Ok(DocumentWorkflow::Recep),
        _ => Err(Unusable {
            field: "workflowId",
            problem: "it is neither REGISTRATION nor RECEP",
            remedy: "export inboundState or outboundState",
        }),
    }
}

fn receipt(fields: &Map<String, Value>) -> Result<Option<DocumentReceipt>, Unusable> {
    let Some(Value::Object(recep)) = fields.get("recep") else { return Ok(None) };
    Ok(Some(DocumentReceipt {
        code: text(recep, "code"),
        translated_at: date(recep, "translationTimestamp")?,
        processed_at: date(recep, "processedTimestamp")?,
        interchange: number(recep, "interchangeSequence")?,
    }))
}

fn code(fields: &Map<String, Value>, name: &'static str) -> Result<String, Unusable> {
    text(fields, name).filter(|code| !code.is_empty()).ok_or(Unusable {
        field: name,
        problem: "it is missing or empty",
        remedy: "export inboundState or outboundState",
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(str::to_owned)
}

/// `5`, `{"$numberLong":"5"}`, `{"$numberInt":"5"}`.
fn number(fields: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, Unusable> {
    let value = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let wrapped = || ["$numberLong", "$numberInt"].iter().find_map(|form| value.get(form)?.as_str()?.parse().ok());
    let whole = value.as_i64().or_else(wrapped);
    whole.map(Some).ok_or(Unusable { field: name, problem: "it is no whole number", remedy: EXPORT_AGAIN })
}

/// `{"$date":"2020-06-10T13:38:00Z"}`, `{"$date":{"$numberLong":"1591796280000"}}`, `{"$date":1591796280000}`, or the text alone.
fn date(fields: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, Unusable> {
    let value = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let inner = value.get("$date").unwrap_or(value);
    let milliseconds = || inner.as_i64().or_else(|| inner.get("$numberLong")?.as_str()?.parse().ok());
    let instant = match inner.as_str() {
        Some(text) => text.parse().ok(),
        None => milliseconds().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()),
    };
    instant.map(Some).ok_or(Unusable { field: name, problem: "it is no date", remedy: EXPORT_AGAIN })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::test_rows::row_error;

    const EARLY: &str = r#"{"_id":{"$oid":"5f2d"},"workflowId":"REGISTRATION","operationId":"c35b","intSeq":{"$numberLong":"1"},"msgSeq":{"$numberInt":"2"},"sndr":"TES5","recip":"XX11","tn":3,"transactionType":"ACG","translationTimestamp":{"$date":"2020-06-10T13:38:00.000Z"},"recepCode":"CP","recepDateTime":{"$date":{"$numberLong":"1591796280000"}}}"#;
    const CURRENT: &str = r#"{"workflowId":"REGISTRATION","intSeq":1,"msgSeq":1,"sndr":"TES5","recip":"XX11","tn":1,"translationTimestamp":{"$date":"2020-06-10T13:38:00.000+0000"},"processedTimestamp":{"$date":1591796280000},"recep":{"code":"SUCCESS","translationTimestamp":{"$date":"2020-06-10T14:00:00Z"},"interchangeSequence":{"$numberLong":"64"}},"conversationId":"A"}"#;
    const RECEP: &str = r#"{"workflowId":"RECEP","intSeq":64,"msgSeq":28,"sndr":"FHS1","recip":"GP05","tn":null}"#;

    fn read(export: &str) -> Vec<Result<StateDocument, ReadError>> {
        StateReader::open("outboundState.json", export.as_bytes()).unwrap().collect()
    }

    #[test]
    fn both_generations_of_fields_are_read() {
        let mut read = read(&format!("{EARLY}\n{CURRENT}\n{RECEP}\n")).into_iter().map(Result::unwrap);
        let noon: Timestamp = "2020-06-10T13:38:00Z".parse().unwrap();

        let early = read.next().unwrap();
        assert_eq!((early.interchange, early.message, early.transaction), (Some(1), Some(2), Some(3)));
        assert_eq!((early.recep_code.as_deref(), early.recep_date_time), (Some("CP"), Some(noon)));
        assert_eq!((early.translated_at, early.recep), (Some(noon), None));

        let current = read.next().unwrap();
        assert_eq!((current.translated_at, current.processed_at), (Some(noon), Some(noon)));
        let receipt = current.recep.unwrap();
        assert_eq!((receipt.code.as_deref(), receipt.interchange), (Some("SUCCESS"), Some(64)));
        assert_eq!(current.recep_code, None);

        let recep = read.next().unwrap();
        assert_eq!((recep.workflow, recep.transaction), (DocumentWorkflow::Recep, None));
    }

    #[test]
    fn a_line_that_is_no_document_is_rejected_and_the_next_is_read() {
        let bad_number = CURRENT.replace(r#""intSeq":1"#, r#""intSeq":"one""#);
        let bad_date = CURRENT.replace("2020-06-10T14:00:00Z", "yesterday");
        let bad_workflow = CURRENT.replace("REGISTRATION", "MAIL");
        let no_sender = CURRENT.replace("TES5", "");
        let read = read(&format!("{bad_number}\n[1]\n{bad_date}\n{bad_workflow}\n{no_sender}\n{EARLY}"));
        let fields: Vec<String> = read.into_iter().filter(Result::is_err).map(|row| row_error(row).field).collect();
        assert_eq!(fields, ["intSeq", "the line", "translationTimestamp", "workflowId", "sndr"]);
    }
}
