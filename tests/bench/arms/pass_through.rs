//! P as an arm: one member a thread, until the arm is told to leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::concord::connect;
use super::{ArmSettings, Workload, await_end};
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::pass_through::PassThrough;

pub fn run(settings: &ArmSettings) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for number in 0..settings.threads {
        let (settings, stop) = (settings.clone(), Arc::clone(&stop));
        threads.push(thread::spawn(move || {
            if let Err(error) = copy(&settings, number, &stop) {
                // Nobody waits for this thread while the arm runs.
                eprintln!("pass-through: {error}");
                std::process::exit(1);
            }
        }));
    }
    await_end(|| {});
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?;
    }
    Ok(())
}

fn copy(settings: &ArmSettings, number: usize, stop: &AtomicBool) -> Result<()> {
    let mut topics: Vec<Arc<str>> = vec![Arc::from(settings.input.as_str())];
    if settings.workload == Workload::W2 {
        topics.push(Arc::from(settings.reference.as_str()));
    }
    let copier = PassThrough {
        group: settings.application.clone(),
        instance: format!("{}-{number}", settings.application),
        topics,
        target: Arc::from(settings.output.as_str()),
        expected_partitions: PARTITIONS as usize,
    };
    copier.copy(&connect(settings)?, |_| stop.load(Ordering::Relaxed))?;
    Ok(())
}
