//! What is measured of Concord on a broker, each by one command: `scripts/bench.sh SUBCOMMAND` builds what it needs, starts a
//! broker and runs it. `--help` of each says what it measures, and how.

mod arms;
mod audit;
mod broker;
mod compare;
mod documents;
mod figures;
mod inputs;
mod memory;
mod metrics_page;
mod pass_through;
mod process;
mod program;
mod reconciliation;
mod restore;
mod soak;
mod stage;

use std::process::ExitCode;

use arms::{ArmSettings, concord as arm_s, pass_through as arm_p};
use clap::Parser;
use reconciliation::{changes, england, flow, night};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Benches that need a broker. The script starts one and removes it afterwards.
#[derive(Parser)]
#[command(name = "scripts/bench.sh", bin_name = "scripts/bench.sh")]
enum Bench {
    Compare(compare::Options),
    Flow(flow::Options),
    Restore(restore::Options),
    Memory(memory::Options),
    Soak(soak::Options),
    England(england::Options),
    Changes(changes::Options),
    Night(night::Options),
    Audit(audit::Options),
    Documents(documents::Options),
}

fn main() -> ExitCode {
    // Its users know the program as the script that builds it.
    let given = std::env::args().skip(1).filter(|a| a != "--bench");
    let arguments: Vec<String> = std::iter::once("scripts/bench.sh".to_owned()).chain(given).collect();
    let outcome = match arguments.get(1).map(String::as_str) {
        None => {
            println!("SKIPPED: benches on a broker are run by scripts/bench.sh");
            Ok(())
        }
        // A program that is measured, started by this one.
        Some("arm-s") => ArmSettings::from_arguments(&arguments).and_then(|settings| arm_s::run(&settings)),
        Some("arm-p") => ArmSettings::from_arguments(&arguments).and_then(|settings| arm_p::run(&settings)),
        Some(_) => match Bench::parse_from(&arguments) {
            Bench::Compare(options) => compare::run(&options),
            Bench::Flow(options) => flow::run(&options),
            Bench::Restore(options) => restore::run(&options),
            Bench::Memory(options) => memory::run(&options),
            Bench::Soak(options) => soak::run(&options),
            Bench::England(options) => england::run(&options),
            Bench::Changes(options) => changes::run(&options),
            Bench::Night(options) => night::run(&options),
            Bench::Audit(options) => audit::run(&options),
            Bench::Documents(options) => documents::run(&options),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
