//! The flow as a topology: reading by file, lines and receipts by link, transactions by sender.

use concord_engine::topology::{Cleanup, ProcessorBuilder, Topology, TopologyBuilder, TopologyError};

use super::deadlines::Deadlines;
use super::links::{self, Links};
use super::reading::{self, Reading};
use super::settings::Settings;
use super::transactions::{self, Transactions};
use super::values::{AuditCommands, AuditFindings, HistoryDocuments, InterchangePieces, LinkEvents, TransactionEvents};

/// Topic of interchanges as they are received.
pub const GP_LINKS_INTERCHANGE: &str = "gp-links.interchange";
/// Topic of what the earlier adaptor remembered.
pub const GP_LINKS_HISTORY: &str = "gp-links.history";
/// Topic of findings.
pub const FINDING: &str = "sequence-audit.finding";
/// Topic of what operators know, and the record of it.
pub const COMMAND: &str = "sequence-audit.command";

/// Name, within the application, of the topic of what happened on links.
pub const LINK_EVENTS: &str = "link-events";
/// Name, within the application, of the topic of what happened on lines of transactions.
pub const TRANSACTION_EVENTS: &str = "transaction-events";

/// Name of the store of links.
pub const LINKS: &str = "links";
/// Name of the store of messages about which something is open.
pub const LINK_MESSAGES: &str = "link-messages";
/// Name of the store of transactions.
pub const TRANSACTION_LINES: &str = "transaction-lines";
/// Name of the store of what came of late on the lines of links.
pub const LINK_RECENT: &str = "link-recent";
/// Name of the store of what came of late on lines of transactions.
pub const TRANSACTION_RECENT: &str = "transaction-recent";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Declares the flow.
///
/// # Errors
/// Only when the settings make it impossible, such as an unusable application id or no partitions.
///
/// ```
/// use concord_flows::sequence_audit::{Settings, topology};
///
/// let topology = topology(&Settings::default())?;
/// assert!(topology.describe_as_text().contains("sub-topology links"));
/// # Ok::<(), concord_engine::topology::TopologyError>(())
/// ```
pub fn topology(settings: &Settings) -> Result<Topology, TopologyError> {
    let partitions = settings.partitions;
    let for_a_month = Cleanup::DeleteAfter { retention_ms: 30 * DAY_MS };
    let for_a_year = Cleanup::DeleteAfter { retention_ms: 366 * DAY_MS };
    let mut t = TopologyBuilder::new(&settings.application);

    let received = t.input::<InterchangePieces>(GP_LINKS_INTERCHANGE, "file id", partitions, for_a_month);
    let commands = t.input::<AuditCommands>(COMMAND, "sender/recipient, or sender", partitions, for_a_year);
    let history = t.input::<HistoryDocuments>(GP_LINKS_HISTORY, "sender/recipient", partitions, for_a_month);
    let link_events = t.repartition::<LinkEvents>(LINK_EVENTS, "sender/recipient", partitions);
    let transaction_events = t.repartition::<TransactionEvents>(TRANSACTION_EVENTS, "sender", partitions);
    let findings = t.output::<AuditFindings>(FINDING, "finding id", partitions, Cleanup::Compact);

    let audit = settings.audit;
    let deadlines = Deadlines { clock: settings.clock };

    t.sub_topology("reading", |sub| {
        let source = sub.source(received);
        // What a connector repeats, it repeats soon; a source that never comes whole is given up.
        let read = sub.key_value_store_with_time_to_live("reading-ids", DAY_MS);
        let pieces = sub.key_value_store_with_time_to_live("reading-pieces", DAY_MS);
        sub.processor("reading", |p: &mut ProcessorBuilder<'_, Reading>| {
            p.on(source, Reading::on_piece);
            let handles = reading::Handles {
                read: p.store(read),
                pieces: p.store(pieces),
                link_events: p.sink(link_events),
                findings: p.sink(findings),
            };
            move || Reading { handles }
        });
    });

    t.sub_topology("links", |sub| {
        let events = sub.source(link_events);
        let said = sub.source(commands);
        let remembered = sub.source(history);
        let link_store = sub.ordered_store(LINKS);
        let messages = sub.ordered_store(LINK_MESSAGES);
        let recent = sub.key_value_store(LINK_RECENT);
        sub.processor("links", |p: &mut ProcessorBuilder<'_, Links>| {
            p.on(events, Links::on_event);
            p.on(said, Links::on_command);
            p.on(remembered, Links::on_history);
            p.on_timer(Links::on_timer);
            let handles = links::Handles {
                links: p.store(link_store),
                messages: p.store(messages),
                recent: p.store(recent),
                link_events: p.sink(link_events),
                transaction_events: p.sink(transaction_events),
                findings: p.sink(findings),
            };
            move || Links { handles, audit, deadlines }
        });
    });

    t.sub_topology("transactions", |sub| {
        let events = sub.source(transaction_events);
        let lines = sub.ordered_store(TRANSACTION_LINES);
        let recent = sub.key_value_store(TRANSACTION_RECENT);
        sub.processor("transactions", |p: &mut ProcessorBuilder<'_, Transactions>| {
            p.on(events, Transactions::on_event);
            p.on_timer(Transactions::on_timer);
            let handles =
                transactions::Handles { lines: p.store(lines), recent: p.store(recent), findings: p.sink(findings) };
            move || Transactions { handles, audit, deadlines }
        });
    });
    t.build()
}
