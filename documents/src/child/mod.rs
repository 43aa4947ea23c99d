//! Reading in a process of its own: what it is allowed, how it is spoken with, and how it is ended.

mod inside;
mod pool;
mod process;
mod protocol;
mod workplace;

pub use inside::serve;
pub use pool::ReaderPool;
pub use process::{Extracted, ReaderCommand, ReaderProcess, read_in_child};
