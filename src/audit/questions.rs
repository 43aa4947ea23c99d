//! `concord audit missing-numbers` and `missing-receipts`: the questions of the earlier way, as they were answered and truly.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use concord_flows::sequence_audit::reports::{compatible, truthful};
use concord_flows::sequence_audit::values::KeptLink;
use concord_flows::sequence_audit::{Circle, Counter, MessageKey, NumberRange};
use concord_schemas::gp_links::StateDocument;
use serde_json::{Value, json};

use super::sources::{Source, documents, each_document, files, holds_documents, is_array};
use super::{Outcome, Request, report, run, settings};
use crate::cli::{
    MissingNumbersArgs, MissingReceiptsArgs, OperationsArgs, QueryFieldName, ReleaseName, SideName, WindowArgs,
};
use crate::failure::Failure;

/// What was named: documents of the earlier adaptor, and interchanges.
struct Asked {
    documents: Vec<StateDocument>,
    sources: Vec<Source>,
}

/// Reads what was named: documents are handed over with their lines, interchanges are returned.
fn read(window: &WindowArgs, mut visit: impl FnMut(StateDocument, &[u8])) -> Result<Vec<Source>, Failure> {
    if window.from >= window.to {
        return Err(Failure::Usage("--from must be before --to".to_owned()));
    }
    let mut sources = Vec::new();
    for path in files(&window.files)? {
        let name = path.display().to_string();
        let content = fs::read(&path).map_err(|e| Failure::other(format!("reading {name}"), e))?;
        if holds_documents(&content) {
            if let Some(side) = window.side
                && !is_of(side, &name)?
            {
                continue;
            }
            each_document(&name, &content[..], &mut visit)?;
        } else if is_array(&content) {
            return Err(Failure::Usage(format!(
                "{name} is a JSON array: export it without --jsonArray, a document a line"
            )));
        } else if window.compatible {
            return Err(Failure::Usage(format!(
                "{name} is no export of inboundState or outboundState: the compatible form is of these only"
            )));
        } else {
            sources.push(Source::of(name, content));
        }
    }
    Ok(sources)
}

impl Asked {
    fn read(window: &WindowArgs) -> Result<Self, Failure> {
        let mut documents = Vec::new();
        let sources = read(window, |document, _| documents.push(document))?;
        Ok(Self { documents, sources })
    }

    /// The states that all of it makes, seen when everything had time to come.
    fn audited(self) -> Result<Outcome, Failure> {
        let request = Request {
            history: self.documents,
            sources: self.sources,
            at_ms: jiff::Timestamp::now().as_millisecond(),
            audit: settings(jiff::SignedDuration::from_hours(1)),
            ..Request::default()
        };
        run(request)
    }
}

/// Documents do not say which collection they are of; the name of their file does.
fn is_of(side: SideName, name: &str) -> Result<bool, Failure> {
    let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match (file.contains("inbound"), file.contains("outbound")) {
        (true, false) => Ok(matches!(side, SideName::Inbound)),
        (false, true) => Ok(matches!(side, SideName::Outbound)),
        _ => Err(Failure::Usage(format!(
            "--side cannot tell of which collection {name} is: put `inbound` or `outbound` into its name"
        ))),
    }
}

fn window_of(args: &WindowArgs) -> truthful::Window {
    truthful::Window { from_ms: args.from.as_millisecond(), to_ms: args.to.as_millisecond() }
}

/// Which numbers are missing.
pub fn missing_numbers(args: &MissingNumbersArgs) -> Result<(), Failure> {
    let field = match args.field {
        QueryFieldName::IntSeq => compatible::Field::Number(Counter::Sis),
        QueryFieldName::MsgSeq => compatible::Field::Number(Counter::Sms),
        QueryFieldName::Tn => compatible::Field::Number(Counter::Tn),
        QueryFieldName::TranslationTimestamp => compatible::Field::TranslationTimestamp,
    };
    let asked = Asked::read(&args.window)?;
    if args.window.compatible {
        let question = compatible::Question {
            from: args.window.from,
            to: args.window.to,
            sender: Some(&args.sender),
            recipient: Some(&args.recipient),
        };
        return as_the_query(&compatible::missing_numbers(&asked.documents, field, &question));
    }
    let compatible::Field::Number(counter) = field else {
        return Err(Failure::Usage(
            "translationTimestamp is no number, and no time is missing: ask for intSeq, msgSeq or tn".to_owned(),
        ));
    };
    let outcome = asked.audited()?;
    match truly(&outcome, counter, args) {
        truthful::MissingNumbers::NoData => {
            answer(args.window.json, "no-data", &[], "no data: nothing of that time was seen on this line")
        }
        truthful::MissingNumbers::NoGap => {
            answer(args.window.json, "no-gap", &[], "no gap: the line goes over that time, and no number is missing")
        }
        truthful::MissingNumbers::Missing(missing) => {
            let rows: Vec<Value> = missing
                .iter()
                .map(|range| json!({ "numbers": range.numbers, "state": range.state.as_str() }))
                .collect();
            let words: Vec<NumberRange> = missing.iter().map(|range| range.numbers).collect();
            answer(args.window.json, "missing", &rows, &format!("missing: {}", report::ranges(&words)))?;
            Err(Failure::Findings)
        }
    }
}

fn truly(outcome: &Outcome, counter: Counter, args: &MissingNumbersArgs) -> truthful::MissingNumbers {
    let window = window_of(&args.window);
    if counter == Counter::Tn {
        let line = outcome.transactions.iter().find(|transactions| transactions.sender == args.sender);
        return match line.and_then(|line| Some((line, outcome.audit.of_transactions(line.side)?))) {
            Some((line, settings)) => truthful::missing_numbers(&line.line, window, &settings),
            None => truthful::MissingNumbers::NoData,
        };
    }
    let link = outcome.links.iter().find(|link| link.sender == args.sender && link.recipient == args.recipient);
    let Some(link) = link else { return truthful::MissingNumbers::NoData };
    if counter == Counter::Sis {
        return truthful::missing_numbers(&link.state.interchanges, window, &outcome.audit.interchanges);
    }
    truthful::missing_numbers(&link.state.messages, window, &outcome.audit.messages)
}

/// Prints what the query gave: a row, no row, or its error.
fn as_the_query(answer: &compatible::MissingNumbers) -> Result<(), Failure> {
    match answer {
        compatible::MissingNumbers::NoRow => Ok(()),
        compatible::MissingNumbers::Numbers(ranges) => {
            let numbers: Vec<u64> = ranges.iter().flat_map(|range| range.from..=range.to).collect();
            println!("{}", json!({ "_id": null, "missingNumbers": numbers }));
            Err(Failure::Findings)
        }
        compatible::MissingNumbers::NoNumber => {
            let why = "no document in the window has the number, or the field is none";
            Err(Failure::Other(format!("the query fails (error 34443): {why}")))
        }
        compatible::MissingNumbers::TooMany { span } => Err(Failure::Other(format!(
            "the query fails: {span} numbers lie between the smallest and the largest, more than $range makes"
        ))),
        compatible::MissingNumbers::TooLong { missing } => Err(Failure::Other(format!(
            "the query fails: {missing} numbers are missing, and its one result would be longer than 16 MiB"
        ))),
    }
}

/// Which messages have no receipt.
pub fn missing_receipts(args: &MissingReceiptsArgs) -> Result<(), Failure> {
    if args.window.compatible {
        return documents_without_receipt(args);
    }
    let outcome = Asked::read(&args.window)?.audited()?;
    let (sender, recipient) = (args.sender.as_deref(), args.recipient.as_deref());
    let is_asked = |key: &MessageKey| {
        sender.is_none_or(|sender| key.sender == sender) && recipient.is_none_or(|recipient| key.recipient == recipient)
    };
    let messages = outcome.messages.iter().map(|message| (&message.key, &message.receipts));
    let mut found = truthful::missing_receipts(messages, window_of(&args.window));
    found.retain(|key| is_asked(key));
    if found.is_empty() {
        let window = window_of(&args.window);
        let has_data = |link: &KeptLink| {
            let answer = truthful::missing_numbers(&link.state.messages, window, &outcome.audit.messages);
            answer != truthful::MissingNumbers::NoData
        };
        let any = outcome.links.iter().any(|link| {
            link.state.receipts.expected > 0
                && sender.is_none_or(|sender| link.sender == sender)
                && recipient.is_none_or(|recipient| link.recipient == recipient)
                && has_data(link)
        });
        return if any {
            answer(args.window.json, "none-missing", &[], "none missing: no message of that time is without a receipt")
        } else {
            answer(
                args.window.json,
                "no-data",
                &[],
                "no data: no message of that time was seen that a receipt is due for",
            )
        };
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|key| {
            json!({
                "sender": key.sender, "recipient": key.recipient, "interchange": key.interchange, "message": key.message,
            })
        })
        .collect();
    let lines: Vec<String> = found
        .iter()
        .map(|key| {
            let MessageKey { sender, recipient, interchange, message } = key;
            format!("{sender} to {recipient}: interchange {interchange}, message {message}")
        })
        .collect();
    answer(args.window.json, "missing", &rows, &lines.join("\n"))?;
    Err(Failure::Findings)
}

/// Prints what the query gave: whole documents, each as its export has it.
fn documents_without_receipt(args: &MissingReceiptsArgs) -> Result<(), Failure> {
    let WindowArgs { from, to, .. } = args.window;
    let (sender, recipient) = (args.sender.as_deref(), args.recipient.as_deref());
    let question = compatible::Question { from, to, sender, recipient };
    let release = match args.release {
        ReleaseName::Early => compatible::Release::Early,
        ReleaseName::Current => compatible::Release::Current,
    };
    let mut found = Vec::new();
    read(&args.window, |document, line| {
        if compatible::is_missing_receipt(&document, release, &question) {
            found.extend_from_slice(line);
            found.push(b'\n');
        }
    })?;
    io::stdout().write_all(&found).map_err(|e| Failure::other("printing the documents", e))?;
    if found.is_empty() { Ok(()) } else { Err(Failure::Findings) }
}

/// What must be entered again when interchanges are lost at their recipient.
pub fn operations(args: &OperationsArgs) -> Result<(), Failure> {
    let mut all = Vec::new();
    for path in files(&args.files)? {
        all.extend(documents(&path)?);
    }
    let (sender, recipient) = (&args.sender, &args.recipient);
    let rows: Vec<Value> = if args.compatible {
        let found = compatible::operations(&all, sender, recipient, i64::from(args.from), i64::from(args.to));
        found.into_iter().map(|(interchange, operation)| row(interchange, operation)).collect()
    } else {
        let range = NumberRange { from: u64::from(args.from), to: u64::from(args.to) };
        let found = truthful::operations(&all, sender, recipient, range, Circle::REFERENCES);
        found.into_iter().map(|(interchange, operation)| row(interchange, Some(operation))).collect()
    };
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

fn row(interchange: impl Into<Value>, operation: Option<&str>) -> Value {
    json!({ "intSeq": interchange.into(), "operationId": operation })
}

fn answer(as_json: bool, word: &str, missing: &[Value], text: &str) -> Result<(), Failure> {
    if as_json {
        println!("{}", json!({ "answer": word, "missing": missing }));
    } else {
        println!("{text}");
    }
    Ok(())
}
