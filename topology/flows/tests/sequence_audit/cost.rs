//! State costs by links and by what is open, not by what has come.

use concord_edifact::MessageCode;

use crate::stage::{OVERDUE, Stage, receipt, registration};

/// Bytes of all stores of links and transactions, timers among them, when so many interchanges have come and each has its receipt.
fn bytes_after(interchanges: u64) -> usize {
    let mut stage = Stage::new();
    for number in 1..=interchanges {
        stage.publish(&registration(number));
        stage.publish(&receipt(number, number, MessageCode::Success));
    }
    stage.settle();
    stage.pass(2 * OVERDUE);
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    assert!(stage.open_messages().is_empty(), "settled messages have no state");
    stage.check();
    let stores = [
        ("links", "links"),
        ("links", "link-messages"),
        ("links", "link-recent"),
        ("links", "links-timers"),
        ("transactions", "transaction-lines"),
        ("transactions", "transaction-recent"),
        ("transactions", "transactions-timers"),
    ];
    let size = |(sub, store): (&str, &str)| {
        let entries = stage.driver.state(sub, store).unwrap();
        entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
    };
    stores.into_iter().map(size).sum()
}

#[test]
fn three_times_as_many_interchanges_cost_the_same() {
    // The windows are full in both; only the digits of numbers and counts grow.
    let (few, many) = (bytes_after(400), bytes_after(1200));
    assert!(many <= few + few / 10, "{few} bytes became {many}");
    eprintln!("two directions of a link and one sender's transactions take {many} bytes");
}
