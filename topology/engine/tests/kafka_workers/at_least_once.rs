//! A worker without transactions.

use concord_engine::log::Guarantee;
use concord_state::MemoryDirectory;

use crate::counting::Counting;

#[test]
fn a_worker_without_transactions_counts_restores_and_goes_on_where_it_was() {
    let Some(counting) = Counting::new("alo") else { return };
    for expected in [3, 6] {
        counting.publish(&["9990548609"; 3]);
        // On an empty disk each time: the counts come from the changelog.
        counting.work(&MemoryDirectory::new(), Guarantee::AtLeastOnce, &[("9990548609", expected)]);
    }
}
