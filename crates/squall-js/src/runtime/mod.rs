//! The QuickJS underground: many VUs share one runtime, each on a fiber of its own.
//!
//! [`layout`] finds the words of the runtime that belong to the running fiber, [`fiber`] swaps them at
//! each switch, [`memory`] charges allocations to the VU that runs, [`group`] fills runtimes with VUs, [`stack`] gives
//! fibers their stacks, [`shapes`] keeps what QuickJS would build anew in each iteration.

pub(crate) mod fiber;
pub(crate) mod group;
mod layout;
pub(crate) mod memory;
pub(crate) mod shapes;
pub(crate) mod stack;
