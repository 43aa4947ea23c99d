//! How fast state comes back: all of it from the changelog, and after a crash with the disk at hand.

mod bare;
mod full;
mod kills;

use serde_json::json;

use crate::Result;
use crate::stage::{Stage, StageOptions};

/// Full restore beside a bare read of the same changelog, and the restart after kill -9
///
/// Full restore: W2 has loaded its reference; its state is deleted, and it starts again. The rate is of the replay alone,
/// beside that of a bare reader of the same changelog: in batches through the engine's client, and record by record through
/// the client of the harness. As many threads read as the arm has workers.
///
/// Restart: W2 with so much state is fed at a steady rate, killed, and started again at once. Told are the seconds from the
/// kill to the first committed output, and its parts: join the group (in the place of the dead member), open the databases,
/// fence the dead producer, read the positions, replay the changelogs. Behind it all the output is held against what the
/// generator expects.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Keys of the full restore [default: 1000000]
    #[arg(long)]
    keys: Option<u64>,
    /// Full restores, and bare reads [default: 3]
    #[arg(long)]
    repeats: Option<usize>,
    /// State on the disk when the arm is killed [default: 1024]
    #[arg(long)]
    kill_state_mib: Option<u64>,
    /// How often it is killed [default: 5]
    #[arg(long)]
    kills: Option<usize>,
    /// Records a second while it is killed
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    /// Threads of the arm
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Memory budget; half of it is for RocksDB
    #[arg(long, default_value_t = 512)]
    memory_mib: usize,
}

pub fn run(options: &Options) -> Result<()> {
    let mut stage = Stage::new(&options.stage)?;
    let keys = options.stage.size(options.keys, 1_000_000, 50_000);
    let repeats = options.stage.size(options.repeats, 3, 1);
    let state_mib = options.stage.size(options.kill_state_mib, 1_024, 16);
    let kills = options.stage.size(options.kills, 5, 2);
    let mut figures = serde_json::Map::new();
    if repeats > 0 {
        let restored = full::measure(&mut stage, options, keys, repeats)?;
        restored.print();
        figures.insert("full".to_owned(), restored.to_json());
    }
    if kills > 0 {
        let killed = kills::measure(&mut stage, options, state_mib, kills)?;
        killed.print();
        figures.insert("kill".to_owned(), killed.to_json());
    }
    if options.stage.json {
        println!("{}", json!(figures));
    }
    Ok(())
}
