//! Routes that operators and hours open and close.

use concord_engine::partitioner::partition_of;
use concord_flows::list_reconciliation::post_office::{DEFAULT_ROUTE, Hours, PostOffice, Route as Configured};
use concord_flows::list_reconciliation::{Settings, ids};
use concord_schemas::list_reconciliation::CommandAction::{CloseRoute, OpenRoute, ScheduleRoute};

use crate::desk::{Desk, File, HOUR_MS, Route, told_of_everything};

const DAY_MS: i64 = 24 * HOUR_MS;

/// Workdays from eight to six.
fn with_hours() -> Settings {
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let hours = vec![Hours::new(&days, "08:00", "18:00").unwrap()];
    let route = Configured { name: DEFAULT_ROUTE.to_owned(), sources: Vec::new(), hours };
    Settings { post_office: PostOffice::new(vec![route]).unwrap(), ..Settings::default() }
}

fn waiting(desk: &Desk, route: &str) -> i64 {
    desk.route(route).iter().map(|route| route.waiting).sum()
}

#[test]
fn files_of_a_closed_route_wait_for_days_and_are_reconciled_when_it_opens() {
    let mut desk = Desk::with(told_of_everything());
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    let closed = Route { open: false, switched: "CLOSED".to_owned(), by: "Ann Operator".to_owned(), waiting: 0 };
    assert_eq!(desk.route(DEFAULT_ROUTE), [closed.clone(), closed]);
    let good = File::of_practice("Y12345");
    let bad = File::new("rubbish.txt", b"");
    desk.send(&good, "mesh:X26OT181/1");
    desk.send(&bad, "mesh:X26OT181/2");
    desk.pass(5 * DAY_MS);
    for file in [&good, &bad] {
        assert_eq!(desk.job(&file.job_id).statuses(), ["RECEIVED", "WAITING"], "waiting is no time-out");
    }
    assert_eq!((waiting(&desk, DEFAULT_ROUTE), desk.mails().len()), (2, 0));

    desk.switch(OpenRoute, DEFAULT_ROUTE);
    assert_eq!(desk.job(&good.job_id).statuses(), ["RECEIVED", "WAITING", "VALIDATED", "RECONCILED"]);
    assert_eq!(desk.job(&bad.job_id).statuses(), ["RECEIVED", "WAITING", "REJECTED"]);
    assert_eq!(waiting(&desk, DEFAULT_ROUTE), 0);
    desk.nothing_is_left();
    desk.no_dead_letters();
}

/// Files of practices, all with jobs on partition 0.
fn on_one_partition(practices: &[(&str, usize)]) -> Vec<(String, File)> {
    let mut files = Vec::new();
    for (practice, count) in practices {
        let candidates = (0..).map(|number| File::another_of_practice(practice, number));
        let of_partition = candidates.filter(|file| partition_of(file.job_id.as_bytes(), 2) == 0);
        files.extend(of_partition.take(*count).map(|file| ((*practice).to_owned(), file)));
    }
    files
}

#[test]
fn waiting_files_go_on_in_order_of_arrival_and_the_practices_in_turns() {
    let mut desk = Desk::with(Settings::default());
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    // The first practice sends four files before the others send one or two.
    let files = on_one_partition(&[("Y11111", 4), ("Y22222", 1), ("Y33333", 2)]);
    for (_, file) in &files {
        desk.send(file, "");
        desk.pass(1_000);
    }
    desk.switch(OpenRoute, DEFAULT_ROUTE);
    let practice_of = |job_id: &String| &*files.iter().find(|(_, file)| file.job_id == *job_id).unwrap().0;
    let order = desk.order_of_verdicts(0);
    let practices: Vec<&str> = order.iter().map(practice_of).collect();
    assert_eq!(practices, ["Y11111", "Y22222", "Y33333", "Y11111", "Y33333", "Y11111", "Y11111"]);
    let of_first: Vec<&String> = order.iter().filter(|job_id| practice_of(job_id) == "Y11111").collect();
    let sent: Vec<&String> = files[..4].iter().map(|(_, file)| &file.job_id).collect();
    assert_eq!(of_first, sent, "those of one practice in the order in which they came");
    desk.nothing_is_left();
}

#[test]
fn a_file_that_comes_while_others_wait_stands_behind_those_of_its_turn() {
    let mut desk = Desk::with(Settings::default());
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    let files = on_one_partition(&[("Y11111", 3), ("Y22222", 3)]);
    let (first, second) = files.split_at(3);
    for (_, file) in first {
        desk.send(file, "");
        desk.pass(1_000);
    }
    // Two of the first practice's turns have passed before the second practice sends anything.
    let at = |desk: &Desk| desk.order_of_verdicts(0).len();
    desk.clean_up(&first[0].1.job_id);
    desk.clean_up(&first[1].1.job_id);
    for (_, file) in second {
        desk.send(file, "");
        desk.pass(1_000);
    }
    assert_eq!(at(&desk), 0);
    desk.switch(OpenRoute, DEFAULT_ROUTE);
    let order = desk.order_of_verdicts(0);
    assert_eq!(order.first(), Some(&first[2].1.job_id), "who waits is not overtaken by a whole turn");
    assert_eq!(order.len(), 4);
}

#[test]
fn a_route_that_closes_again_keeps_those_that_have_not_gone_on() {
    let mut closed_in_the_middle = 0;
    for steps in 0..30 {
        let mut desk = Desk::with(Settings::default());
        desk.switch(CloseRoute, DEFAULT_ROUTE);
        let files = on_one_partition(&[("Y11111", 3), ("Y22222", 3)]);
        for (_, file) in &files {
            desk.send(file, "");
        }
        desk.driver.crash(0).unwrap();
        desk.driver.restart_all().unwrap();
        desk.idle();
        desk.give(OpenRoute, DEFAULT_ROUTE, "Ann Operator");
        for _ in 0..steps {
            desk.driver.step(0).unwrap();
        }
        desk.switch(CloseRoute, DEFAULT_ROUTE);
        let gone_on = desk.order_of_verdicts(0).len() as i64;
        closed_in_the_middle += i32::from((1..6).contains(&gone_on));
        assert_eq!(waiting(&desk, DEFAULT_ROUTE), 6 - gone_on, "after {steps} steps");
        desk.switch(OpenRoute, DEFAULT_ROUTE);
        assert_eq!(desk.order_of_verdicts(0).len(), 6);
        desk.nothing_is_left();
    }
    assert!(closed_in_the_middle > 0, "no run closed the route while files went on");
}

#[test]
fn a_route_opens_and_closes_by_its_hours() {
    // A Tuesday evening in London.
    let mut desk = Desk::at(with_hours(), "2021-08-10T19:00:00Z");
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    assert_eq!(desk.job(&file.job_id).status, "WAITING");
    // To 07:59 the next morning.
    desk.pass(11 * HOUR_MS + 59 * 60_000);
    assert_eq!(desk.job(&file.job_id).status, "WAITING");
    desk.pass(60_000);
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED");
    let partition = partition_of(file.job_id.as_bytes(), 2);
    let open = |desk: &Desk| desk.route(DEFAULT_ROUTE)[0].open;
    assert!(open(&desk), "partition {partition} says that it is open");
    desk.pass(10 * HOUR_MS);
    assert!(!open(&desk), "and that it has closed in the evening");
}

#[test]
fn the_operators_switch_holds_until_it_is_given_back() {
    let mut desk = Desk::at(with_hours(), "2021-08-10T19:00:00Z");
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    desk.switch(OpenRoute, DEFAULT_ROUTE);
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED", "open although it is evening");
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    desk.pass(14 * HOUR_MS);
    let other = File::of_practice("Y54321");
    desk.send(&other, "");
    assert_eq!(desk.job(&other.job_id).status, "WAITING", "closed although it is morning");
    desk.switch(ScheduleRoute, DEFAULT_ROUTE);
    assert_eq!(desk.job(&other.job_id).status, "RECONCILED");
    desk.pass(9 * HOUR_MS);
    assert!(desk.route(DEFAULT_ROUTE).iter().all(|route| !route.open && route.switched.is_empty()));
}

#[test]
fn a_file_waits_on_the_route_of_its_source_only() {
    let mesh = Configured { name: "mesh".to_owned(), sources: vec!["mesh:*".to_owned()], hours: Vec::new() };
    let settings = Settings { post_office: PostOffice::new(vec![mesh]).unwrap(), ..Settings::default() };
    let mut desk = Desk::with(settings);
    desk.switch(CloseRoute, "mesh");
    let (by_mesh, by_folder) = (File::of_practice("Y12345"), File::of_practice("Y54321"));
    desk.send(&by_mesh, "mesh:X26OT181/1");
    desk.send(&by_folder, "folder:/inbound");
    assert_eq!(desk.job(&by_mesh.job_id).status, "WAITING");
    assert_eq!(desk.job(&by_mesh.job_id).history[1].1, "route mesh");
    assert_eq!(desk.job(&by_folder.job_id).status, "RECONCILED");
}

#[test]
fn a_waiting_file_can_be_cleaned_up_and_its_copy_is_noticed() {
    let mut desk = Desk::with(Settings::default());
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    let file = File::of_practice("Y12345");
    desk.send(&file, "mesh:X26OT181/1");
    desk.send(&file, "mesh:X26OT181/2");
    let job = desk.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.copies), ("WAITING", 1));
    desk.clean_up(&file.job_id);
    assert_eq!((desk.job(&file.job_id).status.as_str(), waiting(&desk, DEFAULT_ROUTE)), ("CLEANED_UP", 0));
    desk.nothing_is_left();
    desk.switch(OpenRoute, DEFAULT_ROUTE);
    assert_eq!(desk.job(&file.job_id).status, "CLEANED_UP");
}

#[test]
fn a_command_for_a_route_that_there_is_not_is_rejected_by_every_partition() {
    let mut desk = Desk::with(Settings::default());
    desk.switch(CloseRoute, "mash");
    let codes: Vec<String> = desk.driver.dead_letters().unwrap().into_iter().map(|letter| letter.code).collect();
    assert_eq!(codes, ["CONCORD-LR-0031", "CONCORD-LR-0031"]);
}

#[test]
fn a_rerun_waits_like_any_other_file() {
    let mut desk = Desk::with(Settings::default());
    let first = File::of_practice("Y12345");
    desk.send(&first, "");
    desk.switch(CloseRoute, DEFAULT_ROUTE);
    let again = File { job_id: ids::rerun_id(&first.job_id, 1), ..first.clone() };
    desk.send(&again, &ids::rerun_source(&first.job_id, 1));
    assert_eq!(desk.job(&again.job_id).status, "WAITING");
}
