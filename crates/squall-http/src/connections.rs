//! A VU's idle connections.

use std::cell::RefCell;
use std::rc::Rc;

use squall_net::{Passage, Traffic};
use url::Url;

use crate::{h1, h2};

/// The connections of one VU: as with k6, VUs share none.
#[derive(Debug)]
pub struct Connections {
    vu: u64,
    traffic: Rc<Traffic>,
    /// The most recent last. There are few, so a search beats a map.
    idle: RefCell<Vec<(Origin, Connection)>>,
}

/// Whom a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    pub(crate) host: Rc<str>,
    pub(crate) port: u16,
}

/// A connection that can take a request.
#[derive(Debug)]
pub(crate) enum Connection {
    H1(Box<h1::Connection>),
    /// Shared: it takes many requests at a time.
    H2(h2::Connection),
}

impl Connection {
    /// The beginning of an exchange, where a network profile takes part of its time.
    pub(crate) fn passage(&self) -> Option<Passage> {
        match self {
            Self::H1(connection) => connection.passage(),
            Self::H2(connection) => connection.passage(),
        }
    }
}

impl Origin {
    /// The origin of an `http` or `https` URL.
    pub(crate) fn of(url: &Url) -> Self {
        let (tls, host, port) = origin_parts(url);
        Self { tls, host: host.into(), port }
    }

    fn is_of(&self, url: &Url) -> bool {
        origin_parts(url) == (self.tls, &*self.host, self.port)
    }
}

fn origin_parts(url: &Url) -> (bool, &str, u16) {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (url.scheme() == "https", host, url.port_or_known_default().unwrap_or_default())
}

impl Connections {
    /// No connections yet, for VU number `vu`, counted from 1 (it chooses among `localIPs`).
    pub fn new(vu: u64) -> Self {
        Self::of(vu, Rc::default())
    }

    /// The same for a VU that has other connections too: their bytes are counted together.
    pub fn of(vu: u64, traffic: Rc<Traffic>) -> Self {
        Self { vu, traffic, idle: RefCell::default() }
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
    pub fn close_idle(&self) {
        self.idle.borrow_mut().clear();
    }

    /// How many are idle.
    pub fn idle_count(&self) -> usize {
        self.idle.borrow().len()
    }

    /// A usable connection for `url`; stale ones are closed on the way.
    pub(crate) fn take(&self, url: &Url) -> Option<(Origin, Connection)> {
        let mut idle = self.idle.borrow_mut();
        while let Some(index) = idle.iter().rposition(|(origin, _)| origin.is_of(url)) {
            if let (origin, Connection::H2(connection)) = &idle[index]
                && connection.is_open()
            {
                return Some((origin.clone(), Connection::H2(connection.clone())));
            }
            let (origin, connection) = idle.remove(index);
            if let Connection::H1(mut connection) = connection
                && !connection.is_stale()
            {
                return Some((origin, Connection::H1(connection)));
            }
        }
        None
    }

    /// Keeps a connection for later, within the limits: the host's own excess is closed, then whatever has
    /// been idle longest.
    pub(crate) fn put(&self, origin: Origin, connection: Connection, max: usize, per_host_max: usize) {
        let mut idle = self.idle.borrow_mut();
        if idle.iter().filter(|(have, _)| *have == origin).count() >= per_host_max {
            return;
        }
        idle.push((origin, connection));
        if idle.len() > max {
            idle.remove(0);
        }
    }
}
