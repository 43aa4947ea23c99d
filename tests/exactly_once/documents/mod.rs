//! Patient documents under kills: each document is read once and each patient's record is what the documents say, whenever readers
//! and consolidations are cut off.

mod damages;
mod expected;
mod planned;
mod states;
mod verifier;
mod written;

use std::collections::BTreeMap;
use std::time::Duration;

use concord_connectors::connect::LogWriter;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_flows::patient_documents::topology::{DOCUMENT, DOCUMENT_EVENTS};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::patient_documents::Document;
use jiff::Timestamp;

use crate::instance::{APPLICATION, Instance};
use crate::stage::Stage;
use crate::{Outcome, Size, poll_until};
use planned::{Change, planned};

pub use damages::are_noticed;
pub use planned::Planned;
pub use verifier::verify;

const PATIENCE: Duration = Duration::from_secs(60);
/// Of the kills of list reconciliation, one in so many.
const KILLS_ONE_IN: u64 = 5;
const FEWEST_KILLS: u64 = 4;
/// Milliseconds in which documents are read, and then their patients are due: the instances wait a second for quiet.
const UNTIL_DUE_MS: (u64, u64) = (600, 2_000);

/// Instances are killed while they read, and while patients wait for quiet or are consolidated.
pub fn kill_instances(stage: &mut Stage, size: &Size) -> Outcome<String> {
    let kills = (size.kills / KILLS_ONE_IN).max(FEWEST_KILLS);
    let began_ms = Timestamp::now().as_millisecond();
    stage.documents = planned(kills, stage.seed, &mut stage.dice, began_ms)?;
    let rounds = std::mem::take(&mut stage.documents.rounds);
    let mut publishing = Publishing::to(&stage.broker.bootstrap)?;
    stage.start_both()?;
    let mut while_reading = 0;
    for (number, round) in rounds.iter().enumerate() {
        let victim = stage.dice.between(0, 2) as usize;
        stage.instances[victim].await_tasks(PATIENCE)?;
        let (before, behind) = round.split_at(round.len() / 2);
        publishing.publish(before)?;
        if number % 2 == 0 {
            // Whoever has read everything in the meantime is killed all the same.
            let reads = || Ok(stage.instances[victim].calls_in_flight() > 0);
            let _ = poll_until(Duration::from_secs(2), Duration::from_millis(2), reads);
            std::thread::sleep(Duration::from_millis(stage.dice.between(0, 100)));
        } else {
            std::thread::sleep(Duration::from_millis(stage.dice.between(UNTIL_DUE_MS.0, UNTIL_DUE_MS.1)));
        }
        while_reading += u64::from(stage.instances[victim].calls_in_flight() > 0);
        kill(stage, victim)?;
        publishing.publish(behind)?;
        stage.instances[victim].start()?;
        if stage.dice.between(0, 4) == 0 {
            std::thread::sleep(Duration::from_millis(stage.dice.between(0, 500)));
            kill(stage, victim)?;
            stage.instances[victim].start()?;
        }
    }
    come_to_rest(stage)?;
    let (kills, changes) = (stage.kills, stage.documents.changes);
    Ok(format!(
        "{kills} kills, {while_reading} of them while documents were read, {changes} uploads, edits and deletions"
    ))
}

fn kill(stage: &mut Stage, victim: usize) -> Outcome<()> {
    stage.instances[victim].kill()?;
    stage.kills += 1;
    Ok(())
}

/// Waits until everything is read and consolidated, and all of it is committed.
fn come_to_rest(stage: &mut Stage) -> Outcome<()> {
    let topology = (stage.flow.topology)()?;
    let events = format!("{APPLICATION}.{DOCUMENT_EVENTS}.repartition");
    poll_until(2 * PATIENCE, Duration::from_millis(250), || {
        stage.instances.iter_mut().try_for_each(Instance::check_alive)?;
        if stage.topics.lag(APPLICATION, DOCUMENT)? > 0 || !verifier::nothing_is_left(&stage.topics, &topology)? {
            return Ok(false);
        }
        // A position is seen before the records of its transaction.
        Ok(stage.topics.undecided(&events)?.is_empty()
            && stage.topics.lag(APPLICATION, &events)? == 0
            && verifier::nothing_is_left(&stage.topics, &topology)?)
    })
    .map_err(|e| format!("the documents are not all read and consolidated: {e}"))
}

/// Publishes documents as a connector would.
struct Publishing(LogWriter);

impl Publishing {
    fn to(bootstrap: &str) -> Outcome<Self> {
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.to_owned(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Classic,
        };
        let log = KafkaLog::connect(settings).map_err(|e| e.to_string())?;
        LogWriter::open(&log, &Schemas::bundled()).map(Self).map_err(|e| e.to_string())
    }

    fn publish(&mut self, changes: &[Change]) -> Outcome<()> {
        let now_ms = Timestamp::now().as_millisecond();
        for Change { document_id, upload } in changes {
            let document: Option<Document<'_>> = upload.as_ref().map(|upload| upload.document(document_id));
            self.0.send(&codec::DOCUMENT, document_id, document.as_ref(), now_ms).map_err(|e| e.to_string())?;
        }
        self.0.flush().map_err(|e| e.to_string())
    }
}
