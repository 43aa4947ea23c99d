//! The post office: by which route a file comes, and whether files of that route go on or wait.
//!
//! Pure: the intake asks it, and remembers what operators have switched and which files wait.

mod hours;

pub use hours::{Hours, Opening, opening};

/// The route of every file that no other route takes.
pub const DEFAULT_ROUTE: &str = "gp-extracts";

/// A way on which files come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// Patterns of the sources whose files it takes; `*` stands for any text.
    pub sources: Vec<String>,
    /// When it is open; without hours always.
    pub hours: Vec<Hours>,
}

impl Route {
    fn takes(&self, source: &str) -> bool {
        self.sources.iter().any(|pattern| matches(pattern, source))
    }
}

/// The routes, in the order in which they are asked. The last one takes every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostOffice {
    routes: Vec<Route>,
}

impl Default for PostOffice {
    /// One route for everything, always open.
    fn default() -> Self {
        Self { routes: vec![default_route()] }
    }
}

fn default_route() -> Route {
    Route { name: DEFAULT_ROUTE.to_string(), sources: vec!["*".to_string()], hours: Vec::new() }
}

impl PostOffice {
    /// These routes, and behind them the default route for what none of them takes. When one has the default route's name, it
    /// is that one, asked last.
    ///
    /// # Errors
    /// A name that cannot be used, or is used twice; a route that takes nothing.
    pub fn new(routes: Vec<Route>) -> Result<Self, String> {
        let mut ordered: Vec<Route> = Vec::with_capacity(routes.len() + 1);
        let mut last = default_route();
        let mut names: Vec<String> = Vec::new();
        for route in routes {
            let usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if route.name.is_empty() || !route.name.chars().all(usable) {
                let name = &route.name;
                return Err(format!("the route `{name}` must be named with lower-case letters, digits and hyphens"));
            }
            if names.contains(&route.name) {
                return Err(format!("there are two routes of the name `{}`", route.name));
            }
            names.push(route.name.clone());
            if route.name == DEFAULT_ROUTE {
                last.hours = route.hours;
            } else if route.sources.is_empty() {
                return Err(format!("the route `{}` takes no source: write `sources`, such as \"mesh:*\"", route.name));
            } else {
                ordered.push(route);
            }
        }
        ordered.push(last);
        Ok(Self { routes: ordered })
    }

    /// The routes, in the order in which they are asked.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route of this name.
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The route of a file from this source: the first that takes it.
    pub fn route_of(&self, source: &str) -> &str {
        self.routes.iter().find(|route| route.takes(source)).map_or(DEFAULT_ROUTE, |route| &route.name)
    }
}

/// Whether a text is of a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place is as good as any: what follows may stand anywhere behind it.
        let Some(place) = left.find(part) else { return false };
        left = &left[place + part.len()..];
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn route(name: &str, sources: &[&str]) -> Route {
        Route { name: name.to_string(), sources: sources.iter().map(ToString::to_string).collect(), hours: Vec::new() }
    }

    #[test]
    fn a_file_goes_by_the_first_route_that_takes_its_source_and_else_by_the_default_one() {
        let office = PostOffice::new(vec![
            route("test", &["mesh:*TEST/*", "folder:/trial"]),
            route("mesh", &["mesh:*"]),
            route(DEFAULT_ROUTE, &[]),
        ])
        .unwrap();
        for (source, expected) in [
            ("mesh:X26OT181TEST/2021", "test"),
            ("folder:/trial", "test"),
            ("folder:/trial/a", DEFAULT_ROUTE),
            ("mesh:X26OT181/2021", "mesh"),
            ("", DEFAULT_ROUTE),
            ("s3:bucket/a", DEFAULT_ROUTE),
        ] {
            assert_eq!(office.route_of(source), expected, "{source}");
        }
        let names: Vec<&str> = office.routes().iter().map(|route| route.name.as_str()).collect();
        assert_eq!(names, ["test", "mesh", DEFAULT_ROUTE]);
    }

    #[test]
    fn a_star_stands_for_any_text_the_empty_one_included() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("aba*ba", "aba", false),
            ("abc", "abcd", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn routes_that_cannot_be_told_apart_are_refused() {
        assert!(PostOffice::new(vec![route("a", &["x"]), route("a", &["y"])]).is_err());
        assert!(PostOffice::new(vec![route("A", &["x"])]).is_err());
        assert!(PostOffice::new(vec![route("", &["x"])]).is_err());
        assert!(PostOffice::new(vec![route("a", &[])]).is_err());
    }
}
