//! The arguments of `concord rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use concord_flows::list_reconciliation::business::Reading;

use super::ProfileName;

/// `concord rules`
#[derive(Subcommand)]
pub enum RulesCommand {
    /// Every rule of both sets: differences that a person looks at, and business rules that decide.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// One rule.
    #[command(after_help = "Example:\n  concord rules explain BR-SN-04")]
    Explain {
        /// Such as BR-SN-04.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Try every rule on one pair of records: what it compared, and why it fired or did not.
    #[command(
        after_help = "FILE is JSON. The records have the fields that the topics have (gp.records, pds.record); all may be \
        left out. PDS may also be a FHIR R4 Patient. practice, region and date say which switches hold.\n\n  \
        {\"practice\": \"A82023\", \"region\": \"LNA\", \"date\": \"2021-08-10\",\n   \
        \"gp\": {\"forenames\": \"ANGELA\", \"surname\": \"KEW-JONES\", \"sex\": 2, \"date_of_birth\": \"19800229\"},\n   \
        \"pds\": {\"forenames\": [\"Angela\"], \"surname\": \"Kew Jones\", \"gender\": \"female\", \"date_of_birth\": \"1980-02-29\"}}\n\n\
        Example:\n  concord rules test pair.json --config concord.toml"
    )]
    Test(RulesTestArgs),
}

/// `concord rules test`
#[derive(Args)]
pub struct RulesTestArgs {
    /// Both records, and where they are from.
    pub file: PathBuf,
    /// Configuration file (TOML), for its switches; without it both sets of rules hold everywhere.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Which source of the business rules is followed where they contradict each other; that of the configuration, if not given.
    #[arg(long, value_enum)]
    pub reading: Option<ReadingName>,
    /// Corrected rules, or those of the earlier implementation; those of the configuration, if not given.
    #[arg(long, value_enum)]
    pub profile: Option<ProfileName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Names of the readings of the business rules.
#[derive(Clone, Copy, ValueEnum)]
pub enum ReadingName {
    /// The specification; the prototype where the specification is silent.
    Specification,
    /// The prototype of the name rules.
    Prototype,
}

impl From<ReadingName> for Reading {
    fn from(name: ReadingName) -> Self {
        match name {
            ReadingName::Specification => Self::Specification,
            ReadingName::Prototype => Self::Prototype,
        }
    }
}
