//! Stores on disk that their changelog does not cover any more.

use concord_engine::log::Guarantee;
use concord_state::MemoryDirectory;

use crate::counting::Counting;

const EXACTLY_ONCE: Guarantee = Guarantee::ExactlyOnce;

#[test]
fn a_store_whose_changelog_was_truncated_beyond_it_is_rebuilt_from_what_there_is() {
    let Some(counting) = Counting::new("truncated") else { return };
    let (old, new) = (MemoryDirectory::new(), MemoryDirectory::new());
    counting.publish(&["a", "gone", "b"]);
    counting.work(&old, EXACTLY_ONCE, &[("a", 1), ("b", 1), ("gone", 1)]);
    // Another process goes on, with all keys but one, and what was written before that is deleted.
    counting.publish(&["a", "b"]);
    counting.work(&new, EXACTLY_ONCE, &[("a", 2), ("b", 2), ("gone", 1)]);
    let end = counting.end_of_changelog();
    counting.publish(&["a", "b"]);
    counting.work(&new, EXACTLY_ONCE, &[("a", 3), ("b", 3), ("gone", 1)]);
    counting.truncate_changelog(end);
    counting.publish(&["b"]);
    counting.work(&old, EXACTLY_ONCE, &[("a", 3), ("b", 4)]);
}

#[test]
fn a_store_whose_changelog_was_made_again_and_grew_beyond_it_is_rebuilt() {
    let Some(counting) = Counting::new("again") else { return };
    let old = MemoryDirectory::new();
    counting.publish(&["a", "of-the-old-one"]);
    counting.work(&old, EXACTLY_ONCE, &[("a", 1), ("of-the-old-one", 1)]);
    let end = counting.end_of_changelog();
    counting.make_changelog_again();
    let new = MemoryDirectory::new();
    let mut count = 0;
    while counting.end_of_changelog() <= end + 1 {
        count += 1;
        counting.publish(&["b"]);
        counting.work(&new, EXACTLY_ONCE, &[("b", count)]);
    }
    counting.publish(&["a"]);
    counting.work(&old, EXACTLY_ONCE, &[("a", 1), ("b", count)]);
}
