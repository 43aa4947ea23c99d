//! Client properties: those the operator gives, and those the engine's guarantees rest on.

use std::collections::BTreeMap;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::super::{GroupSettings, Guarantee, Isolation, LogError, LogErrorKind, LogResult, ProducerSettings};

/// How workers join their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupProtocol {
    /// The protocol of brokers 4.0 and newer, which assign the partitions themselves.
    Consumer,
    /// The protocol of older brokers, where a member assigns the partitions.
    Classic,
    /// [`Self::Consumer`] where the brokers have it, else [`Self::Classic`].
    #[default]
    Auto,
}

/// How to reach a cluster.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// Further client properties by librdkafka's names, such as `security.protocol` or `sasl.username`. Those that the
    /// engine sets itself are refused.
    pub client: BTreeMap<String, String>,
    /// How workers join their group.
    pub protocol: GroupProtocol,
}

impl std::fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("bootstrap_servers", &self.bootstrap_servers)
            // Names only: values may be passwords.
            .field("client", &self.client.keys().collect::<Vec<_>>())
            .field("protocol", &self.protocol)
            .finish()
    }
}

/// Properties that the engine sets, since its guarantees or its memory budget rest on them.
const OURS: &[&str] = &[
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "isolation.level",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "session.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Bytes that a reader outside a group fetches ahead.
const READER_AHEAD_KBYTES: usize = 16 * 1024;
/// Room for what the client adds to a record, beyond the limit the engine checks itself.
const RECORD_OVERHEAD: usize = 1024;
/// The client's own bounds of `message.max.bytes`.
const SMALLEST_RECORD_LIMIT: usize = 1000;
const LARGEST_RECORD_LIMIT: usize = 1_000_000_000;

impl KafkaSettings {
    /// Refuses client properties that the engine sets itself.
    pub(super) fn check(&self) -> LogResult<()> {
        if self.bootstrap_servers.trim().is_empty() {
            return Err(LogError::new(LogErrorKind::Fatal, "bootstrap servers: give at least one as `host:port`"));
        }
        match self.client.keys().find(|key| OURS.contains(&key.as_str())) {
            Some(key) => Err(LogError::new(
                LogErrorKind::Fatal,
                format!("client property `{key}` is set by the engine: remove it from the client properties"),
            )),
            None => Ok(()),
        }
    }

    fn base(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        let detailed = self.client.contains_key("debug");
        config.set_log_level(if detailed { RDKafkaLogLevel::Debug } else { RDKafkaLogLevel::Info });
        config.set("socket.keepalive.enable", "true");
        // A cluster that was away may tell of no broker for a moment when it is back. The client then forgets those it knew, and by
        // its default begins anew with the bootstrap servers only after five minutes.
        config.set("metadata.recovery.rebootstrap.trigger.ms", "5000");
        for (key, value) in &self.client {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.bootstrap_servers);
        config
    }

    fn consumer(&self) -> ClientConfig {
        let mut config = self.base();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Never silently somewhere else: a position that does not exist is an event.
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("check.crcs", "true")
            // The default of a second would stall a partition that long whenever the queue was full.
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.error.backoff.ms", "100");
        config
    }

    /// A handle for questions to the cluster: it sees open transactions, so that its high watermark is the true end.
    pub(super) fn control(&self) -> ClientConfig {
        let mut config = self.consumer();
        config.set("isolation.level", "read_uncommitted");
        config
    }

    /// A member of a group.
    pub(super) fn group_consumer(&self, group: &GroupSettings, consumer_protocol: bool) -> ClientConfig {
        let mut config = self.consumer();
        config
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "false")
            .set("group.id", &group.group)
            .set("group.instance.id", &group.instance)
            .set("queued.min.messages", "10000")
            .set("queued.max.messages.kbytes", (group.fetch_ahead_bytes / 1024).clamp(1, 2_097_151).to_string())
            .set("fetch.message.max.bytes", group.fetch_ahead_bytes.clamp(64 * 1024, 1024 * 1024).to_string());
        if consumer_protocol {
            // The session time-out is the broker's (`group.consumer.session.timeout.ms`); the client refuses one of ours.
            config.set("group.protocol", "consumer").set("group.remote.assignor", "range");
        } else {
            let session_ms = group.session_timeout.as_millis();
            config
                .set("group.protocol", "classic")
                .set("partition.assignment.strategy", "range")
                .set("session.timeout.ms", session_ms.to_string())
                .set("heartbeat.interval.ms", (session_ms / 10).clamp(100, 3000).to_string())
                .set("max.poll.interval.ms", session_ms.max(300_000).to_string());
        }
        config
    }

    /// A reader outside any group. The client wants a group's name even so; it neither joins it nor commits to it.
    pub(super) fn reader(&self, isolation: Isolation) -> ClientConfig {
        let isolation = match isolation {
            Isolation::ReadCommitted => "read_committed",
            Isolation::ReadUncommitted => "read_uncommitted",
        };
        let mut config = self.consumer();
        config
            .set("isolation.level", isolation)
            .set("enable.partition.eof", "true")
            // The end of a partition is told with an answer of the broker only: by default an idle changelog is restored in half a second.
            .set("fetch.wait.max.ms", "10")
            .set("group.id", "concord-reader")
            .set("queued.min.messages", "100000")
            .set("queued.max.messages.kbytes", READER_AHEAD_KBYTES.to_string())
            .set("fetch.message.max.bytes", (8 * 1024 * 1024).to_string());
        config
    }

    fn producer(&self) -> ClientConfig {
        let mut config = self.base();
        config.set("enable.idempotence", "true").set("acks", "all");
        if !self.client.contains_key("compression.type") {
            config.set("compression.type", "lz4");
        }
        config
    }

    /// A worker's producer: transactional, or only idempotent.
    pub(super) fn worker_producer(&self, settings: &ProducerSettings) -> ClientConfig {
        let largest = (settings.max_record_bytes + RECORD_OVERHEAD).max(SMALLEST_RECORD_LIMIT);
        let timeout_ms = settings.transaction_timeout.as_millis().to_string();
        let mut config = self.producer();
        match settings.guarantee {
            Guarantee::ExactlyOnce => {
                config.set("transactional.id", &settings.transactional_id).set("transaction.timeout.ms", timeout_ms);
            }
            Guarantee::AtLeastOnce => {
                // No coordinator ends an attempt that hangs, so the client gives its records up.
                if !self.client.contains_key("message.timeout.ms") {
                    config.set("message.timeout.ms", timeout_ms);
                }
            }
        }
        config
            .set("linger.ms", linger_ms(settings.expected_partitions).to_string())
            // A longer queue makes a longer pause at the commit.
            .set("queue.buffering.max.messages", "20000")
            .set("queue.buffering.max.kbytes", (settings.queue_bytes / 1024).clamp(1, 2_147_483_647).to_string())
            .set("message.max.bytes", largest.to_string());
        config
    }

    /// An idempotent producer outside transactions.
    pub(super) fn publisher(&self) -> ClientConfig {
        let mut config = self.producer();
        config
            .set("linger.ms", "5")
            .set("queue.buffering.max.messages", "20000")
            // The topic says what is too large; by default the client refuses what a worker may write.
            .set("message.max.bytes", LARGEST_RECORD_LIMIT.to_string());
        config
    }
}

/// How long a batch may fill, by the number of partitions that share a transaction. It is longer than an answer of the broker
/// takes: a batch that is due while the one before it is under way keeps the client's thread polling without a pause, which cost
/// more than all else that the client did. A commit sends what has not been sent, however young. Longer still lengthens
/// that pause; but each batch is a request of its own, and with many partitions most of what the broker does is answering small ones: there
/// a batch fills from one commit to the next.
fn linger_ms(expected_partitions: usize) -> u32 {
    match expected_partitions {
        0..=32 => 25,
        _ => 100,
    }
}

/// Whether a property's value may appear in an error.
pub(super) fn may_be_shown(key: &str) -> bool {
    !(key.starts_with("sasl.") || key.starts_with("ssl.") || key.contains("password") || key.contains("secret"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn settings(client: &[(&str, &str)]) -> KafkaSettings {
        let client = client.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        KafkaSettings { bootstrap_servers: "localhost:9092".into(), client, protocol: GroupProtocol::Auto }
    }

    #[test]
    fn a_property_that_the_guarantees_rest_on_is_refused_by_name() {
        let error = settings(&[("enable.auto.commit", "true")]).check().unwrap_err();
        assert_eq!(error.kind, LogErrorKind::Fatal);
        assert!(error.message.contains("enable.auto.commit"), "{}", error.message);
        assert!(settings(&[("security.protocol", "ssl")]).check().is_ok());
    }

    #[test]
    fn printing_the_settings_shows_no_password() {
        let text = format!("{:?}", settings(&[("sasl.password", "swordfish")]));
        assert!(text.contains("sasl.password") && !text.contains("swordfish"));
    }

    #[test]
    fn a_producer_without_transactions_is_idempotent_and_gives_records_up_in_time() {
        let mut producer = ProducerSettings {
            guarantee: Guarantee::AtLeastOnce,
            transactional_id: "g-0-0".into(),
            transaction_timeout: std::time::Duration::from_secs(15),
            expected_partitions: 1,
            max_record_bytes: 1 << 20,
            queue_bytes: 1 << 20,
        };
        let plain = settings(&[]).worker_producer(&producer);
        assert_eq!((plain.get("transactional.id"), plain.get("enable.idempotence")), (None, Some("true")));
        assert_eq!(plain.get("message.timeout.ms"), Some("15000"));
        producer.guarantee = Guarantee::ExactlyOnce;
        assert_eq!(settings(&[]).worker_producer(&producer).get("transactional.id"), Some("g-0-0"));
    }

    #[test]
    fn a_publisher_refuses_nothing_that_a_worker_may_write() {
        let limit = |config: ClientConfig| config.get("message.max.bytes").unwrap().parse::<usize>().unwrap();
        assert_eq!(limit(settings(&[]).publisher()), LARGEST_RECORD_LIMIT);
    }

    #[test]
    fn more_partitions_linger_longer() {
        assert_eq!([linger_ms(1), linger_ms(32), linger_ms(33), linger_ms(1000)], [25, 25, 100, 100]);
    }

    #[test]
    fn the_new_protocol_carries_no_session_time_out_which_the_client_would_refuse() {
        let group = GroupSettings {
            group: "g".into(),
            instance: "g-0-0".into(),
            topics: Vec::new(),
            session_timeout: std::time::Duration::from_secs(30),
            fetch_ahead_bytes: 1 << 24,
        };
        let new = settings(&[]).group_consumer(&group, true);
        assert_eq!((new.get("session.timeout.ms"), new.get("group.remote.assignor")), (None, Some("range")));
        let classic = settings(&[]).group_consumer(&group, false);
        assert_eq!(classic.get("session.timeout.ms"), Some("30000"));
        assert_eq!(classic.get("partition.assignment.strategy"), Some("range"));
    }
}
