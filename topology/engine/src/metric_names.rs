//! Every metric of the program, with its meaning.

macro_rules! names {
    ($($name:ident = $text:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $text;)*
        /// Names and meanings, for the metrics page.
        pub const ALL: &[(&str, &str)] = &[$(($text, $meaning)),*];
    };
}

names! {
    COMMITS = "concord_commits_total", "Transactions committed.";
    COMMIT_SECONDS = "concord_commit_seconds", "Time from the beginning of a commit to the state being written.";
    WORKER_TIME = "concord_worker_microseconds_total", "What a worker's time went into, by part of its turn, and of a commit.";
    ABORTS = "concord_aborts_total", "Transactions aborted; their records were processed again.";
    RECOVERIES = "concord_recoveries_total", "Producers built anew after a fence or an unknown outcome.";
    REBALANCES = "concord_rebalances_total", "Assignments received from the group.";
    RECORDS_FILTERED = "concord_records_filtered_total", "Records that end without output by a stated reason.";
    RECORDS_REJECTED = "concord_records_rejected_total", "Records written to the dead-letter topic, by code and stage.";
    RECORDS_PROCESSED = "concord_records_processed_total", "Records processed, by topic.";
    PARTITIONS_PARKED = "concord_partitions_parked_total", "Times a partition had to wait for a schema.";
    INPUT_GAPS = "concord_input_gaps_total", "Times records were deleted before they were read.";
    TIMERS_FIRED = "concord_timers_fired_total", "Timers fired.";
    CALLS = "concord_calls_total", "Attempts of calls that ended, by call and outcome.";
    CALL_SECONDS = "concord_call_seconds", "How long attempts of calls were performed, by call.";
    CALL_FAILURES = "concord_call_failures_total", "Attempts of calls that failed, by call and code.";
    CALLS_IN_FLIGHT = "concord_calls_in_flight", "Calls that are begun and not finished, by worker and call.";
    CALLS_PENDING = "concord_calls_pending", "Calls without a result, those in flight among them, by worker and call.";
    CALL_THREADS_STRAYED = "concord_call_threads_strayed", "Threads that did not come back from a call whose time was over.";
    INPUTS_HELD = "concord_inputs_held_total", "Times the input of a task had to wait for its pending calls.";
    CHANGELOG_RECORDS = "concord_changelog_records_total", "Records written to changelogs.";
    RESTORED_RECORDS = "concord_restored_records_total", "Records replayed from changelogs.";
    RESTORED_BYTES = "concord_restored_bytes_total", "Bytes replayed from changelogs.";
    STALE_CHANGELOG_RECORDS = "concord_stale_changelog_records_total", "Changelog records of former owners that a restore left out.";
    RESTORE_REMAINING = "concord_restore_remaining", "Offsets of changelogs still to be replayed, by worker.";
    STORES_REBUILT = "concord_stores_rebuilt_total", "Stores rebuilt since their changelog did not cover them.";
    START_SECONDS = "concord_start_seconds", "What the last start of a worker, or rebalance, took until all its tasks processed, by phase.";
    TASKS_RUNNING = "concord_tasks_running", "Tasks that process, by worker.";
    TASKS_RESTORING = "concord_tasks_restoring", "Tasks that are still replaying, by worker.";
    INPUTS_TAKEN = "concord_inputs_taken_total", "Files taken in and durably in the log, by way.";
    INPUTS_REFUSED = "concord_inputs_refused_total", "Inputs that are left where they arrived, by way and code.";
    DELIVERIES = "concord_deliveries_total", "What became of files and mails that left the log, by route and state.";
    EDGE_TROUBLES = "concord_edge_troubles_total", "Turns of an edge that came to no end, by edge and code.";
    EDGE_TROUBLED = "concord_edge_troubled", "1 while the last turn of an edge came to no end, else 0.";
    RETENTION_REMOVED = "concord_retention_removed_total", "Kept files removed since their time was over, by edge.";
    PDS_LOOKUPS = "concord_pds_lookups_total", "Questions to PDS that are answered, by outcome.";
    PDS_REQUESTS = "concord_pds_requests_total", "Requests to PDS, those for tokens among them, by status of the answer.";
    PDS_REQUEST_SECONDS = "concord_pds_request_seconds", "Time from a request to PDS to the end of its answer.";
    PDS_WAITING = "concord_pds_waiting", "Whether questions wait because PDS is away: 1 or 0.";
}
