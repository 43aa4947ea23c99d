//! Results over MESH.

use sha2::{Digest, Sha256};

use super::assembly::WholeFile;
use super::destination::{Arrival, Destination, Handed};
use super::error::Trouble;
use super::mesh_access::MeshAccess;
use super::surroundings::spool_failed;
use crate::mesh::{DeliveryStatus, MeshClient, MeshProblem, Outgoing};
use crate::next_step::NextStep;

/// To one mailbox from another.
pub struct MeshDestination {
    from: MeshAccess,
    to: String,
    workflow_id: String,
    client: Option<MeshClient>,
}

impl MeshDestination {
    /// Nothing is asked yet.
    pub fn new(from: MeshAccess, to: String, workflow_id: String) -> Self {
        Self { from, to, workflow_id, client: None }
    }

    fn client(&mut self) -> Result<&MeshClient, Trouble> {
        match &mut self.client {
            Some(client) => Ok(client),
            empty => Ok(empty.insert(self.from.connect()?)),
        }
    }
}

/// The sender's own id of a message: the same for the same file to the same recipient. The name of a work item holds the number
/// of a patient, and ids are logged, so it is there as a hash.
fn local_id(file: &WholeFile, to: &str, workflow_id: &str) -> String {
    let mut digest = Sha256::new();
    for part in [to, workflow_id, &file.name] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let digest: String = digest.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}.{digest}", file.job_id)
}

impl Destination for MeshDestination {
    fn hand_over(&mut self, file: &mut WholeFile) -> Result<Handed, Trouble> {
        let (to, workflow_id) = (self.to.clone(), self.workflow_id.clone());
        let local_id = local_id(file, &to, &workflow_id);
        let file_name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
        let message = Outgoing {
            to: &to,
            workflow_id: &workflow_id,
            local_id: &local_id,
            file_name: &file_name,
            subject: "",
            content_type: content_type(&file_name),
            compress: false,
            sha256: Some(file.sha256),
        };
        let bytes = file.bytes;
        let content = file.content().map_err(spool_failed)?;
        match self.client()?.send(&message, content, bytes) {
            Ok(sent) => Ok(Handed::Sent(sent.message_id)),
            // The mailbox's own outbox is not there: that is the way, not the file.
            Err(error) if error.next_step() == NextStep::SetAside && error.problem != MeshProblem::NotThere => {
                let trouble = Trouble::from(error);
                tracing::warn!(job = file.job_id, trouble = trouble.message, "MESH refuses a result.");
                Ok(Handed::Refused(trouble.stated()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn arrival(&mut self, reference: &str) -> Result<Option<Arrival>, Trouble> {
        let tracking = match self.client()?.track(reference) {
            Ok(tracking) => tracking,
            Err(error) if error.problem == MeshProblem::NotThere => return Ok(Some(Arrival::OnItsWay)),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(match tracking.status {
            DeliveryStatus::Acknowledged => Arrival::Taken,
            DeliveryStatus::Undeliverable | DeliveryStatus::Error => {
                Arrival::GivenBack(format!("{} {}", tracking.code, tracking.description).trim().to_owned())
            }
            DeliveryStatus::Uploading | DeliveryStatus::Accepted | DeliveryStatus::Other(_) => Arrival::OnItsWay,
        }))
    }

    fn forget(&mut self) {
        self.client = None;
    }
}

fn content_type(file_name: &str) -> &'static str {
    match file_name.rsplit('.').next() {
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
