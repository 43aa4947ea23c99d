//! Slow calls: work that a processor asks for and that is done elsewhere, while records go on.
//!
//! Reading a document or asking a server takes longer than a poll loop may stand still. A processor therefore declares a *call* by
//! name, asks for it with [`Context::call`](crate::Context::call), and is given what came of it later, by a handler of its own. Who performs it the process
//! says ([`Perform`], in a [`CallPool`]); a topology names no client and no thread.
//!
//! What is promised:
//! - A call is state. It is written in the transaction of the record that asked, begins when that is committed, and is taken out
//!   in the transaction that has the effects of its result. So each call has its effects once, though it may be
//!   *performed* more than once: whoever performs it must bear that.
//! - Calls of one key (and one name) are performed one behind the other, in the order in which they were asked for. Calls of
//!   different keys are performed side by side, and their results come as they are ready.
//! - A call that is taken back ([`Context::cancel_calls`](crate::Context::cancel_calls)) has no result, even if it is being performed.
//! - An attempt ends at its time limit. Failed attempts are repeated with growing pauses, which are kept with the call. Then, or
//!   when repeating cannot help, the handler is given the failure; a rejection there makes a dead letter of the request.
//! - A processor may be told when an attempt has begun ([`ProcessorBuilder::on_begun`](crate::topology::ProcessorBuilder::on_begun)): of one that takes longer than a
//!   commit, before its result, perhaps more than once.
//! - What is in flight is bounded by [`CallLimits::in_flight`]; what waits is on the disk, and its input waits with it from
//!   [`CallLimits::most_pending`] calls on.
//!
//! ```
//! # use concord_engine::topology::{Cleanup, CallHandle, SinkHandle, TopologyBuilder};
//! # use concord_engine::value::Value;
//! # use concord_engine::{Context, ProcessError};
//! # use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
//! # use concord_schemas::list_reconciliation::Registration;
//! # struct Registrations;
//! # impl Value for Registrations {
//! #     type Of<'a> = Registration<'a>;
//! #     fn schema() -> &'static TopicSchema {
//! #         &PDS_REGISTRATION
//! #     }
//! # }
//! use bytes::Bytes;
//! use concord_engine::calls::{CallFailure, CallLimits, CallResult};
//! use concord_engine::driver::{DriverSettings, ScriptedCalls, TopologyTestDriver};
//!
//! /// Has the name of each patient's practice looked up, and sends it on.
//! struct Naming {
//!     look_up: CallHandle,
//!     named: SinkHandle<Registrations>,
//! }
//!
//! impl Naming {
//!     fn on_registration(&mut self, ctx: &mut Context<'_>, registration: Registration<'_>) -> Result<(), ProcessError> {
//!         let patient = ctx.key()?.as_bytes();
//!         // Only the newest practice of a patient is of interest.
//!         ctx.cancel_calls(self.look_up, patient)?;
//!         ctx.call(self.look_up, patient, Bytes::copy_from_slice(registration.gp_practice.as_bytes()))
//!     }
//!
//!     fn on_name(&mut self, ctx: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
//!         // A failure becomes a rejection: the request goes to the dead letters.
//!         let name = result.outcome?;
//!         let name = String::from_utf8_lossy(&name);
//!         ctx.send(self.named, ctx.key()?, &Registration { nhs_number: "", gp_practice: &name, dispensing_flag: "" })
//!     }
//! }
//!
//! let mut t = TopologyBuilder::new("names");
//! let registrations = t.input::<Registrations>("pds.registration", "NHS number", 2, Cleanup::Compact);
//! let named = t.output::<Registrations>("practice.name", "NHS number", 2, Cleanup::Compact);
//! t.sub_topology("naming", |sub| {
//!     let source = sub.source(registrations);
//!     sub.processor("name", |p| {
//!         p.on(source, Naming::on_registration);
//!         let look_up = p.call("look-up", CallLimits::default(), Naming::on_name);
//!         let named = p.sink(named);
//!         move || Naming { look_up, named }
//!     });
//! });
//!
//! // The directory of practices, played by the test: it takes a second, and does not know everyone.
//! let calls = ScriptedCalls::default().on("look-up", |asked| match &asked.request[..] {
//!     b"B85001" => Ok(Bytes::from_static(b"The Surgery")),
//!     _ => Err(CallFailure::for_good("DIRECTORY-0001", "the directory has no such practice")),
//! });
//! calls.take(1_000);
//! let settings = DriverSettings { calls, ..DriverSettings::with_workers(2) };
//! let mut driver = TopologyTestDriver::start(t.build()?, settings)?;
//! for (patient, practice) in [("9990548609", "B85001"), ("9449304424", "X99999")] {
//!     let registration = Registration { nhs_number: patient, gp_practice: practice, dispensing_flag: "" };
//!     driver.pipe::<Registrations>("pds.registration", patient, &registration)?;
//! }
//! driver.run_until_idle()?;
//! let named = driver.outputs::<Registrations>("practice.name")?;
//! assert_eq!(named.len(), 1);
//! assert_eq!(named[0].value()?.unwrap().gp_practice, "The Surgery");
//! assert_eq!(driver.dead_letters()?[0].code, "DIRECTORY-0001");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod limits;
mod perform;
mod pool;
mod result;
mod service;

pub use limits::CallLimits;
pub use perform::{Perform, Until};
pub use pool::CallPool;
pub use result::{CallFailure, CallResult};
pub use service::{BegunCall, CallLine, CallService, FinishedCall, NoCalls};
