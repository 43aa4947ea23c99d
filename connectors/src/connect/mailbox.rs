//! Files out of a mailbox of MESH: downloaded, into the log, and only then acknowledged.
//!
//! What a message is, its workflow id says: one mailbox may carry extracts and interchanges. A message that cannot be taken in
//! stays in the inbox, where MESH keeps it, and the next ones are taken. Reports of results that their recipient did not
//! collect become deliveries.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufWriter, Write};
use std::time::Duration;

use concord_schemas::codec;
use concord_schemas::list_reconciliation::Delivery;

use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::input::InputKind;
use super::intake::{Intake, Refused};
use super::ledger::UNDELIVERABLE;
use super::mesh_access::MeshAccess;
use super::reading::read_deliveries;
use super::standing::Standing;
use super::surroundings::{Surroundings, spool_failed};
use crate::mesh::{MeshClient, MeshProblem, Message, Received, Report};
use crate::next_step::NextStep;

/// See the module.
pub struct Mailbox {
    name: String,
    access: MeshAccess,
    /// Empty where any is expected.
    workflow_ids: BTreeSet<String>,
    poll: Duration,
    /// What a message is whose workflow is not of GP Links.
    holds: InputKind,
    intake: Intake,
    standing: Standing,
    client: Option<MeshClient>,
    /// Ids of the inbox that are still to be looked at.
    waiting: VecDeque<String>,
}

/// Which result a report speaks of.
struct Reported {
    job_id: String,
    name: String,
    route: String,
}

impl Mailbox {
    /// Nothing is asked yet.
    pub fn new(
        access: MeshAccess,
        workflow_ids: BTreeSet<String>,
        poll: Duration,
        surroundings: Surroundings,
        standing: Standing,
    ) -> Self {
        Self {
            name: format!("mailbox {}", access.mailbox),
            access,
            workflow_ids,
            poll,
            holds: InputKind::Extract,
            intake: Intake::new("mesh", surroundings),
            standing,
            client: None,
            waiting: VecDeque::new(),
        }
    }

    /// The same for what arrives there under workflows that are not of GP Links, which is otherwise extracts.
    #[must_use]
    pub fn holding(mut self, kind: InputKind) -> Self {
        self.holds = kind;
        self
    }

    fn client(&mut self) -> Result<&MeshClient, Trouble> {
        match &mut self.client {
            Some(client) => Ok(client),
            empty => Ok(empty.insert(self.access.connect()?)),
        }
    }

    /// Lists the inbox anew; what was refused before is passed over.
    fn list(&mut self) -> Result<(), Trouble> {
        let ids = self.client()?.inbox()?;
        let sources: BTreeSet<String> = ids.iter().map(|id| self.source(id)).collect();
        let left = self.intake.keep_refused(|source| sources.contains(source));
        self.standing.has_set_aside(&self.name, left);
        self.waiting = ids.into_iter().filter(|id| !self.intake.has_refused(&self.source(id))).collect();
        Ok(())
    }

    fn source(&self, id: &str) -> String {
        format!("mesh:{}/{id}", self.access.mailbox)
    }

    fn take(&mut self, id: &str) -> Result<(), Trouble> {
        let mut content = self.intake.surroundings().temporary_file()?;
        let mut sink = BufWriter::new(&mut content);
        let received = self.client()?.download(id, &mut sink);
        let received = match received {
            Ok(received) => received,
            // Somebody else has acknowledged it.
            Err(error) if error.problem == MeshProblem::NotThere => return Ok(()),
            Err(error) if error.next_step() == NextStep::SetAside => {
                return self.refuse(id, &error.into(), None);
            }
            Err(error) => return Err(error.into()),
        };
        sink.flush().map_err(spool_failed)?;
        drop(sink);
        match received {
            Received::Report(report) => self.pass_on(id, &report)?,
            Received::Message(message) => {
                let workflow_id = &message.headers.workflow_id;
                if !self.workflow_ids.is_empty() && !self.workflow_ids.contains(workflow_id) {
                    let cause = Trouble::new(
                        ConnectProblem::UnexpectedWorkflow,
                        format!("mailbox {}, message {id}", self.access.mailbox),
                        "its workflow id is none that this mailbox expects",
                    );
                    return self.refuse(id, &cause, Some(&message));
                }
                let kind = InputKind::of_workflow(workflow_id).unwrap_or_else(|| self.holds.clone());
                let what = format!("mailbox {}, message {id}", self.access.mailbox);
                if let Some(cause) = self.intake.cannot_take(&kind, what) {
                    return self.refuse(id, &cause, Some(&message));
                }
                let source = self.source(id);
                self.intake.publish(&kind, &message.headers.file_name, &source, &mut content)?;
            }
        }
        self.acknowledge(id)
    }

    fn acknowledge(&mut self, id: &str) -> Result<(), Trouble> {
        match self.client()?.acknowledge(id) {
            Err(error) if error.problem != MeshProblem::NotThere => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn refuse(&mut self, id: &str, cause: &Trouble, message: Option<&Message>) -> Result<(), Trouble> {
        let source = self.source(id);
        let refused = Refused {
            source: &source,
            cause,
            bytes: message.map(|message| message.bytes),
            sender: message.map_or("", |message| &message.headers.from),
            workflow_id: message.map_or("", |message| &message.headers.workflow_id),
        };
        self.intake.refuse(&refused)
    }

    /// A report of a result of ours becomes a delivery. One of somebody else's message is told, and taken out of the inbox as
    /// well: it has nothing that anybody here could do.
    fn pass_on(&mut self, id: &str, report: &Report) -> Result<(), Trouble> {
        let Some(Reported { job_id, name, route }) = self.reported(report)? else {
            let cause = Trouble::new(
                ConnectProblem::UnknownReport,
                format!("mailbox {}, report {id}", self.access.mailbox),
                format!("it speaks of message {}, which no delivery names", report.linked_message_id),
            );
            return self.refuse(id, &cause, None);
        };
        let detail = format!("{} {}", report.code, report.description).trim().to_owned();
        tracing::warn!(job = job_id, route, detail, "A result was given back.");
        let at_ms = self.intake.surroundings().clock.now_ms();
        let delivery = Delivery {
            job_id: &job_id,
            name: &name,
            route: &route,
            state: UNDELIVERABLE,
            reference: &report.linked_message_id,
            detail: &detail,
            at_ms,
        };
        let writer = self.intake.writer()?;
        writer.send(&codec::DELIVERY, &job_id, Some(&delivery), at_ms)?;
        Ok(writer.flush()?)
    }

    /// Reports are rare, so the deliveries are read for each.
    fn reported(&self, report: &Report) -> Result<Option<Reported>, Trouble> {
        let mut found = None;
        if self.intake.surroundings().input_ids.extract.is_none() {
            // Only list reconciliation sends results, and has the topic of their deliveries.
            return Ok(found);
        }
        read_deliveries(self.intake.surroundings(), &mut |delivery| {
            if !report.linked_message_id.is_empty() && delivery.reference == report.linked_message_id {
                found = Some(Reported {
                    job_id: delivery.job_id.to_owned(),
                    name: delivery.name.to_owned(),
                    route: delivery.route.to_owned(),
                });
            }
        })?;
        Ok(found)
    }
}

impl Edge for Mailbox {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        if self.waiting.is_empty() {
            self.list()?;
        }
        let Some(id) = self.waiting.pop_front() else { return Ok(Turn::Rest(self.poll)) };
        if let Err(trouble) = self.take(&id) {
            // Behind the others, which it must not hold up.
            self.waiting.push_back(id);
            return Err(trouble);
        }
        Ok(Turn::Again)
    }

    fn forget(&mut self) {
        self.client = None;
        self.intake.forget();
    }
}
