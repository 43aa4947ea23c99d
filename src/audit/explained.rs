//! `concord audit explain`: what an operator knows of missing numbers, or of a receipt that will not come.

use concord_connectors::connect::{LogWriter, WriteError};
use concord_flows::sequence_audit::{Circle, MOST_RECEIPTS, link_key};
use concord_schemas::codec;
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};
use jiff::Timestamp;

use crate::cli::{AuditExplainArgs, FieldName};
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;

/// Publishes the command. What comes of it stands on the topic of findings.
///
/// # Errors
/// The cluster cannot be reached, or what is said is about no line.
pub fn explain(args: &AuditExplainArgs) -> Result<(), Failure> {
    let (counter, recipient) = match (args.field, &args.recipient) {
        (FieldName::Tn, None) => ("tn", ""),
        (FieldName::IntSeq, Some(recipient)) => ("sis", recipient.as_str()),
        (FieldName::MsgSeq, Some(recipient)) => ("sms", recipient.as_str()),
        (FieldName::Tn, Some(_)) => {
            return Err(Failure::Usage("transactions are numbered over all recipients: leave --recipient out".into()));
        }
        (_, None) => return Err(Failure::Usage("name the recipient of the link with --recipient".into())),
    };
    let interchange = match (args.receipt, counter) {
        (None, _) | (Some(None), "sis") => None,
        (Some(Some(interchange)), "sms") => Some(i64::from(interchange)),
        (Some(_), _) => {
            let remedy = "a receipt is of messages, --field msgSeq --receipt INTERCHANGE, or of interchanges as wholes, \
                          --field intSeq --receipt";
            return Err(Failure::Usage(remedy.into()));
        }
    };
    let (from, to) = (args.from, args.to.unwrap_or(args.from));
    // The numbers that a line has, and how many can be missing, the flow checks: these are those that no line has.
    if [from, to].iter().any(|&number| !Circle::REFERENCES.contains(u64::from(number))) {
        return Err(Failure::Usage("the largest number of any line is 99999999".into()));
    }
    if args.receipt.is_some() && !(from..from.saturating_add(MOST_RECEIPTS)).contains(&to) {
        return Err(Failure::Usage(format!(
            "of receipts --to is not before --from, and they are {MOST_RECEIPTS} at most"
        )));
    }
    let command = AuditCommand {
        action: if args.receipt.is_some() { AuditAction::ExplainReceipt } else { AuditAction::ExplainNumbers },
        sender: &args.sender,
        recipient,
        counter,
        from: i64::from(from),
        to: i64::from(to),
        interchange,
        by: &args.by,
        reason: &args.reason,
        at_ms: Timestamp::now().as_millisecond(),
    };
    let key = if recipient.is_empty() { args.sender.clone() } else { link_key(&args.sender, recipient) };
    let config = Config::read(&args.config)?;
    let log = cluster::connect(&config)?;
    let failed = |error: WriteError| match error {
        WriteError::NoTopic(_) => Failure::Usage(error.to_string()),
        WriteError::Codec(_) | WriteError::Log(_) => Failure::Other(error.to_string()),
    };
    let mut writer = LogWriter::open(&log, &cluster::schemas(&config)?).map_err(|e| failed(e.into()))?;
    writer.send(&codec::AUDIT_COMMAND, &key, Some(&command), command.at_ms).map_err(failed)?;
    writer.flush().map_err(failed)?;
    println!("said of {key}");
    Ok(())
}
