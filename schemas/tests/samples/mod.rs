//! One value of every type that a topic carries. All people are invented.
#![allow(dead_code, reason = "each test file uses a part of it")]

use concord_schemas::dps::{AnswerChunk, AnswerClosed, AnswerOpened, DpsAnswerEvent};
use concord_schemas::gp_links::{HistoryDocument, InterchangePiece};
use concord_schemas::list_reconciliation::*;
use concord_schemas::patient_documents::*;
use concord_schemas::pds::{FAILED, FOUND, NOT_FOUND, PdsAnswer, PdsLookup};
use concord_schemas::sequence_audit::*;

pub fn gp_record() -> GpRecord<'static> {
    GpRecord {
        registered_gp: "1234567,123ABC",
        cipher: "AB1",
        download_date: "20240131",
        download_time: "0930",
        trans_id: "1",
        nhs_number: Some("9990548609"),
        surname: Some("O'TOOLE"),
        forenames: Some("ÅSA MARIE"),
        sex: Some(2),
        date_of_birth: Some("19581231"),
        postcode: Some("LS1  4AP"),
        walking_units: Some(99),
        ..GpRecord::default()
    }
}

pub fn job_record() -> JobRecord<'static> {
    JobRecord { job_id: "job-1", practice: "B85001", at_ms: 1_706_693_400_000, number: 7, record: gp_record() }
}

pub fn pds_record() -> PdsRecord<'static> {
    PdsRecord {
        nhs_number: "9990548609",
        version: "3",
        sensitivity: "U",
        surname: "O'Toole",
        forenames: vec!["Åsa", "Marie"],
        titles: vec!["Dr"],
        gender: "female",
        date_of_birth: "1958-12-31",
        address: vec!["1 Trevelyan Square", "Boar Lane", "", "Leeds"],
        postcode: "LS1 4AP",
        gp_practice: "B85001",
        gp_registered_date: "2020-02-29",
        date_of_death: "2024-01-30",
    }
}

pub fn counts() -> JobCounts {
    JobCounts {
        records: 10,
        matched: 6,
        partnership_mismatch: 2,
        deducted: 1,
        unmatched: 1,
        sensitive: 1,
        only_on_gp: 4,
        only_on_pds: 3,
        differences: i64::MAX,
        patients_with_differences: 2,
        work_items: 5,
        duplicates: 0,
        pds_updates: 3,
        gp_updates: 2,
        validations: 1,
        lookup_failed: 4,
    }
}

pub fn extract_events() -> [ExtractEvent<'static>; 3] {
    [
        ExtractEvent::ExtractOpened(ExtractOpened {
            job_id: "job-1",
            file_name: "GPR4LNA1.CSA",
            received_at_ms: 1,
            bytes: 3,
            source: "mesh:X26ABC1/20210810134000123456_AB12CD",
        }),
        ExtractEvent::ExtractChunk(ExtractChunk { job_id: "job-1", sequence: 0, content: &[0, 0xC3, 0x01, 255] }),
        ExtractEvent::ExtractClosed(ExtractClosed { job_id: "job-1", chunks: 1, sha256: "ab" }),
    ]
}

pub fn gp_events() -> [GpEvent<'static>; 3] {
    [
        GpEvent::JobRecord(job_record()),
        GpEvent::EndOfFile(EndOfFile {
            job_id: "job-1",
            practice: "B85001",
            at_ms: -1,
            records: 10,
            partitions: 12,
            abandoned: true,
        }),
        GpEvent::JobGivenUp(JobGivenUp { job_id: "job-1" }),
    ]
}

pub fn registration() -> Registration<'static> {
    Registration { nhs_number: "9990548609", gp_practice: "B85001", dispensing_flag: "0" }
}

pub fn outcome() -> Outcome<'static> {
    Outcome {
        job_id: "job-1",
        practice: "B85001",
        number: 7,
        nhs_number: None,
        status: "Matched",
        sensitive: true,
        rules: vec!["MN-BR-SN-01", "MN-BR-FN-01"],
        code: "CONCORD-PD-0006",
    }
}

pub fn mail() -> Mail<'static> {
    Mail {
        mail_id: "7b207bdb-2937-8e17-a1a9-57a2bbf3e358",
        job_id: "job-1",
        service: "LR-14",
        timestamp: "20210810134000",
        to: vec!["a@nhs.example", "b@nhs.example"],
        subject: "PDS Comparison run",
        body: "The files:\n    \u{2022} cdd.csv\n",
    }
}

pub fn delivery() -> Delivery<'static> {
    Delivery {
        job_id: "job-1",
        name: "B85001-CDD-20210810134000.csv",
        route: "mesh",
        state: "UNDELIVERABLE",
        reference: "20210810134000123456_AB12CD",
        detail: "14: not collected",
        at_ms: 2,
    }
}

pub fn refused_input() -> RefusedInput<'static> {
    RefusedInput {
        source: "mesh:X26ABC1/20210810134000123456_AB12CD",
        code: "CONCORD-MS-0008",
        cause: "the message is larger than the limit",
        remedy: "raise the limit of the mailbox, or ask the sender for smaller messages",
        bytes: Some(2),
        sender: "X26ABC2",
        workflow_id: "GPEXTRACT",
        at_ms: 2,
    }
}

pub fn difference() -> Difference<'static> {
    Difference {
        practice: "B85001",
        nhs_number: "9990548609",
        rule_id: "MN-BR-SN-01",
        guidance: "Update the surname",
        job_id: "job-1",
        pds_version: "3",
        status: "Matched",
        first_seen_ms: 1_706_693_400_000,
        last_confirmed_ms: 1_706_779_800_000,
        cause: "PDS_CHANGED",
    }
}

pub fn decision() -> Decision<'static> {
    Decision {
        practice: "B85001",
        nhs_number: "9990548609",
        rule_id: "BR-SN-04",
        decision: "update GP",
        item: "surname",
        guidance: "Update GP",
        job_id: "job-1",
        pds_version: "3",
        first_seen_ms: 1,
        last_confirmed_ms: 2,
        cause: "LIST",
    }
}

pub fn standing_person() -> StandingPerson<'static> {
    let finding = StandingFinding { rule_id: "MN-BR-SN-01", first_seen_ms: 1, last_confirmed_ms: 2 };
    let named = StandingOnList {
        practice: "B85001",
        job_id: "job-1",
        at_ms: 2,
        record: Some(gp_record()),
        findings: vec![finding],
    };
    let unnamed = StandingOnList { practice: "B85002", record: None, findings: vec![], ..named.clone() };
    StandingPerson { lists: vec![named, unnamed] }
}

pub fn standing_list() -> StandingList<'static> {
    StandingList { job_id: "job-1", at_ms: -1 }
}

pub fn job_events() -> [JobEvent<'static>; 11] {
    let row = |file| {
        let rows = vec![ReportRow { file, sort_key: "1", text: "a,b" }];
        JobEvent::ReportRows(ReportRows { job_id: "job-1", rows })
    };
    [
        JobEvent::JobReceived(JobReceived {
            job_id: "job-1",
            file_name: "GPR4LNA1.CSA",
            at_ms: 1,
            source: "folder:/inbound",
        }),
        JobEvent::JobValidated(JobValidated {
            job_id: "job-1",
            practice: "B85001",
            file_name: "GPR4LNA1",
            at_ms: 1,
            refused: "INVALID_RECORDS",
            reasons: vec!["too many"],
            records: 10,
            invalid_records: 9,
        }),
        row(ReportFile::Validation),
        row(ReportFile::Cdd),
        row(ReportFile::OnlyOnGp),
        row(ReportFile::OnlyOnPds),
        row(ReportFile::WorkItem),
        row(ReportFile::DpsAnswer),
        JobEvent::PartitionCompleted(PartitionCompleted {
            job_id: "job-1",
            partition: 3,
            partitions: 12,
            records_of_file: 10,
            counts: counts(),
        }),
        JobEvent::JobNoted(JobNoted {
            job_id: "job-1",
            note: JobNote::CleanedUp,
            subject: "an operator",
            detail: "sent by mistake",
        }),
        JobEvent::JobNoted(JobNoted {
            job_id: "job-1",
            note: JobNote::DpsRefused,
            subject: "folder:/answers/job-1.jsonl",
            detail: "CONCORD-DP-0003: the answer ends behind line 3, without a trailer",
        }),
    ]
}

pub fn job() -> Job<'static> {
    Job {
        job_id: "job-1",
        practice: "B85001",
        file: "GPR4LNA1",
        status: "RECONCILED",
        at_ms: 1,
        reasons: vec![],
        invalid_records: 0,
        counts: counts(),
        files: vec!["a.csv", "work-items/b.csv"],
        source: "mesh:X26ABC1/20210810134000123456_AB12CD",
        rerun_of: "job-0",
        copies: 1,
        last_copy: "folder:/inbound",
        history: vec![JobStep { status: "RECEIVED", at_ms: 2, detail: "" }],
        mails: vec![JobMail { mail_id: "m-1", service: "LR-14", state: "SENT" }],
        deliveries: JobDeliveries { expected: 3, sent: 3, delivered: 2, refused: 1 },
    }
}

pub fn file_chunk() -> FileChunk<'static> {
    FileChunk { job_id: "job-1", file_name: "a.csv", sequence: 0, last: true, text: "a,b\r\n" }
}

pub fn command() -> Command<'static> {
    Command {
        action: CommandAction::CleanUpJob,
        subject: "job-1",
        by: "an operator",
        reason: "sent by mistake",
        at_ms: 3,
    }
}

pub fn route_status() -> RouteStatus<'static> {
    RouteStatus {
        route: "gp-extracts",
        partition: 7,
        open: false,
        switched: "CLOSED",
        by: "an operator",
        reason: "",
        since_ms: 4,
        until_ms: 0,
        waiting: 12,
    }
}

pub fn pds_lookup() -> PdsLookup<'static> {
    PdsLookup { nhs_number: "9990548609", job_id: "job-1" }
}

pub fn pds_answers() -> [PdsAnswer<'static>; 3] {
    let answer = |outcome, record, code| {
        let nhs_number = "9990548609";
        PdsAnswer { nhs_number, job_id: "job-1", outcome, record, code, at_ms: 1_628_602_800_000 }
    };
    [answer(FOUND, Some(pds_record()), ""), answer(NOT_FOUND, None, ""), answer(FAILED, None, "CONCORD-PD-0006")]
}

pub fn history_document() -> HistoryDocument<'static> {
    HistoryDocument {
        workflow_id: "NHAIS_REG",
        sender: "TES5",
        recipient: "XX11",
        interchange: Some(1),
        message: Some(2),
        transaction: Some(3),
        transaction_type: "ACG",
        prepared_at_ms: Some(1_591_796_280_000),
        receipt: Some("SUCCESS"),
        receipt_interchange: Some(64),
        receipt_prepared_at_ms: None,
        loaded_at_ms: 1_628_602_800_000,
    }
}

pub fn dps_answer_events() -> [DpsAnswerEvent<'static>; 3] {
    let (job_id, answer_id) = ("job-1", "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab");
    [
        DpsAnswerEvent::AnswerOpened(AnswerOpened {
            job_id,
            answer_id,
            source: "folder:/answers/job-1.jsonl",
            received_at_ms: 1_628_602_800_000,
            bytes: 7,
        }),
        DpsAnswerEvent::AnswerChunk(AnswerChunk { job_id, answer_id, sequence: 0, content: b"{\"type\"" }),
        DpsAnswerEvent::AnswerClosed(AnswerClosed { job_id, answer_id, chunks: 1 }),
    ]
}

pub fn interchange_piece() -> InterchangePiece<'static> {
    InterchangePiece {
        file_id: "7b207bdb29378e17",
        source: "mesh:X26ABC1/20210810134000123456_AB12CD",
        workflow_id: "NHAIS_REG",
        received_at_ms: 1_591_796_280_000,
        piece: 0,
        pieces: 1,
        content: b"UNB+UNOA:2+TES5+XX11+200610:1438+00000001'",
    }
}

fn transactions() -> Vec<TransactionSeen> {
    vec![TransactionSeen { number: 9_999_999, content: Some(i64::MIN) }, TransactionSeen { number: 1, content: None }]
}

pub fn link_events() -> [LinkEvent<'static>; 4] {
    let registration = MessageSeen {
        number: Some(99_999_999),
        content: Some(-1),
        sender_side: "GP",
        echoes_numbers: true,
        authority_cipher: "XX1",
        transactions: transactions(),
        ..MessageSeen::default()
    };
    let verdicts = vec![MessageVerdict { message: 1, verdict: "CP" }, MessageVerdict { message: 2, verdict: "CA" }];
    let receipts = vec![InterchangeReceipt { interchange: 3, is_refusal: true, code: "ER", messages: verdicts }];
    let receipt = MessageSeen { is_receipt: true, receipts, ..MessageSeen::default() };
    let interchange = InterchangeSeen {
        sender: "TES5",
        recipient: "XX11",
        number: Some(1),
        content: Some(i64::MAX),
        prepared_at_ms: Some(1_591_796_280_000),
        at_ms: 2,
        workflow_id: "NHAIS_REG",
        messages: vec![registration, receipt],
        defects: vec!["CONCORD-EF-0001 segment 6 (byte 113): UNZ says 2 messages, the interchange has 1"],
    };
    let unusable = InterchangeSeen {
        number: None,
        content: None,
        prepared_at_ms: None,
        messages: vec![],
        defects: vec![],
        ..interchange.clone()
    };
    let receipt = ReceiptSeen {
        sender: "TES5",
        recipient: "XX11",
        interchange: 1,
        message: 1,
        by_interchange: 64,
        by_message: 28,
        verdict: "CP",
        prepared_at_ms: Some(3),
        at_ms: 4,
    };
    [
        LinkEvent::InterchangeSeen(interchange),
        LinkEvent::InterchangeSeen(unusable),
        LinkEvent::ReceiptSeen(receipt),
        LinkEvent::TimePassed(TimePassed { at_ms: 5 }),
    ]
}

pub fn audit_command() -> AuditCommand<'static> {
    AuditCommand {
        action: AuditAction::ExplainReceipt,
        sender: "TES5",
        recipient: "XX11",
        counter: "sms",
        from: 2,
        to: 2,
        interchange: Some(1),
        by: "an operator",
        reason: "entered again as 17",
        at_ms: 6,
    }
}

pub fn transaction_events() -> [TransactionEvent<'static>; 3] {
    let seen = TransactionsSeen {
        sender: "TES5",
        side: "GP",
        prepared_at_ms: None,
        at_ms: 7,
        within_resend: true,
        transactions: transactions(),
    };
    [
        TransactionEvent::TransactionsSeen(seen),
        TransactionEvent::AuditCommand(audit_command()),
        TransactionEvent::TimePassed(TimePassed { at_ms: 8 }),
    ]
}

pub fn audit_finding() -> AuditFinding<'static> {
    AuditFinding {
        finding_id: "gap/sis/TES5/XX11/0/99999998",
        kind: "gap",
        state: "confirmed",
        sender: "TES5",
        recipient: "XX11",
        counter: "sis",
        from: Some(99_999_998),
        to: Some(2),
        interchange: None,
        copies: None,
        note: "",
        at_ms: 9,
    }
}

pub fn documents() -> [Document<'static>; 2] {
    let inline = Document {
        document_id: "doc-1",
        patient_id: "patient-1",
        name: "letter.pdf",
        source: "",
        declared_content_type: "application/pdf",
        contents_last_updated_ms: 1_706_693_400_000,
        content: Some(b"%PDF-1.7\n\xC3\x01"),
        url: "",
        content_sha256: "ab",
        bytes: Some(11),
    };
    let elsewhere =
        Document { content: None, url: "s3://scans/1.png", content_sha256: "", bytes: None, ..inline.clone() };
    [inline, elsewhere]
}

pub fn features() -> Features<'static> {
    let on_page = Place::on_page(2, Some(Region { left: 72, top: 144, width: 120, height: 12 }));
    let at_path = Place::at_path("PID[1]-3(1).1");
    Features {
        reader: "ocr".into(),
        pages: 2,
        demographics: vec![ObservedField {
            field: fields::BIRTH_DATE.into(),
            value: "1958-12-31".into(),
            place: on_page.clone(),
            confidence: 93,
        }],
        identifiers: vec![ObservedIdentifier {
            system: "https://fhir.nhs.uk/Id/nhs-number".into(),
            value: "9990548609".into(),
            place: at_path.clone(),
            confidence: 100,
        }],
        addresses: vec![ObservedAddress {
            text: "1 Trevelyan Square, Boar Lane, Leeds".into(),
            postcode: "LS1 6AE".into(),
            usage: "home".into(),
            place: Place::on_page(1, None),
            confidence: 0,
        }],
        phones: vec![ObservedPhone {
            number: "+441130000000".into(),
            usage: "mobile".into(),
            place: at_path.clone(),
            confidence: 100,
        }],
        medications: vec![ObservedMedication {
            code_system: "dm+d".into(),
            code: "0".into(),
            name: "Paracetamol".into(),
            strength: "500 mg".into(),
            form: "tablet".into(),
            dose: "1 tablet twice a day".into(),
            route: "oral".into(),
            start: "2024-01".into(),
            end: "2024".into(),
            status: "active".into(),
            place: on_page,
            confidence: 88,
        }],
        allergies: vec![ObservedAllergy {
            code_system: "snomed".into(),
            code: "0".into(),
            substance: "Penicillin".into(),
            reaction: "rash, wheeze".into(),
            place: at_path,
            confidence: 100,
        }],
    }
}

pub fn extractions() -> [Extraction<'static>; 4] {
    let complete = Extraction {
        document_id: "doc-1",
        patient_id: "patient-1",
        name: "letter.pdf",
        source: "folder:/inbound",
        status: ProcessingStatus::Complete,
        failure_count: 1,
        status_last_updated_ms: 3,
        duration_ms: Some(1_200),
        content_type: "application/pdf",
        content_sha256: "ab",
        contents_last_updated_ms: 2,
        reason_code: "",
        reason: "",
        features_as_of_ms: Some(2),
        features: Some(features()),
    };
    let failed = Extraction {
        status: ProcessingStatus::Failed,
        reason_code: "CONCORD-DO-0001",
        reason: "the document is empty",
        features_as_of_ms: None,
        features: None,
        ..complete.clone()
    };
    let in_progress =
        Extraction { status: ProcessingStatus::InProgress, features_as_of_ms: Some(1), ..complete.clone() };
    let pending = Extraction {
        status: ProcessingStatus::Pending,
        duration_ms: None,
        features: Some(Features::default()),
        ..complete.clone()
    };
    [complete, failed, in_progress, pending]
}

pub fn document_events() -> [DocumentEvent<'static>; 2] {
    let [complete, ..] = extractions();
    let gone = DocumentGone { document_id: "doc-1", patient_id: "patient-1" };
    [DocumentEvent::Extraction(complete), DocumentEvent::DocumentGone(gone)]
}

pub fn read_request() -> ReadRequest<'static> {
    ReadRequest { document_id: "doc-1", by: "an operator" }
}

pub fn update_requests() -> [UpdateRequest<'static>; 2] {
    let asked = UpdateRequest { patient_id: "patient-1", delay_ms: None, by: "" };
    [asked, UpdateRequest { delay_ms: Some(0), by: "a program", ..asked }]
}

pub fn consolidation() -> PatientConsolidation<'static> {
    let observed = |value: &'static str, documents: Vec<i32>| ObservedValue {
        value: value.into(),
        documents,
        not_counted: "".into(),
        weight: 14_000,
        latest_ms: 2,
    };
    let no_number = ObservedValue { not_counted: "its check digit is wrong".into(), ..observed("9990548600", vec![1]) };
    PatientConsolidation {
        patient_id: "patient-1".into(),
        fields: vec![
            ConsolidatedField {
                field: fields::NHS_NUMBER.into(),
                value: None,
                policy: "must-agree".into(),
                decided_by: "".into(),
                observed: vec![no_number],
            },
            ConsolidatedField {
                field: fields::BIRTH_DATE.into(),
                value: Some("1958-12-31".into()),
                policy: "majority, most-recent, smallest".into(),
                decided_by: "majority".into(),
                observed: vec![observed("1958-12-31", vec![0]), observed("1958-12-30", vec![1])],
            },
        ],
        medications: vec![ConsolidatedMedication {
            key: "322236009".into(),
            code: "322236009".into(),
            name: "Paracetamol".into(),
            strength: "500 mg".into(),
            form: "tablet".into(),
            route: "oral".into(),
            status: "active".into(),
            doses: vec![observed("1 tablet twice a day", vec![0, 1])],
            documents: vec![0, 1],
        }],
        allergies: vec![ConsolidatedAllergy {
            key: "penicillin".into(),
            code: "".into(),
            substance: "Penicillin".into(),
            reactions: vec![observed("rash", vec![1])],
            documents: vec![1],
        }],
        conflicts: vec![OpenConflict {
            field: fields::BIRTH_DATE.into(),
            chosen: Some("1958-12-31".into()),
            values: vec![observed("1958-12-31", vec![0]), observed("1958-12-30", vec![1])],
            since_ms: 2,
        }],
        documents: vec![ConsolidatedDocument {
            document_id: "doc-1".into(),
            name: "letter.pdf".into(),
            content_type: "application/pdf".into(),
            status: "Failed".into(),
            reason_code: "CONCORD-DO-0001".into(),
            reason: "the document is empty".into(),
        }],
    }
}

pub fn conflicts() -> [PatientConflict<'static>; 2] {
    let chosen = PatientConflict {
        conflict_id: "patient-1/birth_date".into(),
        patient_id: "patient-1".into(),
        field: fields::BIRTH_DATE.into(),
        chosen: Some("1958-12-31".into()),
        values: vec![ConflictingValue { value: "1958-12-31".into(), documents: vec!["doc-1".into(), "doc-2".into()] }],
        since_ms: 2,
    };
    [PatientConflict { chosen: None, ..chosen.clone() }, chosen]
}
