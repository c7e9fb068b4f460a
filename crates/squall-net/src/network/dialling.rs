//! What the network does while a connection comes about.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::link::{Fault, Link};
use super::meter::Passage;
use crate::{NetError, code};

/// The making of one connection. Without a link nothing takes any time.
///
/// Whoever waits for a connection may give it up at any time, and is told all the same what the network has taken.
#[derive(Debug)]
pub(crate) struct Dialling<'a> {
    link: Option<Rc<Link>>,
    /// Where to leave, in the end, how much the network has taken.
    told: &'a mut Duration,
    /// How long TCP took to connect; zero until it has.
    pub(crate) connecting: Duration,
    waited: Duration,
    /// Of the wait that goes on, or was given up.
    since: Option<Instant>,
    /// Of the fresh connection, while there are handshakes.
    passage: Option<Passage>,
}

impl<'a> Dialling<'a> {
    pub(crate) fn new(link: Option<Rc<Link>>, told: &'a mut Duration) -> Self {
        Self { link, told, connecting: Duration::ZERO, waited: Duration::ZERO, since: None, passage: None }
    }

    /// Before a name is resolved.
    pub(crate) async fn resolve(&mut self) -> Result<(), NetError> {
        let Some(link) = &self.link else { return Ok(()) };
        let (delay, fails) = link.resolving();
        self.wait(delay).await;
        match fails {
            true => Err(NetError::new(code::DNS, "lookup: server misbehaving")),
            false => Ok(()),
        }
    }

    /// Before TCP connects.
    pub(crate) async fn connect(&mut self) {
        let Some(link) = self.link.clone() else { return };
        let opening = link.connecting();
        for timeout in opening.timeouts() {
            link.count(Fault::Loss);
            self.wait(timeout).await;
        }
        self.wait(opening.round_trip).await;
    }

    /// TCP is connected; what there is of handshakes, with a proxy and for TLS, goes over this connection.
    pub(crate) fn connected(&mut self, passage: Option<Passage>) {
        self.passage = passage;
    }

    /// Before a TLS handshake.
    pub(crate) async fn secure(&mut self) {
        let Some(link) = &self.link else { return };
        let delay = link.securing();
        self.wait(delay).await;
    }

    /// All handshakes are over. The last words of TLS may still be on their way: nobody waits for them.
    pub(crate) fn shook_hands(&mut self) {
        self.waited += self.passage.take().map_or(Duration::ZERO, |passage| passage.rounds());
    }

    async fn wait(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        self.since = Some(Instant::now());
        sleep(time).await;
        self.waited += self.waiting();
        self.since = None;
    }

    fn waiting(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        let handshakes = self.passage.as_ref().map_or(Duration::ZERO, Passage::rounds_so_far);
        *self.told = self.waited + self.waiting() + handshakes;
    }
}
