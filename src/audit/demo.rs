//! `concord audit demo`: a month of traffic with faults, audited and held against what was planted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use concord_connectors::synthetic::{LinkTraffic, LinkTrafficSettings, Planted};
use jiff::{SignedDuration, Timestamp};

use super::findings::FindingLine;
use super::sources::Source;
use super::{FINDINGS, Request, run, settings};
use crate::cli::AuditDemoArgs;
use crate::failure::Failure;

const DAYS: i64 = 30;
/// An interchange is sent on each link every quarter of this, so that so many fill the days.
const INTERCHANGES: u32 = 80;

/// Runs the demonstration.
///
/// # Errors
/// What is found is not what was planted, which is a fault of the program; or files cannot be written.
pub fn demo(args: &AuditDemoArgs) -> Result<(), Failure> {
    let start: Timestamp = "2026-01-05T08:00:00Z".parse().map_err(|e| Failure::other("the calendar", e))?;
    let grace = SignedDuration::from_hours(24 * DAYS * 4 / i64::from(INTERCHANGES));
    // Every third practice has two links.
    let practices = (args.links * 3).div_ceil(4).max(1);
    let traffic = LinkTraffic::generate(&LinkTrafficSettings {
        practices,
        interchanges: INTERCHANGES,
        seed: args.seed,
        start,
        grace,
        faults_per_mille: 10,
    });
    let input = args.out.join("input");
    fs::create_dir_all(&input).map_err(|e| Failure::Usage(format!("cannot create {}: {e}", input.display())))?;
    println!(
        "Made {} interchanges of a month on {} links and their answers (seed {}; no practice in it exists).",
        traffic.deliveries.len(),
        args.links,
        args.seed
    );
    let mut request = Request { audit: settings(grace), ..Request::default() };
    // Receipts are waited for as long as by default, measured in grace periods.
    request.audit.receipts.overdue_ms = request.audit.receipts.orphan_ms.saturating_mul(24);
    let mut last_ms = start.as_millisecond();
    for (place, delivery) in traffic.deliveries.iter().enumerate() {
        let path = input.join(format!("{place:06}.dat"));
        fs::write(&path, &delivery.text).map_err(|e| Failure::other(format!("writing {}", path.display()), e))?;
        last_ms = delivery.at.as_millisecond();
        let mut source = Source::of(path.display().to_string(), delivery.text.clone().into_bytes());
        // Here it is known when it came.
        source.prepared_at_ms = Some(last_ms);
        request.sources.push(source);
    }
    // All deadlines have passed.
    request.at_ms = last_ms.saturating_add(request.audit.receipts.overdue_ms.saturating_mul(2));
    let outcome = run(request)?;
    outcome.write(&args.out)?;

    let planted: BTreeSet<(String, String)> = traffic
        .planted
        .iter()
        .map(|fault| {
            let subject = match fault.kind {
                // Where an epoch begins is not planted but drawn.
                Planted::EpochChange => format!("{} {}>{}", fault.counter, fault.sender, fault.recipient),
                _ => format!("{} {}>{} {}-{}", fault.counter, fault.sender, fault.recipient, fault.from, fault.to),
            };
            (name_of(fault.kind).to_owned(), subject)
        })
        .collect();
    let found: BTreeSet<(String, String)> = outcome.findings.iter().map(subject_of).collect();
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (kind, _) in &planted {
        kinds.entry(kind).or_default().0 += 1;
    }
    for (kind, _) in &found {
        kinds.entry(kind).or_default().1 += 1;
    }
    println!("\n{:<28} {:>8} {:>8}", "finding", "planted", "found");
    for (kind, (planted, found)) in kinds {
        println!("{kind:<28} {planted:>8} {found:>8}");
    }
    println!("\nFindings: {}", args.out.join(FINDINGS).display());
    if planted != found {
        let (missed, invented) = (planted.difference(&found).count(), found.difference(&planted).count());
        return Err(Failure::Other(format!(
            "{missed} faults were not found and {invented} findings were not planted, which is a fault of the program"
        )));
    }
    println!("What is found is what was planted, number by number.");
    Ok(())
}

fn name_of(kind: Planted) -> &'static str {
    match kind {
        Planted::Lost => "gap confirmed",
        Planted::Late => "gap closed-late",
        Planted::SentAgain => "duplicate confirmed",
        Planted::SentDifferent => "duplicate-differs confirmed",
        Planted::EpochChange => "epoch-change confirmed",
        Planted::NoReceipt => "receipt-overdue confirmed",
        Planted::Refused => "negative-receipt confirmed",
        Planted::Orphan => "orphan-receipt confirmed",
    }
}

fn subject_of(finding: &FindingLine) -> (String, String) {
    let object = finding.as_json();
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let line = format!("{} {}>{}", text("counter"), text("sender"), text("recipient"));
    let subject = match (finding.kind.as_str(), object["from"].as_u64(), object["to"].as_u64()) {
        ("epoch-change", ..) => line,
        (_, Some(from), Some(to)) => format!("{line} {from}-{to}"),
        _ => line,
    };
    (format!("{} {}", finding.kind, finding.state), subject)
}
