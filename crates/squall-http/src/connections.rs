//! A VU's idle connections.

use std::rc::Rc;

use squall_net::Traffic;

/// The connections of one VU: as with k6, VUs share none.
#[derive(Debug)]
pub struct Connections {
    vu: u64,
    traffic: Rc<Traffic>,
}

impl Connections {
    /// No connections yet, for VU number `vu`, counted from 1 (it chooses among `localIPs`).
    pub fn new(vu: u64) -> Self {
        Self { vu, traffic: Rc::default() }
    }

    /// The number of the VU.
    pub fn vu(&self) -> u64 {
        self.vu
    }

    /// The raw bytes of all its connections.
    pub fn traffic(&self) -> &Rc<Traffic> {
        &self.traffic
    }

    /// Closes the idle ones: `noVUConnectionReuse`, at the end of an iteration.
    pub fn close_idle(&self) {}
}
