//! Reading topics while a broker comes and goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::topics::Topics;

const RECORDS: usize = 3;
/// Long enough for the client to find that it has no broker left, and to say so.
const AWAY: Duration = Duration::from_secs(1);

/// A real broker cannot be told to go away in the middle of one client's reading; the client library's own one can.
#[test]
fn a_topic_is_read_to_its_ends_though_the_broker_goes_away_for_a_moment() {
    let broker = MockCluster::new(1).expect("a broker is made");
    broker.create_topic("letters", 2, 1).expect("a topic is made");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    let producer: BaseProducer = config.create().expect("a producer is made");
    for _ in 0..RECORDS {
        producer.send(BaseRecord::to("letters").partition(0).key("1").payload("a")).expect("a record is sent");
    }
    producer.flush(30 * AWAY).expect("the records are written");

    let topics = Topics::of(&broker.bootstrap_servers(), &BTreeMap::new()).expect("clients are made");
    let mut read = 0;
    let outcome = topics.each("letters", &mut |_| {
        if read == 0 {
            broker.broker_down(1).map_err(|e| e.to_string())?;
            std::thread::sleep(AWAY);
            broker.broker_up(1).map_err(|e| e.to_string())?;
        }
        read += 1;
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(read, RECORDS);
}
