//! What each answer of Kafka means for the caller.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::super::{LogError, LogErrorKind as Kind};
use super::raw::TransactionFailure;

const CLOCK_AHEAD: &str = "the clock of this machine is ahead of the brokers' by more than message.timestamp.after.max.ms of \
                           the topic: set it right";

/// Codes that say more than "it failed": what to do about each, and what to tell the operator.
const TABLE: &[(Code, Kind, &str)] = &[
    (Code::UnknownTopic, Kind::UnknownTopic, "create the topic, or correct its name"),
    (Code::UnknownPartition, Kind::UnknownTopic, "the topic has fewer partitions than the topology expects"),
    (Code::UnknownTopicOrPartition, Kind::UnknownTopic, "create the topic, or correct its name or partition count"),
    (Code::InvalidTopic, Kind::Fatal, "correct the topic's name"),
    (
        Code::MessageSizeTooLarge,
        Kind::TooLarge,
        "raise max.message.bytes of the topic, or lower the largest record size",
    ),
    (
        Code::InvalidMessageSize,
        Kind::TooLarge,
        "raise max.message.bytes of the topic, or lower the largest record size",
    ),
    (Code::InvalidTimestamp, Kind::Fatal, CLOCK_AHEAD),
    // Of several records in one request the client says only that they are invalid. No other cause is left: outputs have keys.
    (Code::InvalidRecord, Kind::Fatal, CLOCK_AHEAD),
    (Code::UnsupportedAssignor, Kind::Fatal, "the brokers must offer the assignor `range` (group.consumer.assignors)"),
    (
        Code::UnsupportedVersion,
        Kind::Fatal,
        "the brokers are too old for this protocol: set the group protocol to classic",
    ),
    (
        Code::UnsupportedFeature,
        Kind::Fatal,
        "the brokers are too old for this protocol: set the group protocol to classic",
    ),
    (
        Code::FencedInstanceId,
        Kind::Fatal,
        "another process runs with the same instance name: give each its own; after a restart it may be the brokers' memory of the \
         process before: start again",
    ),
    (
        Code::InconsistentGroupProtocol,
        Kind::Fatal,
        "other members of the group use another protocol or assignor: use one for all",
    ),
    (
        Code::InvalidSessionTimeout,
        Kind::Fatal,
        "keep the session time-out within group.min/max.session.timeout.ms of the brokers",
    ),
    (
        Code::InvalidTransactionTimeout,
        Kind::Fatal,
        "keep the transaction time-out below transaction.max.timeout.ms of the brokers",
    ),
    (Code::TopicAuthorizationFailed, Kind::Fatal, "allow this user the topic"),
    (Code::GroupAuthorizationFailed, Kind::Fatal, "allow this user the group"),
    (Code::ClusterAuthorizationFailed, Kind::Fatal, "allow this user idempotent writes"),
    (Code::TransactionalIdAuthorizationFailed, Kind::Fatal, "allow this user the transactional id"),
    (Code::Authentication, Kind::Fatal, "check the security properties of the client"),
    (Code::SaslAuthenticationFailed, Kind::Fatal, "check user name and password of the client"),
    (Code::InvalidArgument, Kind::Fatal, "a setting or an argument is out of range"),
    (Code::InvalidConfig, Kind::Fatal, "a topic setting is unknown or out of range"),
    (Code::InvalidReplicationFactor, Kind::Fatal, "ask for no more copies than there are brokers"),
    (Code::InvalidPartitions, Kind::Fatal, "ask for at least one partition"),
    (Code::PolicyViolation, Kind::Fatal, "a policy of the cluster forbids it"),
    (Code::UnknownMemberId, Kind::NotMember, "the group has given the partitions to others"),
    (Code::IllegalGeneration, Kind::NotMember, "the group has given the partitions to others"),
    (Code::StaleMemberEpoch, Kind::NotMember, "the group has moved on"),
    (Code::FencedMemberEpoch, Kind::NotMember, "the group has given the partitions to others"),
    (Code::AssignmentLost, Kind::NotMember, "the group has given the partitions to others"),
    (Code::Fatal, Kind::Rebuild, "a new client is needed"),
    (Code::Fenced, Kind::Rebuild, "a newer producer has the same transactional id"),
    (Code::ProducerFenced, Kind::Rebuild, "a newer producer has the same transactional id"),
    (Code::InvalidProducerEpoch, Kind::Rebuild, "a newer producer has the same transactional id"),
];

/// The meaning of a code outside the transactional calls. What the table does not name is a cluster that cannot be
/// reached or is not ready, and passes.
pub(super) fn kind_of(code: Code) -> Kind {
    TABLE.iter().find(|(known, ..)| *known == code).map_or(Kind::Unavailable, |(_, kind, _)| *kind)
}

/// `attempt` failed with `code`.
pub(super) fn error_of(attempt: &str, code: Code) -> LogError {
    let (kind, remedy) = TABLE
        .iter()
        .find(|(known, ..)| *known == code)
        .map_or((Kind::Unavailable, None), |(_, kind, remedy)| (*kind, Some(*remedy)));
    match remedy {
        Some(remedy) => LogError::new(kind, format!("{attempt}: Kafka answered {code:?}: {remedy}")),
        None => LogError::new(kind, format!("{attempt}: Kafka answered {code:?}")),
    }
}

/// `attempt` failed in the client.
pub(super) fn client_error(attempt: &str, error: &KafkaError) -> LogError {
    match error {
        KafkaError::ClientConfig(_, description, key, value) => LogError::new(
            Kind::Fatal,
            // The value of a security property stays out of the log.
            if super::settings::may_be_shown(key) {
                format!("{attempt}: client property `{key}`: {description} (value `{value}`)")
            } else {
                format!("{attempt}: client property `{key}`: {description}")
            },
        ),
        KafkaError::ClientCreation(text) => LogError::new(Kind::Fatal, format!("{attempt}: {text}")),
        other => match other.rdkafka_error_code() {
            Some(code) => error_of(attempt, code),
            None => LogError::new(Kind::Fatal, format!("{attempt}: {other}")),
        },
    }
}

/// The meaning of a failed transactional call, in the order that matters: what the client calls fatal needs a new
/// producer, even if it could be aborted or repeated too; what it neither calls fatal, nor asks to abort, nor lets be
/// repeated, is unknown.
pub(super) fn transaction_error(attempt: &str, failure: &TransactionFailure) -> LogError {
    let kind = if failure.fatal {
        Kind::Rebuild
    } else if failure.must_abort {
        Kind::MustAbort
    } else if failure.retriable {
        Kind::Retriable
    } else {
        Kind::Rebuild
    };
    LogError::new(kind, format!("{attempt}: Kafka answered {:?}: {}", failure.code, failure.message))
}

/// Whether an error that a consumer reports is news about the cluster, which the client mends by itself.
pub(super) fn passes_by_itself(code: Code) -> bool {
    kind_of(code) == Kind::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(fatal: bool, must_abort: bool, retriable: bool) -> Kind {
        let failure = TransactionFailure { code: Code::Fenced, message: String::new(), fatal, must_abort, retriable };
        transaction_error("commit", &failure).kind
    }

    #[test]
    fn fatal_goes_before_abort_and_abort_before_retry_and_the_rest_is_unknown() {
        assert_eq!(failure(true, true, true), Kind::Rebuild);
        assert_eq!(failure(false, true, true), Kind::MustAbort);
        assert_eq!(failure(false, false, true), Kind::Retriable);
        assert_eq!(failure(false, false, false), Kind::Rebuild);
    }

    #[test]
    fn brokers_that_are_down_are_news_and_a_refused_user_is_not() {
        assert!(passes_by_itself(Code::AllBrokersDown));
        assert!(passes_by_itself(Code::BrokerTransportFailure));
        assert!(!passes_by_itself(Code::TopicAuthorizationFailed));
        assert!(!passes_by_itself(Code::UnsupportedAssignor));
    }

    #[test]
    fn an_error_says_what_was_attempted_and_what_to_do() {
        let error = error_of("subscribe to a.b", Code::UnknownTopicOrPartition);
        assert_eq!(error.kind, Kind::UnknownTopic);
        assert!(error.message.contains("subscribe to a.b") && error.message.contains("create the topic"));
    }
}
