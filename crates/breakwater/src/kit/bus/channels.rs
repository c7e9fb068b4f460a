//! Who has subscribed to what, in this process.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use tokio::sync::{Notify, broadcast};

use super::{Counts, Heard};

/// Messages a subscriber may be behind before it loses the oldest.
const BEHIND_MAX: usize = 64;

/// The open channels. A link to elsewhere keeps its own subscriptions equal to them.
pub(super) struct Channels {
    open: Mutex<Open>,
    /// Whether messages come through a link, which has to subscribe first.
    linked: bool,
    /// Rings when the link has something to do.
    pub(super) changed: Notify,
    pub(super) counts: Counts,
}

#[derive(Default)]
struct Open {
    channels: HashMap<String, Channel>,
    /// For the link: opened, and not yet heard.
    fresh: Vec<String>,
    /// For the link: closed.
    stale: Vec<String>,
}

struct Channel {
    sender: broadcast::Sender<Heard>,
    /// Whether messages arrive: at once within the process, after the server's word through a link.
    live: bool,
}

/// What a link has to tell its server.
#[cfg(feature = "servers")]
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) subscribe: Vec<String>,
    pub(super) unsubscribe: Vec<String>,
}

impl Channels {
    /// Channels that the process alone delivers to.
    pub(super) fn within_process(counts: Counts) -> Self {
        Self { open: Mutex::default(), linked: false, changed: Notify::new(), counts }
    }

    /// Channels that a link delivers to. It must take its [`Work`] when told.
    #[cfg(feature = "servers")]
    pub(super) fn behind_link(counts: Counts) -> Self {
        Self { linked: true, ..Self::within_process(counts) }
    }

    fn open_channels(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no one panics here")
    }

    /// A receiver of `channel`, and whether it hears everything from now on.
    pub(super) fn open(&self, channel: &str) -> (broadcast::Receiver<Heard>, bool) {
        let mut open = self.open_channels();
        let Open { channels, fresh, .. } = &mut *open;
        match channels.entry(channel.to_owned()) {
            Entry::Occupied(known) => (known.get().sender.subscribe(), known.get().live),
            Entry::Vacant(new) => {
                let (sender, receiver) = broadcast::channel(BEHIND_MAX);
                new.insert(Channel { sender, live: !self.linked });
                if self.linked {
                    fresh.push(channel.to_owned());
                    self.changed.notify_one();
                }
                (receiver, !self.linked)
            }
        }
    }

    /// A receiver of `channel` is about to go; the last one closes it.
    pub(super) fn close(&self, channel: &str) {
        let mut open = self.open_channels();
        if open.channels.get(channel).is_some_and(|channel| channel.sender.receiver_count() == 1) {
            open.channels.remove(channel);
            if self.linked {
                open.stale.push(channel.to_owned());
                self.changed.notify_one();
            }
        }
    }

    /// Gives `message` to those who have subscribed here.
    pub(super) fn deliver(&self, channel: &str, message: Bytes) {
        if let Some(channel) = self.open_channels().channels.get(channel) {
            self.counts.received.inc();
            // Fails only without receivers, when the last is about to close the channel.
            let _ = channel.sender.send(Heard::Message(message));
        }
    }

    /// What has changed since the link asked last. A channel that was closed and opened again is subscribed to anew.
    #[cfg(feature = "servers")]
    pub(super) fn work(&self) -> Work {
        let mut open = self.open_channels();
        let Open { channels, fresh, stale } = &mut *open;
        let mut subscribe = std::mem::take(fresh);
        subscribe.retain(|channel| channels.get(channel).is_some_and(|channel| !channel.live));
        let mut unsubscribe = std::mem::take(stale);
        unsubscribe.retain(|channel| !channels.contains_key(channel));
        Work { subscribe, unsubscribe }
    }

    /// From now on the link hears these.
    #[cfg(feature = "servers")]
    pub(super) fn live(&self, names: &[String]) {
        let mut open = self.open_channels();
        for name in names {
            if let Some(channel) = open.channels.get_mut(name) {
                channel.live = true;
                let _ = channel.sender.send(Heard::Gap);
            }
        }
    }

    /// The link is lost: every channel must be subscribed to again.
    #[cfg(feature = "servers")]
    pub(super) fn lost(&self) {
        let mut open = self.open_channels();
        let Open { channels, fresh, stale } = &mut *open;
        stale.clear();
        *fresh = channels.keys().cloned().collect();
        channels.values_mut().for_each(|channel| channel.live = false);
        self.changed.notify_one();
    }
}
