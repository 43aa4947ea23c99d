//! What the builder gives out. A processor can only use a store or sink whose handle it got by declaring it.

use std::marker::PhantomData;

/// A declared topic with values of kind `V`.
pub struct Topic<V> {
    pub(crate) index: usize,
    pub(crate) kind: PhantomData<fn() -> V>,
}

/// A topic as a source of one sub-topology.
pub struct Source<V> {
    pub(crate) index: usize,
    pub(crate) kind: PhantomData<fn() -> V>,
}

/// A store of one sub-topology.
pub struct Store<V> {
    pub(crate) index: usize,
    pub(crate) kind: PhantomData<fn() -> V>,
}

/// The right of one processor to use a store.
pub struct StoreHandle<V> {
    pub(crate) index: usize,
    pub(crate) processor: usize,
    pub(crate) kind: PhantomData<fn() -> V>,
}

/// The right of one processor to write to a topic.
pub struct SinkHandle<V> {
    pub(crate) topic: usize,
    pub(crate) processor: usize,
    pub(crate) kind: PhantomData<fn() -> V>,
}

/// The right of one processor to ask for a call.
#[derive(Debug, Clone, Copy)]
pub struct CallHandle {
    /// Index into the calls of its sub-topology.
    pub(crate) call: usize,
    pub(crate) processor: usize,
}

macro_rules! copy_handles {
    ($($handle:ident),*) => {$(
        impl<V> Clone for $handle<V> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<V> Copy for $handle<V> {}
    )*};
}

copy_handles!(Topic, Source, Store, StoreHandle, SinkHandle);
