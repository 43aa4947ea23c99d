//! Plays DPS: answers an extract from all of PDS, in memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use concord_connectors::pds::PdsRecordOwned;
use concord_flows::list_reconciliation::dps_exchange::{
    AnswerLine, HeaderLine, Totals, VERSION, Verdict, line_of_invalid_record, line_of_patient,
    line_of_person_only_on_pds, write_line,
};
use concord_flows::list_reconciliation::extract::{ExtractReader, OnRecord, ReadEnd, ReadRecord, ReaderSettings};
use concord_flows::list_reconciliation::{Profile, parse_extract_file_name};
use concord_schemas::list_reconciliation::GpRecord;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When everything is processed.
pub const AT: &str = "2021-08-10T13:40:00Z";

pub type Pds = BTreeMap<String, PdsRecordOwned>;

/// The answer so far.
struct Answer<'p> {
    practice: String,
    pds: &'p Pds,
    profile: Profile,
    /// How often the extract has named each number.
    named: HashMap<String, u32>,
    totals: Totals,
    text: String,
}

/// The answer as text. An extract is read twice: for the verdict, then for its lines.
pub fn answer(job_id: &str, file_name: &str, extract: &str, pds: &Pds, profile: Profile) -> String {
    let processed_at: Timestamp = AT.parse().unwrap();
    let now = processed_at.to_zoned(TimeZone::UTC).datetime();
    let name = parse_extract_file_name(file_name, now, profile).unwrap();
    let settings = ReaderSettings { profile, file_cipher: name.cipher, now };
    let end = read(&settings, extract, &mut |_| {});
    let (verdict, reasons) = match &end.structure_error {
        Some(error) => (Verdict::InvalidStructure, vec![Cow::Owned(error.to_string())]),
        None if end.invalid_records > 0 => (Verdict::InvalidRecords, Vec::new()),
        None => (Verdict::Accepted, Vec::new()),
    };
    let practice = name.practice;
    let (totals, text) = (Totals::default(), String::new());
    let mut answer = Answer { practice: practice.clone(), pds, profile, named: HashMap::new(), totals, text };
    answer.write(&AnswerLine::Header(HeaderLine {
        version: VERSION,
        job_id: Cow::Borrowed(job_id),
        practice: Cow::Owned(practice),
        file: Cow::Owned(name.normalised),
        processed_at,
        verdict,
        reasons,
    }));
    if verdict != Verdict::InvalidStructure {
        read(&settings, extract, &mut |record| answer.take(&record, verdict));
    }
    match verdict {
        Verdict::Accepted => answer.add_people_only_on_pds(),
        Verdict::InvalidRecords => answer.totals.records = end.records as i64,
        Verdict::InvalidStructure => {}
    }
    let trailer = AnswerLine::Trailer(answer.totals);
    answer.write(&trailer);
    answer.text
}

fn read(settings: &ReaderSettings, extract: &str, on_record: &mut OnRecord<'_>) -> ReadEnd {
    let mut reader = ExtractReader::new(settings.clone());
    reader.push(extract.as_bytes(), on_record);
    reader.finish(on_record)
}

impl Answer<'_> {
    fn write(&mut self, line: &AnswerLine<'_>) {
        self.totals.add(line);
        write_line(&mut self.text, line);
    }

    fn take(&mut self, record: &ReadRecord<'_>, verdict: Verdict) {
        let number = record.number as i64;
        match &record.record {
            Err(invalid) => self.write(&AnswerLine::InvalidRecord(line_of_invalid_record(number, invalid))),
            Ok(gp) if verdict == Verdict::Accepted => self.compare(number, gp),
            // Of a refused extract nobody is compared.
            Ok(_) => {}
        }
    }

    fn compare(&mut self, number: i64, gp: &GpRecord<'_>) {
        let nhs = gp.nhs_number.unwrap_or_default();
        let named = self.named.entry(nhs.to_owned()).or_default();
        // Records without a number have nothing in common.
        let earlier = if nhs.is_empty() { 0 } else { *named };
        *named += 1;
        let pds = self.pds.get(nhs).map(PdsRecordOwned::as_record);
        match line_of_patient(&self.practice, (number, earlier), gp, pds.as_ref(), self.profile) {
            Some(line) => self.write(&AnswerLine::Patient(Box::new(line))),
            None => self.totals.add_unremarkable(earlier > 0),
        }
    }

    fn add_people_only_on_pds(&mut self) {
        let everybody: &Pds = self.pds;
        for record in everybody.values().map(PdsRecordOwned::as_record) {
            if record.gp_practice == self.practice
                && !self.named.contains_key(record.nhs_number)
                && let Some(line) = line_of_person_only_on_pds(&record)
            {
                self.write(&AnswerLine::OnlyOnPds(Box::new(line)));
            }
        }
    }
}
