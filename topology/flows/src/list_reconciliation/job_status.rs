//! Where a job can stand.

/// The status of a job, as `list-reconciliation.job` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// It is arriving, or its verdict is being prepared.
    Received,
    /// It is here whole, and waits for the post office.
    Waiting,
    /// It was accepted, and is being compared.
    Validated,
    /// Its results are written.
    Reconciled,
    /// Its results were sent, and its mail was handed over.
    Complete,
    /// Refused for its name, its structure or its records.
    Rejected,
    /// It came to no end in the time that a job has.
    TimedOut,
    /// An operator has ended it.
    CleanedUp,
    /// Its counts do not add up.
    Inconsistent,
}

/// Every status with its name and what it means.
const TABLE: [(JobStatus, &str, &str); 9] = [
    (JobStatus::Received, "RECEIVED", "it is arriving, or its verdict is being prepared"),
    (JobStatus::Waiting, "WAITING", "it is here whole, and waits for the post office"),
    (JobStatus::Validated, "VALIDATED", "it was accepted, and is being compared with PDS"),
    (JobStatus::Reconciled, "RECONCILED", "it was reconciled, and its results are written"),
    (JobStatus::Complete, "COMPLETE", "it was reconciled, its results were sent, and its mail was handed over"),
    (JobStatus::Rejected, "REJECTED", "it was refused, for its name, its structure or its records"),
    (JobStatus::TimedOut, "TIMED_OUT", "it came to no end in the time that a job has"),
    (JobStatus::CleanedUp, "CLEANED_UP", "an operator has ended it, and what was kept of it is dropped"),
    (JobStatus::Inconsistent, "INCONSISTENT", "its counts do not add up: its results are not complete"),
];

impl JobStatus {
    /// As topics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// What became of the file of such a job, as the end of a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().2
    }

    /// Every status, in the order of a job's life.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(status, _, _)| *status)
    }

    /// The status of this name, in capitals or not.
    ///
    /// ```
    /// use concord_flows::list_reconciliation::JobStatus;
    ///
    /// assert_eq!(JobStatus::of("timed_out"), Some(JobStatus::TimedOut));
    /// assert_eq!(JobStatus::of("DONE"), None);
    /// ```
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)).map(|(status, _, _)| *status)
    }

    fn row(self) -> (Self, &'static str, &'static str) {
        TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_statuses() {
        for (place, status) in JobStatus::all().enumerate() {
            assert_eq!(status as usize, place, "{}", status.as_str());
            assert_eq!(JobStatus::of(status.as_str()), Some(status));
        }
    }
}
