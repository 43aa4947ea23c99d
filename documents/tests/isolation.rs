//! Reading in a process of its own: what a document, or the process, does wrong costs that document and no more.
//!
//! This program is also the process that reads, so it has a `main` of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use concord_documents::synthetic::{SyntheticKind, SyntheticRecord, pdf_of_lines};
use concord_documents::{
    ContentType, Limits, Problem, ReadFailure, ReaderCommand, ReaderPool, ReaderProcess, Reading, read_in_child, serve,
};

const READ: &str = "read-documents";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, limits] = &arguments[..]
        && command == READ
    {
        std::process::exit(i32::from(serve(limits).is_err()));
    }
    let scenarios: [(&str, fn()); 14] = [
        ("what_is_read_in_a_process_is_what_is_read_here", what_is_read_in_a_process_is_what_is_read_here),
        ("one_process_reads_many_documents", one_process_reads_many_documents),
        (
            "a_refusal_names_the_kind_and_leaves_the_process_usable",
            a_refusal_names_the_kind_and_leaves_the_process_usable,
        ),
        (
            "a_process_that_hangs_is_ended_with_all_that_it_started",
            a_process_that_hangs_is_ended_with_all_that_it_started,
        ),
        ("a_process_that_crashes_costs_one_document", a_process_that_crashes_costs_one_document),
        ("a_process_that_ends_or_talks_nonsense_is_told_apart", a_process_that_ends_or_talks_nonsense_is_told_apart),
        ("a_program_that_is_not_there_is_said_to_be_missing", a_program_that_is_not_there_is_said_to_be_missing),
        (
            "more_memory_than_the_limit_ends_the_process_not_the_caller",
            more_memory_than_the_limit_ends_the_process_not_the_caller,
        ),
        ("more_processor_time_than_the_limit_ends_the_process", more_processor_time_than_the_limit_ends_the_process),
        ("a_process_that_was_ended_while_it_waited_is_replaced", a_process_that_was_ended_while_it_waited_is_replaced),
        ("nothing_is_left_in_the_temporary_folder", nothing_is_left_in_the_temporary_folder),
        ("a_pdf_of_ten_thousand_pages_is_refused", a_pdf_of_ten_thousand_pages_is_refused),
        (
            "a_stream_that_unpacks_to_gigabytes_ends_within_its_limits",
            a_stream_that_unpacks_to_gigabytes_ends_within_its_limits,
        ),
        (
            "an_image_of_fifty_thousand_by_fifty_thousand_is_refused",
            an_image_of_fifty_thousand_by_fifty_thousand_is_refused,
        ),
    ];
    let wanted = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, scenario) in scenarios {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            let began = Instant::now();
            scenario();
            println!("{name}: ok ({:.1} s)", began.elapsed().as_secs_f64());
        }
    }
}

fn this_program(limits: Limits) -> ReaderCommand {
    ReaderCommand { program: std::env::current_exe().unwrap(), arguments: vec![READ.into()], limits }
}

fn read_by(script: &str, limits: &Limits) -> Result<Reading, ReadFailure> {
    let arguments: Vec<OsString> = vec!["-c".into(), script.into()];
    read_in_child(Path::new("/bin/sh"), &arguments, b"text", limits)
}

fn letter(index: u64) -> Vec<u8> {
    SyntheticKind::Text.write(&SyntheticRecord::of(1, index))
}

fn what_is_read_in_a_process_is_what_is_read_here() {
    for kind in [SyntheticKind::Fhir, SyntheticKind::Cda, SyntheticKind::Hl7, SyntheticKind::Text] {
        let document = kind.write(&SyntheticRecord::of(1, 2));
        let ReaderCommand { program, arguments, limits } = this_program(Limits::default());
        let there = read_in_child(&program, &arguments, &document, &limits).unwrap();
        assert_eq!(there, concord_documents::read(&document, &limits, Path::new("/nowhere")).unwrap());
    }
}

fn one_process_reads_many_documents() {
    let mut process = ReaderProcess::start(&this_program(Limits::default())).unwrap();
    for index in 0..50 {
        let reading = process.read(&letter(index)).unwrap();
        assert_eq!(SyntheticRecord::said_by(&reading.features), SyntheticRecord::of(1, index));
    }
    assert!(process.is_usable());
    assert_eq!(process.documents(), 50);
}

fn a_refusal_names_the_kind_and_leaves_the_process_usable() {
    let mut process =
        ReaderProcess::start(&this_program(Limits { document_bytes: 100_000, ..Limits::default() })).unwrap();
    let deep = format!("{{\"resourceType\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><ClinicalDocument>&c;</ClinicalDocument>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><ClinicalDocument>&b;</ClinicalDocument>";
    // What the names of the files would say does not matter: nothing of them is given here.
    for (document, problem, kind) in [
        (deep.as_bytes(), Problem::TooDeep, ContentType::FhirJson),
        (bomb.as_bytes(), Problem::Entities, ContentType::Cda),
        (outside.as_bytes(), Problem::Entities, ContentType::Cda),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", Problem::Damaged, ContentType::Png),
        (b"PK\x03\x04", Problem::UnknownKind, ContentType::Unknown),
        (b"", Problem::Empty, ContentType::Unknown),
        (&[b'a'; 100_001], Problem::TooLarge, ContentType::Text),
        (b"<Patient/>", Problem::NoPatientDocument, ContentType::Xml),
    ] {
        let failure = process.read(document).unwrap_err();
        assert_eq!((failure.problem, failure.content_type), (problem, kind));
        assert!(!failure.problem.may_pass());
        assert!(process.is_usable());
    }
    process.read(&letter(0)).unwrap();
}

fn a_process_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
    let began = Instant::now();
    let failure = read_by(&script, &Limits { time: Duration::from_secs(2), ..Limits::default() }).unwrap_err();
    assert_eq!(failure.problem, Problem::OutOfTime);
    assert!(failure.problem.may_pass());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let pid = std::fs::read_to_string(file).unwrap();
    let is_running = || {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z ")
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_running() {
        assert!(Instant::now() < deadline, "what the process started still runs");
        std::thread::yield_now();
    }
}

fn a_process_that_crashes_costs_one_document() {
    let failure = read_by("kill -SEGV $$", &Limits::default()).unwrap_err();
    assert_eq!((failure.problem, failure.detail.as_str()), (Problem::Crashed, "the reader was ended by signal 11"));
    assert!(failure.problem.may_pass());
    let failure = read_by("kill -XCPU $$", &Limits::default()).unwrap_err();
    assert_eq!(failure.problem, Problem::OutOfCpu);
}

fn a_process_that_ends_or_talks_nonsense_is_told_apart() {
    let problem_of = |script: &str| read_by(script, &Limits::default()).unwrap_err().problem;
    assert_eq!(problem_of("exit 3"), Problem::Crashed);
    assert_eq!(problem_of("exit 0"), Problem::NoAnswer);
    assert_eq!(problem_of("echo this is no frame, but longer than one begins"), Problem::NoAnswer);
    assert_eq!(problem_of("printf '\\004\\0\\0\\0\\0\\0\\0\\0text'; sleep 1000"), Problem::NoAnswer);
    assert_eq!(problem_of("exec yes"), Problem::NoAnswer);
}

fn a_program_that_is_not_there_is_said_to_be_missing() {
    let failure = read_in_child(Path::new("/nowhere/reader"), &[], b"text", &Limits::default()).unwrap_err();
    assert_eq!(failure.problem, Problem::NoProcess);
}

fn more_memory_than_the_limit_ends_the_process_not_the_caller() {
    let limits = Limits { memory_bytes: 200 << 20, elements: usize::MAX, ..Limits::default() };
    let pool = ReaderPool::new(this_program(limits));
    let wide = format!("{{\"resourceType\": \"Patient\", \"a\": [{}1]}}", "1,".repeat(15_000_000));
    let failure = pool.read(wide.as_bytes()).unwrap_err();
    assert_eq!((failure.problem, failure.content_type), (Problem::Crashed, ContentType::FhirJson));
    pool.read(&letter(0)).unwrap();
}

fn more_processor_time_than_the_limit_ends_the_process() {
    let limits = Limits { cpu_seconds: 0, elements: usize::MAX, observations: usize::MAX, ..Limits::default() };
    let pool = ReaderPool::new(this_program(limits));
    let long = "Name: a  Sex: F  ".repeat(1_800_000);
    let failure = pool.read(long.as_bytes()).unwrap_err();
    assert_eq!(failure.problem, Problem::OutOfCpu, "{failure}");
    pool.read(&letter(0)).unwrap();
}

fn a_process_that_was_ended_while_it_waited_is_replaced() {
    let pool = ReaderPool::new(this_program(Limits::default()));
    pool.read(&letter(0)).unwrap();
    // The one process that this one has started and that waits. It has ended when nothing is left of it but its number.
    let own = std::process::id().to_string();
    let killed = Command::new("sh").args(["-c", &format!("for p in /proc/[0-9]*/stat; do read -r pid name state parent rest < $p; [ \"$parent\" = {own} ] && [ \"$pid\" != $$ ] && kill -9 $pid && while grep -q ') [^Z]' /proc/$pid/stat; do :; done; done 2>/dev/null; true")]).status();
    assert!(killed.unwrap().success());
    pool.read(&letter(1)).unwrap();
}

fn nothing_is_left_in_the_temporary_folder() {
    let folders = || {
        let all = std::fs::read_dir(std::env::temp_dir()).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("concord-document-")).count()
    };
    let before = folders();
    let mut process = ReaderProcess::start(&this_program(Limits::default())).unwrap();
    process.read(&letter(0)).unwrap();
    drop(process);
    let _ = read_by("exit 3", &Limits::default());
    assert!(folders() <= before, "{before} before, {} after", folders());
}

/// Whether Poppler is there; says loudly when not.
fn has_poppler(name: &str) -> bool {
    let is_there = Command::new("pdfinfo").arg("-v").output().is_ok();
    if !is_there {
        eprintln!("SKIPPED: {name} needs poppler-utils");
    }
    is_there
}

fn a_pdf_of_ten_thousand_pages_is_refused() {
    if !has_poppler("a PDF of ten thousand pages") {
        return;
    }
    let document = pdf_of_lines(&"line\n".repeat(500_000));
    let failure = ReaderPool::new(this_program(Limits::default())).read(&document).unwrap_err();
    assert_eq!((failure.problem, failure.content_type), (Problem::TooManyPages, ContentType::Pdf));
    assert_eq!(failure.detail, "10000 pages, 500 are read");
}

/// A PDF whose one page is drawn by a stream that unpacks to two thousand million blanks.
fn packed_bomb() -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..2_000 {
        packed.write_all(&blanks).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut file = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n"
        .to_vec();
    file.extend(format!("4 0 obj\n<< /Length {} /Filter /FlateDecode >>\nstream\n", packed.len()).into_bytes());
    file.extend(packed);
    file.extend(b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n");
    file
}

fn a_stream_that_unpacks_to_gigabytes_ends_within_its_limits() {
    if !has_poppler("a stream that unpacks to gigabytes") {
        return;
    }
    let limits = Limits { cpu_seconds: 2, time: Duration::from_secs(60), memory_bytes: 1 << 30, ..Limits::default() };
    let pool = ReaderPool::new(this_program(limits));
    let bomb = packed_bomb();
    let began = Instant::now();
    // Whether such a page is read as an empty one or given up is Poppler's choice, as long as it ends.
    if let Err(failure) = pool.read(&bomb) {
        let expected = [Problem::OutOfCpu, Problem::OutOfTime, Problem::Crashed, Problem::Damaged, Problem::NoTool];
        assert!(expected.contains(&failure.problem), "{failure}");
    }
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    pool.read(&letter(0)).unwrap();
}

fn an_image_of_fifty_thousand_by_fifty_thousand_is_refused() {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let row = vec![0_u8; 50_001];
    for _ in 0..50_000 / 8 {
        packed.write_all(&row).unwrap();
    }
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(content);
        [&u32::try_from(content.len()).unwrap().to_be_bytes(), name.as_slice(), content, &crc.sum().to_be_bytes()]
            .concat()
    };
    let header = [&50_000_u32.to_be_bytes()[..], &50_000_u32.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    let content = packed.finish().unwrap();
    let image = [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &content), chunk(b"IEND", b"")]
        .concat();
    let failure = ReaderPool::new(this_program(Limits::default())).read(&image).unwrap_err();
    assert_eq!((failure.problem, failure.content_type), (Problem::TooManyPixels, ContentType::Png));
}
