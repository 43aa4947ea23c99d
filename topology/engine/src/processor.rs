//! Processors of any type behind one interface.

use std::sync::Arc;

use concord_state::Timer;

use crate::calls::CallResult;
use crate::context::Context;
use crate::rejection::{ProcessError, Rejection, Stage, codes};
use crate::value::Value;

/// Handles a fired timer.
pub type TimerHandler<P> = fn(&mut P, &mut Context<'_>, &Timer) -> Result<(), ProcessError>;
type RecordHandler<P> = Box<dyn Fn(&mut P, &mut Context<'_>, Option<&[u8]>) -> Result<(), ProcessError> + Send + Sync>;
type BegunHandler<P> = Box<dyn Fn(&mut P, &mut Context<'_>, u32) -> Result<(), ProcessError> + Send + Sync>;
type ResultHandler<P> = Box<dyn Fn(&mut P, &mut Context<'_>, CallResult) -> Result<(), ProcessError> + Send + Sync>;

/// An instance of a processor on one task.
pub(crate) trait ProcessorInstance: Send {
    fn process(&mut self, source: usize, context: &mut Context<'_>, value: Option<&[u8]>) -> Result<(), ProcessError>;
    fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError>;
    fn begun(&mut self, call: usize, context: &mut Context<'_>, attempt: u32) -> Result<(), ProcessError>;
    fn result(&mut self, call: usize, context: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError>;
}

/// Makes instances.
pub(crate) trait ProcessorFactory: Send + Sync {
    fn make(&self) -> Box<dyn ProcessorInstance>;
}

/// What a processor of type `P` does with its inputs.
pub(crate) struct Handlers<P> {
    by_source: Vec<Option<RecordHandler<P>>>,
    pub on_timer: Option<TimerHandler<P>>,
    /// By the index of the call in its sub-topology.
    by_call: Vec<(usize, ResultHandler<P>)>,
    /// The same, of calls that say when they begin.
    by_begun_call: Vec<(usize, BegunHandler<P>)>,
}

impl<P: 'static> Handlers<P> {
    pub fn new(sources: usize) -> Self {
        Self {
            by_source: (0..sources).map(|_| None).collect(),
            on_timer: None,
            by_call: Vec::new(),
            by_begun_call: Vec::new(),
        }
    }

    pub fn on<V: Value>(
        &mut self,
        source: usize,
        handle: impl for<'a> Fn(&mut P, &mut Context<'_>, V::Of<'a>) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) {
        self.by_source[source] = Some(Box::new(move |processor, context, value| {
            let Some(bytes) = value else {
                return Err(Rejection {
                    stage: Stage::Decode,
                    code: codes::MISSING_VALUE,
                    message: "the record is a tombstone, and this topic carries events".into(),
                }
                .into());
            };
            let value = context.codec.decode::<V>(bytes)?;
            handle(processor, context, value)
        }));
    }

    pub fn on_change<V: Value>(
        &mut self,
        source: usize,
        handle: impl for<'a> Fn(&mut P, &mut Context<'_>, Option<V::Of<'a>>) -> Result<(), ProcessError>
        + Send
        + Sync
        + 'static,
    ) {
        self.by_source[source] = Some(Box::new(move |processor, context, value| {
            let value = match value {
                Some(bytes) => Some(context.codec.decode::<V>(bytes)?),
                None => None,
            };
            handle(processor, context, value)
        }));
    }

    pub fn on_result(
        &mut self,
        call: usize,
        handle: impl Fn(&mut P, &mut Context<'_>, CallResult) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) {
        self.by_call.push((call, Box::new(handle)));
    }

    pub fn on_begun(
        &mut self,
        call: usize,
        handle: impl Fn(&mut P, &mut Context<'_>, u32) -> Result<(), ProcessError> + Send + Sync + 'static,
    ) {
        self.by_begun_call.push((call, Box::new(handle)));
    }

    pub fn inputs(&self) -> Vec<usize> {
        (0..self.by_source.len()).filter(|i| self.by_source[*i].is_some()).collect()
    }
}

/// Makes instances of one processor type.
pub(crate) struct TypedFactory<P, F> {
    make: F,
    handlers: Arc<Handlers<P>>,
}

impl<P, F> TypedFactory<P, F> {
    pub fn new(make: F, handlers: Handlers<P>) -> Self {
        Self { make, handlers: Arc::new(handlers) }
    }
}

impl<P: Send + 'static, F: Fn() -> P + Send + Sync> ProcessorFactory for TypedFactory<P, F> {
    fn make(&self) -> Box<dyn ProcessorInstance> {
        Box::new(TypedInstance { processor: (self.make)(), handlers: self.handlers.clone() })
    }
}

struct TypedInstance<P> {
    processor: P,
    handlers: Arc<Handlers<P>>,
}

impl<P: Send + 'static> ProcessorInstance for TypedInstance<P> {
    fn process(&mut self, source: usize, context: &mut Context<'_>, value: Option<&[u8]>) -> Result<(), ProcessError> {
        match self.handlers.by_source.get(source) {
            Some(Some(handle)) => handle(&mut self.processor, context, value),
            _ => Ok(()),
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        match self.handlers.on_timer {
            Some(handle) => handle(&mut self.processor, context, timer),
            None => Err(ProcessError::Programming("a timer fired for a processor without a timer handler".to_string())),
        }
    }

    fn begun(&mut self, call: usize, context: &mut Context<'_>, attempt: u32) -> Result<(), ProcessError> {
        match self.handlers.by_begun_call.iter().find(|(declared, _)| *declared == call) {
            Some((_, handle)) => handle(&mut self.processor, context, attempt),
            None => Ok(()),
        }
    }

    fn result(&mut self, call: usize, context: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
        match self.handlers.by_call.iter().find(|(declared, _)| *declared == call) {
            Some((_, handle)) => handle(&mut self.processor, context, result),
            None => Err(ProcessError::Programming("a call ended for a processor that did not declare it".to_string())),
        }
    }
}
