//! Fields of an answer that this program does not know: a newer writer may have some. They are counted, and named once.

/// Names that are kept; more kinds of unknown fields are only counted.
const MOST_NAMES: usize = 20;
/// A longer name is no name of a field.
const LONGEST_NAME: usize = 80;

/// Unknown fields of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownFields {
    names: Vec<String>,
    count: u64,
}

impl UnknownFields {
    /// How often a field was met that is not known.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Each kind once, as `line type.path`, places in lists left out.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn add(&mut self, line_type: &str, path: &str) {
        self.count += 1;
        // `?` stands for the inside of what may be null.
        let parts = path.split('.').filter(|part| *part != "?");
        let path: Vec<&str> = parts.map(|part| if is_place(part) { "*" } else { part }).collect();
        let path = path.join(".");
        // A field name is the writer's choice: what does not look like one might be a patient's.
        let is_name = path.len() <= LONGEST_NAME
            && path.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.*".contains(&byte));
        let name = if is_name { format!("{line_type}.{path}") } else { format!("{line_type}: not a name") };
        if self.names.len() < MOST_NAMES && !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

fn is_place(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_named_once_without_its_place_in_a_list_and_every_one_is_counted() {
        let mut unknown = UnknownFields::default();
        for path in ["messages.0.severity", "messages.17.severity", "gp.?.email", "SMITH", "jane smith"] {
            unknown.add("patient", path);
        }
        assert_eq!(unknown.count(), 5);
        assert_eq!(unknown.names(), ["patient.messages.*.severity", "patient.gp.email", "patient: not a name"]);
    }

    #[test]
    fn the_list_of_names_is_bounded() {
        let mut unknown = UnknownFields::default();
        for number in 0..100 {
            unknown.add("header", &format!("field_{number}"));
        }
        assert_eq!((unknown.count(), unknown.names().len()), (100, MOST_NAMES));
    }
}
