//! `concord audit missing-numbers` and `missing-receipts`: the questions of the earlier way, as they were answered and truly.

use std::fs;
use std::path::Path;

use concord_flows::sequence_audit::reports::{compatible, truthful};
use concord_flows::sequence_audit::{Circle, Counter, MessageKey, NumberRange};
use concord_schemas::gp_links::StateDocument;
use serde_json::{Value, json};

use super::sources::{Source, documents, files, holds_documents, read_documents};
use super::{Outcome, Request, report, run, settings};
use crate::cli::{
    FieldName, MissingNumbersArgs, MissingReceiptsArgs, OperationsArgs, ReleaseName, SideName, WindowArgs,
};
use crate::failure::Failure;

/// What was named: documents of the earlier adaptor, and interchanges.
#[derive(Default)]
struct Asked {
    documents: Vec<StateDocument>,
    sources: Vec<Source>,
}

impl Asked {
    fn read(window: &WindowArgs) -> Result<Self, Failure> {
        if window.from >= window.to {
            return Err(Failure::Usage("--from must be before --to".to_owned()));
        }
        let mut asked = Self::default();
        for path in files(&window.files)? {
            let name = path.display().to_string();
            let content = fs::read(&path).map_err(|e| Failure::other(format!("reading {name}"), e))?;
            if holds_documents(&content) {
                if let Some(side) = window.side
                    && !is_of(side, &name)?
                {
                    continue;
                }
                asked.documents.extend(read_documents(&name, &content[..])?);
            } else if window.compatible {
                return Err(Failure::Usage(format!(
                    "{name} is no export of inboundState or outboundState: the compatible form is of these only"
                )));
            } else {
                asked.sources.push(Source::of(name, content));
            }
        }
        Ok(asked)
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
    let asked = Asked::read(&args.window)?;
    let counter = match args.field {
        FieldName::IntSeq => Counter::Sis,
        FieldName::MsgSeq => Counter::Sms,
        FieldName::Tn => Counter::Tn,
    };
    if args.window.compatible {
        let question = compatible::Question {
            from: args.window.from,
            to: args.window.to,
            sender: Some(&args.sender),
            recipient: Some(&args.recipient),
        };
        return as_the_query(&compatible::missing_numbers(&asked.documents, counter, &question));
    }
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
            Err(Failure::Other("the query fails (error 34443): no document in the window has the number".to_owned()))
        }
        compatible::MissingNumbers::TooMany { span } => Err(Failure::Other(format!(
            "the query fails: {span} numbers lie between the smallest and the largest, more than $range makes"
        ))),
    }
}

/// Which messages have no receipt.
pub fn missing_receipts(args: &MissingReceiptsArgs) -> Result<(), Failure> {
    let asked = Asked::read(&args.window)?;
    let (sender, recipient) = (args.sender.as_deref(), args.recipient.as_deref());
    if args.window.compatible {
        let question = compatible::Question { from: args.window.from, to: args.window.to, sender, recipient };
        let release = match args.release {
            ReleaseName::Early => compatible::Release::Early,
            ReleaseName::Current => compatible::Release::Current,
        };
        let found = compatible::missing_receipts(&asked.documents, release, &question);
        for document in &found {
            println!(
                "{}",
                json!({
                    "sndr": document.sender,
                    "recip": document.recipient,
                    "intSeq": document.interchange,
                    "msgSeq": document.message,
                    "tn": document.transaction,
                    "operationId": document.operation_id,
                    "translationTimestamp": document.translated_at.map(|at| at.to_string()),
                })
            );
        }
        return if found.is_empty() { Ok(()) } else { Err(Failure::Findings) };
    }
    let outcome = asked.audited()?;
    let is_asked = |key: &MessageKey| {
        sender.is_none_or(|sender| key.sender == sender) && recipient.is_none_or(|recipient| key.recipient == recipient)
    };
    let messages = outcome.messages.iter().map(|message| (&message.key, &message.receipts));
    let mut found = truthful::missing_receipts(messages, window_of(&args.window));
    found.retain(|key| is_asked(key));
    if found.is_empty() {
        let any = outcome.links.iter().any(|link| {
            link.state.receipts.expected > 0
                && sender.is_none_or(|sender| link.sender == sender)
                && recipient.is_none_or(|recipient| link.recipient == recipient)
        });
        return if any {
            answer(args.window.json, "none-missing", &[], "none missing: no message of that time is without a receipt")
        } else {
            answer(args.window.json, "no-data", &[], "no data: no message was seen that a receipt is due for")
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
