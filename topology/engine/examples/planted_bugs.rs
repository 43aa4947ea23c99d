//! Prints the bugs that can be planted, one a line: name, tab, what it does.

use concord_engine::planted::PlantedBug;

fn main() {
    for (_, name, what) in PlantedBug::ALL {
        println!("{name}\t{what}");
    }
}
