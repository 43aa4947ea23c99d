//! Calls: each has its effects once, whatever fails and whoever dies; in order for each key; and not for ever.

mod beginnings;
mod declaring;
mod faults;
mod local;
mod order;
mod pool;
mod pressure;
mod reading;
mod retries;
