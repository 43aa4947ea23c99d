//! `concord audit`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

/// `concord audit`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct AuditArgs {
    /// Another question than the whole audit.
    #[command(subcommand)]
    pub question: Option<AuditQuestion>,
    #[command(flatten)]
    pub files: Option<AuditFilesArgs>,
}

/// The whole audit of files.
#[derive(Args)]
pub struct AuditFilesArgs {
    /// Interchanges, one or more in a file; of a folder all files in it and below.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// The numbers used last before these files: the collection outboundSequenceId of the earlier adaptor as JSON Lines.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What came before these files: inboundState or outboundState of the earlier adaptor as JSON Lines.
    #[arg(long, value_name = "FILE")]
    pub history: Vec<PathBuf>,
    /// How long a number may come behind one that follows it, such as 1h or 30m.
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub grace: SignedDuration,
    /// How long a message may be without a receipt.
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = duration)]
    pub receipts_within: SignedDuration,
    /// After how long without an interchange a link is silent; links may be silent, if not given.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub silence: Option<SignedDuration>,
    /// Leave the transaction numbers of Health Authorities out: whom these are numbered for is not proven.
    #[arg(long)]
    pub no_authority_transactions: bool,
    /// The time of the audit, such as 2020-06-12T08:00:00Z; now, if not given. What was prepared later counts as come then.
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// Print links and findings as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Where the summary and the findings are written.
    #[arg(long)]
    pub out: PathBuf,
}

/// Other questions.
#[derive(Subcommand)]
pub enum AuditQuestion {
    /// Make a month of traffic with faults, audit it, and show what is found against what was planted.
    #[command(after_help = "Example:\n  concord audit demo --out /tmp/audit")]
    Demo(AuditDemoArgs),
    /// What a practice must enter again when a Health Authority has lost a range of interchanges, one JSON object a line.
    #[command(
        after_help = "Example:\n  concord audit operations outboundState.json --sender TES5 --recipient XX11 --from 41 --to 44"
    )]
    Operations(OperationsArgs),
    /// Say why numbers are missing, or why no receipt will come: the finding then stands as explained.
    #[command(
        after_help = "Example:\n  concord audit explain --sender TES5 --recipient XX11 --field intSeq --from 41 --to 42 \
        --by \"A. Operator\" --reason \"burnt by a failed save\" --config concord.toml"
    )]
    Explain(AuditExplainArgs),
    /// Which numbers are missing between one sender and one recipient.
    #[command(
        after_help = "Example:\n  concord audit missing-numbers outboundState.json --sender TES5 --recipient XX11 \
        --from 2020-01-01T00:00:00Z --to 2020-02-01T00:00:00Z --field intSeq\n\n\
        Exit codes: 0 nothing is missing (it says whether there is data), 1 failed, 2 usage, 4 numbers are missing"
    )]
    MissingNumbers(MissingNumbersArgs),
    /// Which messages have no receipt.
    #[command(
        after_help = "Example:\n  concord audit missing-receipts outboundState.json --from 2020-01-01T00:00:00Z \
        --to 2020-02-01T00:00:00Z\n\n\
        Exit codes: 0 none is missing (it says whether there is data), 1 failed, 2 usage, 4 receipts are missing"
    )]
    MissingReceipts(MissingReceiptsArgs),
}

/// `concord audit operations`
#[derive(Args)]
pub struct OperationsArgs {
    /// Exports of outboundState (JSON Lines).
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Link code of the sender, such as TES5.
    #[arg(long)]
    pub sender: String,
    /// Link code of the recipient, such as XX11.
    #[arg(long)]
    pub recipient: String,
    /// The first interchange.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub from: u32,
    /// The last one, in the order of the line, which goes on at 1 behind its largest.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub to: u32,
    /// Answer as the earlier query did: receipts too, and nothing over the end of the numbers.
    #[arg(long)]
    pub compatible: bool,
}

/// `concord audit explain`
#[derive(Args)]
pub struct AuditExplainArgs {
    /// Link code of the sender, such as TES5.
    #[arg(long)]
    pub sender: String,
    /// Link code of the recipient; none for transactions, which are numbered over all recipients.
    #[arg(long)]
    pub recipient: Option<String>,
    /// Which numbers.
    #[arg(long, value_enum)]
    pub field: FieldName,
    /// The first number; for receipts the first message, or interchange.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub from: u32,
    /// The last number, in the order of the line; the same as the first, if not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub to: Option<u32>,
    /// No receipt will come for the messages of this interchange, one came for nothing, or what it refuses was corrected. With --field
    /// intSeq and without a value: the same of the interchanges as wholes.
    #[arg(long, value_name = "INTERCHANGE", num_args = 0..=1, value_parser = clap::value_parser!(u32).range(1..))]
    pub receipt: Option<Option<u32>>,
    /// Who says it.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord audit demo`
#[derive(Args)]
pub struct AuditDemoArgs {
    /// Directions on which registrations are sent; their answers come back on as many.
    #[arg(long, default_value_t = 200)]
    pub links: u32,
    /// The same seed makes the same traffic.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where input and output are written.
    #[arg(long, default_value = "concord-audit-demo")]
    pub out: PathBuf,
}

/// What both questions of the earlier way have.
#[derive(Args)]
pub struct WindowArgs {
    /// Exports of inboundState or outboundState (JSON Lines), or interchanges; of a folder all files in it and below.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// From this time on, such as 2020-01-01T00:00:00Z. In the compatible form the time itself is outside.
    #[arg(long)]
    pub from: Timestamp,
    /// Up to this time, which is outside.
    #[arg(long)]
    pub to: Timestamp,
    /// Answer as the earlier query did, quirks included; from exports only.
    #[arg(long)]
    pub compatible: bool,
    /// Of exports only those of this collection, which the names of their files must tell. A query was of one.
    #[arg(long, value_enum)]
    pub side: Option<SideName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `concord audit missing-numbers`
#[derive(Args)]
pub struct MissingNumbersArgs {
    #[command(flatten)]
    pub window: WindowArgs,
    /// Link code of the sender, such as TES5.
    #[arg(long)]
    pub sender: String,
    /// Link code of the recipient, such as XX11.
    #[arg(long)]
    pub recipient: String,
    /// Which numbers.
    #[arg(long, value_enum)]
    pub field: QueryFieldName,
}

/// `concord audit missing-receipts`
#[derive(Args)]
pub struct MissingReceiptsArgs {
    #[command(flatten)]
    pub window: WindowArgs,
    /// Link code of the sender; all, if not given.
    #[arg(long)]
    pub sender: Option<String>,
    /// Link code of the recipient; all, if not given.
    #[arg(long)]
    pub recipient: Option<String>,
    /// Of which release the query is, in the compatible form.
    #[arg(long, value_enum, default_value_t = ReleaseName::Early)]
    pub release: ReleaseName,
}

/// The collections of the earlier adaptor.
#[derive(Clone, Copy, ValueEnum)]
pub enum SideName {
    /// `inboundState`: what Health Authorities sent.
    Inbound,
    /// `outboundState`: what practices sent.
    Outbound,
}

/// Numbers, by the names of the earlier adaptor's fields.
#[derive(Clone, Copy, ValueEnum)]
pub enum FieldName {
    /// Interchanges.
    #[value(name = "intSeq", alias = "sis")]
    IntSeq,
    /// Messages.
    #[value(name = "msgSeq", alias = "sms")]
    MsgSeq,
    /// Transactions.
    #[value(name = "tn")]
    Tn,
}

/// What the earlier query could be asked of.
#[derive(Clone, Copy, ValueEnum)]
pub enum QueryFieldName {
    /// Interchanges.
    #[value(name = "intSeq", alias = "sis")]
    IntSeq,
    /// Messages.
    #[value(name = "msgSeq", alias = "sms")]
    MsgSeq,
    /// Transactions.
    #[value(name = "tn")]
    Tn,
    /// The time, of which the query failed; in the compatible form only.
    #[value(name = "translationTimestamp")]
    TranslationTimestamp,
}

/// Releases of the earlier adaptor, as far as their queries differ.
#[derive(Clone, Copy, ValueEnum)]
pub enum ReleaseName {
    /// Up to 1.3.1.
    Early,
    /// From 1.4.0.
    Current,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(duration) if !duration.is_negative() => Ok(duration),
        _ => Err("write it as a duration, such as 1h or 30m".to_owned()),
    }
}
