//! What every implementation of the [`Log`] seam must do, as checks that run against any of them.
//!
//! A check panics when the log does not behave. [`log_conformance_tests!`](crate::log_conformance_tests) makes a test
//! of each; a log says through its [`ConformanceHarness`] how time passes on it and what it can do on request.

#![allow(clippy::expect_used, clippy::panic, reason = "a check fails by panicking, as an assertion does")]

pub mod groups;
pub mod markers;
pub mod plain;
pub mod positions;
pub mod reading;
mod scene;
pub mod visibility;

use std::time::Duration;

use super::Log;
use super::embedded::EmbeddedLog;

/// What differs between the logs under test.
pub trait ConformanceHarness {
    /// The log.
    fn log(&self) -> &dyn Log;

    /// A name for a topic, group or transactional id that no other check and no earlier run has used; it ends in `stem`.
    fn unique(&self, stem: &str) -> String;

    /// Lets this much time pass on the log's clock.
    fn pass_time(&self, duration: Duration);

    /// How long a single poll may wait.
    fn poll_wait(&self) -> Duration;

    /// How much of the log's time a check may wait for something that must happen.
    fn patience(&self) -> Duration;

    /// The embedded log, when it is the one under test: only there can markers be held, topics be compacted at once and
    /// members fall silent while their process lives.
    fn embedded(&self) -> Option<&EmbeddedLog> {
        None
    }
}

/// Makes a test of every check. The argument is an expression that gives `Option<impl ConformanceHarness>`; with `None`
/// (no such log here) each test says loudly that it was skipped.
#[macro_export]
macro_rules! log_conformance_tests {
    ($harness:expr) => {
        $crate::log_conformance_tests! { $harness;
            visibility: a_commit_shows_all_its_partitions_and_nothing_before,
            visibility: aborted_records_are_never_read_committed,
            visibility: an_open_transaction_holds_back_what_stands_behind_it,
            visibility: every_commit_and_abort_leaves_a_gap_in_the_offsets,
            visibility: records_of_a_producer_keep_their_order_in_each_partition,
            visibility: a_transaction_open_too_long_is_aborted_and_its_producer_fenced,
            visibility: a_newer_producer_of_the_same_id_fences_the_older,
            visibility: a_record_that_is_too_large_is_refused_and_the_transaction_goes_on,
            positions: positions_are_committed_with_the_transaction_and_not_before,
            positions: an_abort_commits_no_positions,
            positions: a_stale_generation_cannot_commit_positions,
            positions: an_empty_list_of_positions_is_refused,
            positions: membership_is_refused_before_joining,
            groups: two_members_share_co_partitioned_topics_alike,
            groups: a_partition_moves_only_after_its_release,
            groups: a_leaving_member_hands_over_what_it_had,
            groups: a_restarted_member_finds_its_partitions_and_disturbs_nobody,
            groups: a_silent_member_loses_its_partitions_and_cannot_commit,
            groups: a_newer_member_of_the_same_name_fences_the_older,
            groups: reading_starts_exactly_where_asked_and_may_move_back,
            groups: a_held_partition_is_not_read_until_asked_again_and_others_go_on,
            groups: a_position_beyond_the_end_is_reported_to_the_member,
            reading: the_end_of_an_empty_partition_is_its_high_watermark,
            reading: the_end_is_reached_when_a_commit_marker_stands_last,
            reading: the_end_is_reached_when_aborted_records_stand_last,
            reading: the_end_is_reached_when_everything_was_aborted,
            reading: the_watermarks_of_several_partitions_are_those_of_each,
            reading: the_end_waits_for_an_open_transaction_and_is_told_again,
            reading: a_restore_over_a_compacted_topic_finds_the_last_value_of_each_key,
            reading: a_position_that_does_not_exist_is_reported_to_the_reader,
            markers: each_partition_shows_a_commit_once_its_own_marker_is_written,
            markers: a_producer_goes_on_only_after_the_markers_of_its_last_transaction,
            markers: a_new_producer_waits_for_the_markers_of_the_one_before,
            plain: records_without_transactions_are_seen_once_acknowledged_and_stand,
            plain: a_plain_producer_fences_nobody_of_its_name,
            plain: a_plain_producer_takes_no_positions,
            plain: positions_committed_by_a_member_are_the_groups_at_once,
            plain: positions_are_refused_without_membership_and_without_any,
            plain: a_member_that_the_group_has_left_behind_commits_no_positions,
        }
    };
    ($harness:expr; $($module:ident: $check:ident,)+) => {
        $(
            #[test]
            fn $check() {
                match $harness {
                    Some(harness) => $crate::log::conformance::$module::$check(&harness),
                    None => eprintln!("SKIPPED: {}: there is no such log here", stringify!($check)),
                }
            }
        )+
    };
}
