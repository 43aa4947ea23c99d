//! A topology as text, as a Mermaid picture, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Cleanup, TopicRole, Topology};

impl Topology {
    /// For a terminal.
    pub fn describe_as_text(&self) -> String {
        let mut text = format!("application {}\n", self.application);
        for sub in &self.sub_topologies {
            // Writing to a String does not fail.
            let _ = writeln!(text, "\nsub-topology {} ({} tasks)", sub.name, sub.partitions);
            for (index, source) in sub.sources.iter().enumerate() {
                let readers: Vec<&str> =
                    sub.processors.iter().filter(|p| p.inputs.contains(&index)).map(|p| p.name).collect();
                let _ = writeln!(text, "  source    {} -> {}", self.topics[source.topic].name, readers.join(", "));
            }
            for processor in &sub.processors {
                let stores: Vec<String> = processor.stores.iter().map(|s| sub.store_with_source(*s)).collect();
                let sinks: Vec<&str> = processor.sinks.iter().map(|s| &*self.topics[*s].name).collect();
                let _ = writeln!(text, "  processor {}", processor.name);
                if !stores.is_empty() {
                    let _ = writeln!(text, "    stores  {}", stores.join(", "));
                }
                if !sinks.is_empty() {
                    let _ = writeln!(text, "    writes  {}", sinks.join(", "));
                }
                let calls = sub.calls_of(processor.name);
                if !calls.is_empty() {
                    let _ = writeln!(text, "    calls   {}", calls.join(", "));
                }
            }
        }
        let _ = writeln!(text, "\ndead letters {}", self.topics[self.dead_letters].name);
        text
    }

    /// A flowchart in Mermaid's language.
    pub fn describe_as_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        let mut drawn = std::collections::BTreeSet::new();
        for sub in &self.sub_topologies {
            // A subgraph with the name of a node inside it would be its own parent.
            let _ = writeln!(text, "  subgraph {0}-tasks [{0}]", sub.name);
            for processor in &sub.processors {
                let _ = writeln!(text, "    {0}([{0}])", processor.name);
                for store in &processor.stores {
                    let name = &sub.stores[*store].name;
                    if drawn.insert(name.clone()) {
                        let _ = writeln!(text, "    {name}[({name})]");
                    }
                    let _ = writeln!(text, "    {} --- {name}", processor.name);
                }
                for call in sub.calls_of(processor.name) {
                    let _ = writeln!(text, "    {} <-.-> {call}[/{call}/]", processor.name);
                }
            }
            let _ = writeln!(text, "  end");
        }
        for sub in &self.sub_topologies {
            for processor in &sub.processors {
                for input in &processor.inputs {
                    let _ = writeln!(text, "  {} --> {}", self.topics[sub.sources[*input].topic].name, processor.name);
                }
                for sink in &processor.sinks {
                    let _ = writeln!(text, "  {} --> {}", processor.name, self.topics[*sink].name);
                }
            }
        }
        text
    }

    /// For programs.
    pub fn describe_as_json(&self) -> Value {
        let sub_topologies: Vec<Value> = self
            .sub_topologies
            .iter()
            .map(|sub| {
                json!({
                    "name": sub.name,
                    "partitions": sub.partitions,
                    "sources": sub.sources.iter().map(|s| &*self.topics[s.topic].name).collect::<Vec<_>>(),
                    "stores": sub.stores.iter().map(|s| &s.name).collect::<Vec<_>>(),
                    "processors": sub.processors.iter().map(|p| json!({
                        "name": p.name,
                        "reads": p.inputs.iter().map(|i| &*self.topics[sub.sources[*i].topic].name).collect::<Vec<_>>(),
                        "stores": p.stores.iter().map(|s| &sub.stores[*s].name).collect::<Vec<_>>(),
                        "calls": sub.calls_of(p.name),
                        "writes": p.sinks.iter().map(|s| &*self.topics[*s].name).collect::<Vec<_>>(),
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let topics: Vec<Value> = self
            .topics
            .iter()
            .map(|topic| {
                json!({
                    "name": &*topic.name,
                    "role": topic.role.as_str(),
                    "key": topic.key,
                    "partitions": topic.partitions,
                    "cleanup": topic.cleanup.to_string(),
                })
            })
            .collect();
        json!({ "application": self.application, "sub_topologies": sub_topologies, "topics": topics })
    }
}

impl TopicRole {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Repartition => "repartition",
            Self::Output => "output",
            Self::DeadLetter => "dead-letter",
            Self::Changelog => "changelog",
        }
    }
}

impl std::fmt::Display for Cleanup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Compact => f.write_str("compact"),
            Self::DeleteAfter { retention_ms } => write!(f, "delete after {} days", retention_ms / 86_400_000),
        }
    }
}
