//! Gives the memory of stacks back while their VUs wait.
//!
//! It costs a system call and, when the VU goes on, page faults: some microseconds. So it is done for VUs that have not
//! run for half a second, and not on their way into waiting, when others of the thread may be due.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::vu::VuState;

/// In how many shares all VUs are looked at, one each `TIDY_INTERVAL`. A VU that has not run between two looks is quiet.
const SHARES: usize = 5;

/// VUs looked at before others may run: a tenth of a millisecond if all have memory to give back.
const BATCH: usize = 32;

/// The VUs of a thread, which are as many for ever: fibers are never dropped.
#[derive(Default)]
pub(crate) struct Stacks {
    vus: RefCell<Vec<Rc<VuState>>>,
    /// Where the next look begins.
    next: Cell<usize>,
}

impl Stacks {
    pub(crate) fn keep(&self, vu: Rc<VuState>) {
        self.vus.borrow_mut().push(vu);
    }

    /// Looks at the next share of the VUs.
    pub(crate) async fn tidy(&self) {
        let share = self.vus.borrow().len().div_ceil(SHARES);
        for looked_at in 0..share {
            self.look_at_next();
            if looked_at % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn look_at_next(&self) {
        let vus = self.vus.borrow();
        let next = self.next.get() % vus.len();
        vus[next].fiber.release_if_quiet();
        self.next.set(next + 1);
    }
}
