//! Room to parse code that nests deeply.
//!
//! The parser and every walk over its tree recurse with the nesting of the code, and a stack that overflows takes the
//! process with it. Nesting is bounded by the text's length, so the stack is sized by that: it is address space,
//! and takes memory only where code really nests.

use std::thread;

/// Measured without optimisation: the worst, `((((` and `[[[[`, take less than this a byte of source.
const BYTES_PER_SOURCE_BYTE: usize = 1 << 10;

const BYTES_MIN: usize = 8 << 20;

const BYTES_MAX: usize = 4 << 30;

/// Runs `work` on a stack on which a text of this length can be parsed, whatever it holds.
pub(crate) fn with_room_for<T: Send>(text: &str, work: impl Fn() -> T + Sync) -> T {
    let mut size = (BYTES_MIN + text.len().saturating_mul(BYTES_PER_SOURCE_BYTE)).min(BYTES_MAX);
    thread::scope(|scope| {
        while size > BYTES_MIN {
            if let Ok(worker) = thread::Builder::new().stack_size(size).spawn_scoped(scope, &work) {
                return worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
            // Less address space is to be had than wished for; ordinary code needs little.
            size /= 2;
        }
        work()
    })
}
