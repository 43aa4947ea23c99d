#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const TABLE: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
    1\t1\t0\t0\t0\t0\t0\t0\t1000\t1000\t-1\t\n\
    5\t1\t1\t1\t1\t1\t100\t100\t40\t20\t96.5\tName:\n\
    5\t1\t1\t1\t1\t2\t150\t100\t40\t20\t61.2\tAsa\n\
    5\t1\t1\t1\t2\t1\t120\t140\t40\t20\t90\tbelow\n\
    5\t1\t2\t1\t1\t1\t400\t104\t24\t20\t88\tSex:\n\
    5\t1\t2\t1\t1\t2\t430\t104\t6\t20\t40\t_\n\
    5\t2\t1\t1\t1\t1\t100\t100\t40\t20\t96\ttwo\n";

fn lines() -> Vec<Line> {
    lines_of_table(TABLE, 1.0, None, &Limits::default()).unwrap()
}

#[test]
fn columns_beside_each_other_are_one_line_with_a_gap() {
    let lines = lines();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["Name: Asa                          Sex:", "  below", "two"]);
    assert_eq!(lines[2].page, Some(2));
}

#[test]
fn a_part_of_a_line_stands_in_the_box_around_its_words_and_is_as_sure_as_the_least_sure() {
    let lines = lines();
    let spot = lines[0].spot(0..9, 95);
    assert_eq!(spot.place.region, Some(Region { left: 100, top: 100, width: 90, height: 20 }));
    assert_eq!(spot.confidence, 61);
    assert_eq!(lines[0].spot(0..5, 95).confidence, 95);
    let both = together(&spot, &lines[1].spot(2..7, 95));
    assert_eq!(both.place.region, Some(Region { left: 100, top: 100, width: 90, height: 60 }));
    assert_eq!(lines_of_text("a\nb")[1].spot(0..1, 95).place.to_string(), "line 2");
}

#[test]
fn a_line_that_had_no_room_before_it_goes_on() {
    let page = "1\t1\t0\t0\t0\t0\t0\t0\t1000\t1000\t-1\t\n";
    let word = |line: usize, left: usize, width: usize, text: &str| {
        format!("5\t1\t1\t1\t{line}\t1\t{left}\t{}\t{width}\t20\t90\t{text}\n", line * 24)
    };
    let table = [
        page.to_owned(),
        word(1, 100, 700, "full"),
        word(2, 100, 150, "broken"),
        word(3, 100, 100, "short"),
        word(9, 100, 750, "apart"),
    ];
    let lines = lines_of_table(&table.concat(), 1.0, None, &Limits::default()).unwrap();
    let goes_on: Vec<(&str, bool)> = lines.iter().map(|line| (line.text.as_str(), line.goes_on)).collect();
    assert_eq!(goes_on, [("full", false), ("broken", true), ("short", false), ("", false), ("apart", false)]);
    let wide = "a".repeat(70);
    let of_text = |text: &str| lines_of_text(text).iter().map(|line| line.goes_on).collect::<Vec<_>>();
    assert_eq!(of_text(&format!("{wide}\nb\n{}\nbroken\n", &wide[..66])), [false, true, false, true, false]);
    assert_eq!(of_text("Paracetamol\nLatex\n"), [false, false, false]);
}

#[test]
fn a_page_on_its_side_has_the_lines_of_an_upright_one_and_its_own_places() {
    // As TABLE begins, turned to the right: what was on the left is above, what was above is on the right.
    let table = "1\t1\t0\t0\t0\t0\t0\t0\t1000\t1000\t-1\t\n\
        5\t1\t1\t1\t1\t1\t880\t100\t20\t40\t96.5\tName:\n\
        5\t1\t1\t1\t1\t2\t880\t150\t20\t40\t61.2\tAsa\n\
        5\t1\t1\t1\t2\t1\t840\t120\t20\t40\t90\tbelow\n";
    let lines = lines_of_table(table, 1.0, None, &Limits::default()).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["Name: Asa", "  below"]);
    assert_eq!(lines[0].spot(6..9, 95).place.region, Some(Region { left: 880, top: 150, width: 20, height: 40 }));
}

#[test]
fn lengths_are_scaled_and_words_counted() {
    let lines = lines_of_table(TABLE, 0.5, Some(7), &Limits::default()).unwrap();
    assert_eq!(lines[0].spot(0..5, 95).place.to_string(), "page 7 at 50,50 size 20x10");
    let limits = Limits { elements: 2, ..Limits::default() };
    assert_eq!(lines_of_table(TABLE, 1.0, None, &limits).unwrap_err().problem, Problem::TooMany);
}
