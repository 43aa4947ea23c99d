//! Time that passes only when somebody waits.

use std::sync::Mutex;
use std::time::Duration;

use concord_connectors::pds::api::ApiTime;
use jiff::Timestamp;

/// 2021-08-10 13:40:00 UTC
pub const START_SECOND: i64 = 1_628_602_800;

/// See the module. Two who wait at the same time wait side by side, not one after the other.
#[derive(Default)]
pub struct VirtualTime(Mutex<Duration>);

impl VirtualTime {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl ApiTime for VirtualTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(START_SECOND).unwrap() + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait(&self, pause: Duration) -> bool {
        let end = self.elapsed() + pause;
        let mut elapsed = self.0.lock().unwrap();
        *elapsed = end.max(*elapsed);
        true
    }
}
