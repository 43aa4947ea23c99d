//! Every metric of the engine, with its meaning.

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
    CHANGELOG_RECORDS = "concord_changelog_records_total", "Records written to changelogs.";
    RESTORED_RECORDS = "concord_restored_records_total", "Records replayed from changelogs.";
    RESTORED_BYTES = "concord_restored_bytes_total", "Bytes replayed from changelogs.";
    STALE_CHANGELOG_RECORDS = "concord_stale_changelog_records_total", "Changelog records of former owners that a restore left out.";
    RESTORE_REMAINING = "concord_restore_remaining", "Offsets of changelogs still to be replayed, by worker.";
    STORES_REBUILT = "concord_stores_rebuilt_total", "Stores rebuilt since their changelog did not cover them.";
    START_SECONDS = "concord_start_seconds", "What the last start of a worker, or rebalance, took until all its tasks processed, by phase.";
    TASKS_RUNNING = "concord_tasks_running", "Tasks that process, by worker.";
    TASKS_RESTORING = "concord_tasks_restoring", "Tasks that are still replaying, by worker.";
}
