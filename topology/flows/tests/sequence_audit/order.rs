//! Within the grace period the order of arrival does not matter: not for findings, not for states.

use concord_edifact::MessageCode;

use crate::random::Random;
use crate::stage::{OVERDUE, Stage, receipt, registration, registration_saying};

/// Everything arrives at one time in this order, on two workers; then all deadlines pass.
fn audited(arrivals: &[String]) -> Stage {
    let mut stage = Stage::new();
    for content in arrivals {
        stage.publish(content);
    }
    stage.settle();
    stage.pass(2 * OVERDUE);
    stage.check();
    stage
}

#[test]
fn any_order_within_the_grace_period_has_the_same_end() {
    let mut arrivals = Vec::new();
    // With holes, one sent again and one that differs.
    for number in [4, 5, 7, 9, 11, 12, 15] {
        arrivals.push(registration(number));
    }
    arrivals.push(registration(12));
    arrivals.push(registration_saying(15, "HEA+ACD+B:ZZZ"));
    for (number, of, code) in [(7, 5, MessageCode::Success), (8, 11, MessageCode::Error)] {
        arrivals.push(receipt(number, of, code));
    }
    arrivals.push(receipt(10, 777, MessageCode::Success));
    let expected = audited(&arrivals);
    assert!(
        expected.told().iter().any(|told| told.starts_with("gap confirmed tn TES5> 13-14")),
        "{:?}",
        expected.told()
    );
    for seed in 0..12 {
        let mut random = Random::of(seed);
        let mut shuffled = arrivals.clone();
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, random.below(place as u64 + 1) as usize);
        }
        let found = audited(&shuffled);
        assert_eq!(found.findings(), expected.findings(), "seed {seed}");
        assert_eq!(found.links(), expected.links(), "seed {seed}");
        assert_eq!(found.transactions(), expected.transactions(), "seed {seed}");
        assert_eq!(found.open_messages(), expected.open_messages(), "seed {seed}");
    }
}
