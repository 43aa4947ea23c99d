//! Positions on their way into a transaction, with an end to the wait that the C client's own call has not: it waits for the
//! coordinator of the group for as long as that takes, whatever time it was given
//! (<https://github.com/confluentinc/librdkafka/issues/5456>).

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use rdkafka::TopicPartitionList;

use super::super::{LogError, LogErrorKind, LogResult};
use super::raw::{GroupMetadata, NativeProducer, TransactionFailure};

/// One call. It owns the producer meanwhile, since nobody may close a producer in which a call is under way.
struct Call {
    producer: NativeProducer,
    positions: TopicPartitionList,
    membership: GroupMetadata,
    timeout: Duration,
}

struct Answer {
    producer: NativeProducer,
    outcome: Result<(), TransactionFailure>,
}

/// A thread that makes these calls for one producer.
pub(super) struct PositionSender {
    calls: SyncSender<Call>,
    answers: Receiver<Answer>,
}

impl PositionSender {
    pub fn start() -> LogResult<Self> {
        let (calls, next) = mpsc::sync_channel::<Call>(1);
        // Handed over, not left: whoever does not wait any more leaves the producer here.
        let (answer, answers) = mpsc::sync_channel(0);
        let work = move || {
            for Call { producer, positions, membership, timeout } in next {
                let outcome = producer.send_offsets(&positions, &membership, timeout);
                if answer.send(Answer { producer, outcome }).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("send-positions".to_owned()).spawn(work);
        thread.map_err(|error| {
            LogError::new(LogErrorKind::Fatal, format!("start the thread that sends positions: {error}"))
        })?;
        Ok(Self { calls, answers })
    }

    /// Makes one call of at most `timeout`, which the client may not keep to, and waits for its end up to `patience`. `None` when it
    /// has not ended: the producer stays with the call and is closed behind it, and whoever comes next under its name fences it.
    pub fn send(
        &self,
        producer: NativeProducer,
        positions: &TopicPartitionList,
        membership: &GroupMetadata,
        timeout: Duration,
        patience: Duration,
    ) -> Option<(NativeProducer, Result<(), TransactionFailure>)> {
        let call = Call { producer, positions: positions.clone(), membership: membership.clone(), timeout };
        self.calls.send(call).ok()?;
        match self.answers.recv_timeout(patience) {
            Ok(Answer { producer, outcome }) => Some((producer, outcome)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}
