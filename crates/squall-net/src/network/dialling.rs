//! What the network does while a connection comes about.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::link::Link;
use super::meter::Passage;
use crate::{NetError, code};

/// The making of one connection. Without a link nothing takes any time.
#[derive(Debug)]
pub(crate) struct Dialling {
    link: Option<Rc<Link>>,
    /// How long TCP took to connect; zero until it has.
    pub(crate) connecting: Duration,
    waited: Duration,
    /// Of the wait that goes on, or was given up.
    since: Option<Instant>,
}

impl Dialling {
    pub(crate) fn new(link: Option<Rc<Link>>) -> Self {
        Self { link, connecting: Duration::ZERO, waited: Duration::ZERO, since: None }
    }

    /// How much the network has taken so far.
    pub(crate) fn delay(&self) -> Duration {
        self.waited + self.since.map_or(Duration::ZERO, |since| since.elapsed())
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
        let Some(link) = &self.link else { return };
        let delay = link.connecting();
        self.wait(delay).await;
    }

    /// Before a TLS handshake.
    pub(crate) async fn secure(&mut self) {
        let Some(link) = &self.link else { return };
        let delay = link.securing();
        self.wait(delay).await;
    }

    /// A handshake over the fresh connection is over.
    pub(crate) fn shook_hands(&mut self, passage: Option<&Passage>) {
        self.waited += passage.map_or(Duration::ZERO, Passage::rounds);
    }

    async fn wait(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        self.since = Some(Instant::now());
        sleep(time).await;
        self.waited = self.delay();
        self.since = None;
    }
}
