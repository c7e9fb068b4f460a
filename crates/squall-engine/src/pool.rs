//! The idle VUs of all scenarios, first in first out. A VU serves one scenario after another, as in k6.

use std::{cell::RefCell, collections::VecDeque};

use tokio::sync::Notify;

use crate::vu::VuId;

/// Lives on the conductor; the VUs themselves stay on their workers.
#[derive(Default)]
pub(crate) struct Pool {
    idle: RefCell<VecDeque<VuId>>,
    returned: Notify,
}

impl Pool {
    /// The VU that has been idle longest; waits for one when all are busy.
    pub(crate) async fn take(&self) -> VuId {
        loop {
            if let Some(vu) = self.idle.borrow_mut().pop_front() {
                return vu;
            }
            self.returned.notified().await;
        }
    }

    pub(crate) fn put(&self, vu: VuId) {
        self.idle.borrow_mut().push_back(vu);
        self.returned.notify_one();
    }
}
