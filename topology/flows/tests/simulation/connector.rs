//! Takes what the flow puts out, as the connectors do, and says so: each thing once, and now and then a second time.

use std::collections::BTreeSet;

use concord_engine::driver::TopologyTestDriver;
use concord_flows::list_reconciliation::topology::{DELIVERY, FILE, MAIL};
use concord_flows::list_reconciliation::values::{Deliveries, Files, Mails};
use concord_schemas::list_reconciliation::Delivery;

/// See the module.
#[derive(Default)]
pub struct Connector {
    sent: BTreeSet<(String, String)>,
}

impl Connector {
    /// Sends whole lists and mails that are there and have not been sent; `again` says everything a second time.
    pub fn send_what_is_there(&mut self, driver: &mut TopologyTestDriver, again: bool) {
        let mut there = Vec::new();
        for output in driver.outputs::<Files>(FILE).unwrap() {
            let piece = output.value().unwrap().unwrap();
            if piece.last && piece.file_name.ends_with(".csv") {
                there.push((piece.job_id.to_owned(), piece.file_name.to_owned()));
            }
        }
        for output in driver.outputs::<Mails>(MAIL).unwrap() {
            let mail = output.value().unwrap().unwrap();
            there.push((mail.job_id.to_owned(), mail.mail_id.to_owned()));
        }
        for (job_id, name) in there {
            if !self.sent.insert((job_id.clone(), name.clone())) && !again {
                continue;
            }
            let at_ms = driver.now_ms();
            let delivery = Delivery {
                job_id: &job_id,
                name: &name,
                route: "mesh",
                state: "SENT",
                reference: "",
                detail: "",
                at_ms,
            };
            driver.pipe::<Deliveries>(DELIVERY, &job_id, &delivery).unwrap();
        }
    }
}
