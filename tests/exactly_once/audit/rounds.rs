//! Generated traffic, cut into rounds whose interchanges may arrive in any order, and their way to the broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use concord_connectors::synthetic::{Delivery, LinkTraffic, LinkTrafficSettings};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, OutgoingRecord, Publisher};
use concord_engine::partitioner::partition_of;
use concord_flows::sequence_audit::Received;
use concord_flows::sequence_audit::topology::GP_LINKS_INTERCHANGE;
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Encoder};
use jiff::{SignedDuration, Timestamp};

use crate::{Outcome, PARTITIONS};

const PATIENCE: Duration = Duration::from_secs(30);
/// As the instances are set: so long that a round takes less than the time of its traffic, and no deadline comes too early.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// What arrives within so much may be processed in any order: a third of the grace period. What reveals that a number is
/// missing may be received as soon as that was sent (transactions are numbered over both links of a practice), and the number,
/// where it is only out of order, six tenths of the grace period later at most; the gap is confirmed by what is received a grace
/// period behind what revealed it. So four tenths of it lie between the two.
const ROUND_S: i64 = 100;
const PRACTICES: u32 = 60;
/// From here on there is a change of epoch with room for faults on either side.
const FEWEST_INTERCHANGES: u64 = 24;

/// Traffic of at least so many rounds.
pub fn traffic(rounds: u64, seed: u64, start: Timestamp) -> LinkTraffic {
    // A practice sends on each link four times in a grace period, which has three rounds.
    let interchanges = (rounds * 4 / 3 + 4).max(FEWEST_INTERCHANGES);
    LinkTraffic::generate(&LinkTrafficSettings {
        practices: PRACTICES,
        interchanges: u32::try_from(interchanges).unwrap_or(u32::MAX),
        seed,
        start,
        grace: GRACE,
        faults_per_mille: 25,
    })
}

/// Deliveries by their round; rounds in which nothing arrives are left out.
pub fn rounds(traffic: &LinkTraffic) -> Vec<Vec<&Delivery>> {
    let mut rounds: BTreeMap<i64, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &traffic.deliveries {
        rounds.entry(delivery.at.as_second() / ROUND_S).or_default().push(delivery);
    }
    rounds.into_values().collect()
}

/// Publishes interchanges as a connector would.
pub struct Publishing {
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
    topic: Arc<str>,
    number: u64,
    /// To each partition.
    sent: [i64; PARTITIONS as usize],
}

impl Publishing {
    pub fn to(bootstrap: &str) -> Outcome<Self> {
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.to_owned(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Classic,
        };
        let log = KafkaLog::connect(settings).map_err(|e| e.to_string())?;
        Ok(Self {
            publisher: log.publisher().map_err(|e| e.to_string())?,
            encoder: Schemas::bundled().encoder(),
            topic: Arc::from(GP_LINKS_INTERCHANGE),
            number: 0,
            sent: [0; PARTITIONS as usize],
        })
    }

    /// Records sent to each partition, which are the only ones there.
    pub fn sent(&self) -> [i64; PARTITIONS as usize] {
        self.sent
    }

    /// Each from a source of its own; received when the traffic says so, and written now, since brokers delete what is old.
    pub fn publish(&mut self, deliveries: &[&Delivery]) -> Outcome<()> {
        for delivery in deliveries {
            self.number += 1;
            let received = Received {
                source: &format!("mesh:{}", self.number),
                workflow_id: "",
                received_at_ms: delivery.at.as_millisecond(),
                content: delivery.text.as_bytes(),
            };
            let file_id = received.file_id();
            for piece in received.pieces(&file_id) {
                let mut value = Vec::new();
                self.encoder
                    .encode(&codec::GP_LINKS_INTERCHANGE, &piece, &mut value)
                    .map_err(|e| format!("encoding an interchange: {e}"))?;
                let partition = partition_of(file_id.as_bytes(), PARTITIONS);
                self.sent[partition as usize] += 1;
                let record = OutgoingRecord {
                    topic: &self.topic,
                    partition,
                    timestamp_ms: Timestamp::now().as_millisecond(),
                    key: Some(file_id.as_bytes()),
                    value: Some(&value),
                    headers: &[],
                };
                self.publisher.send(&record).map_err(|e| e.to_string())?;
            }
        }
        self.publisher.flush(PATIENCE).map_err(|e| e.to_string())
    }
}
