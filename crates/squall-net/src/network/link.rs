//! A VU's way to the network: what its connections share, and what happens before there is a connection.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use squall_options::{Conditions, NetworkProfile};
use tokio::time::Instant;

use super::random::Random;
use super::timeline::Timeline;

/// A TCP without a measured round trip waits so long for an answer (RFC 6298 §2.1).
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);

/// The least that Linux adds to the round-trip time for its retransmission timeout. RFC 6298 §2.4 wants a second in
/// all, and no system that serves the web keeps to that.
const TIMEOUT_MARGIN: Duration = Duration::from_millis(200);

/// No retransmission timeout is longer: Linux's limit, above the minute that RFC 6298 §2.5 demands.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// So often a segment is sent again at most: Linux's limit, a quarter of an hour.
const RETRIES_MAX: u32 = 15;

/// So many segments must arrive after a lost one for the sender to learn of it at once (RFC 5681 §3.2).
const DUPLICATE_ACKS: usize = 3;

/// Least and most bytes that a direction of a connection holds: between them as many as the network can.
const WINDOW_BYTES: (usize, usize) = (64 << 10, 4 << 20);

/// What was done to a VU's connections on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A connection was reset.
    Reset,
    /// A connection stood still.
    Stall,
    /// A segment was lost and sent again.
    Loss,
    /// A name was not resolved.
    Dns,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Reset, Self::Stall, Self::Loss, Self::Dns];

    /// As the tag `fault` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Stall => "stall",
            Self::Loss => "loss",
            Self::Dns => "dns",
        }
    }
}

/// From the VU or towards it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// How TCP connects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// What the SYN that arrives and its answer take.
    pub(super) round_trip: Duration,
    /// So often the SYN or its answer is lost before.
    lost: u32,
}

impl Opening {
    /// How long each SYN without an answer is waited for: twice as long as the one before (RFC 6298 §5.7).
    pub(super) fn timeouts(&self) -> impl Iterator<Item = Duration> + use<> {
        let next = |timeout: &Duration| Some((*timeout * 2).min(TIMEOUT_MAX));
        std::iter::successors(Some(FIRST_TIMEOUT), next).take(self.lost as usize)
    }
}

/// The network of one VU in one scenario.
#[derive(Debug)]
pub struct Link {
    timeline: Timeline,
    seed: [u64; 2],
    connections: Cell<u64>,
    dials: RefCell<Random>,
    /// When the line up and the line down have moved all they were given.
    free_at: [Cell<Option<Instant>>; 2],
    faults: [Cell<u64>; Fault::ALL.len()],
}

impl Link {
    /// The network of VU `vu` for a test that began at `start`. The same seed, VU and traffic meet the same fate.
    pub fn new(profile: &NetworkProfile, seed: u64, vu: u64, start: Instant) -> Self {
        Self {
            timeline: Timeline::new(profile, start),
            seed: [seed, vu],
            connections: Cell::default(),
            dials: RefCell::new(Random::of(&[seed, vu])),
            free_at: Default::default(),
            faults: Default::default(),
        }
    }

    /// What was done since the last call, and how often.
    pub fn take_faults(&self) -> impl Iterator<Item = (Fault, u64)> {
        let taken = Fault::ALL.map(|fault| (fault, self.faults[fault as usize].take()));
        taken.into_iter().filter(|(_, count)| *count > 0)
    }

    pub(super) fn count(&self, fault: Fault) {
        let count = &self.faults[fault as usize];
        count.set(count.get() + 1);
    }

    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub(super) fn conditions(&self, now: Instant) -> &Conditions {
        self.timeline.at(now)
    }

    /// Random numbers of one more connection: for its faults, its way up, its way down. Apart, because how the two ways take
    /// turns is up to the clock.
    pub(super) fn connection_randoms(&self) -> [Random; 3] {
        let number = self.connections.replace(self.connections.get() + 1) + 1;
        let [seed, vu] = self.seed;
        [0, 1, 2].map(|part| Random::of(&[seed, vu, number, part]))
    }

    /// How long a name takes to resolve, and whether that fails then.
    pub(crate) fn resolving(&self) -> (Duration, bool) {
        let conditions = self.conditions(Instant::now());
        let fails = self.dials.borrow_mut().happens(conditions.dns_failure);
        if fails {
            self.count(Fault::Dns);
        }
        (conditions.dns_delay, fails)
    }

    /// What it takes to connect. All is drawn at once: how long somebody waits for it must not change what befalls the
    /// next connection.
    pub(super) fn connecting(&self) -> Opening {
        let conditions = self.conditions(Instant::now());
        let mut random = self.dials.borrow_mut();
        let round_trip = random.around(conditions.latency, conditions.jitter);
        let loss = 1.0 - (1.0 - conditions.loss).powi(2);
        let mut lost = 0;
        while lost < RETRIES_MAX && random.happens(loss) {
            lost += 1;
        }
        Opening { round_trip, lost }
    }

    /// How long a TLS handshake takes longer.
    pub(crate) fn securing(&self) -> Duration {
        self.conditions(Instant::now()).tls_delay
    }

    /// When the line has moved so many bytes that it is given now, after all it was given before.
    pub(super) fn moved_at(&self, direction: Direction, now: Instant, bytes: usize) -> Instant {
        let conditions = self.conditions(now);
        let Some(bits) = bandwidth(conditions, direction) else { return now };
        let free_at = &self.free_at[direction as usize];
        let begins = free_at.get().map_or(now, |free| free.max(now));
        let ends = begins + Duration::from_secs_f64(bytes as f64 * 8.0 / bits as f64);
        free_at.set(Some(ends));
        ends
    }

    /// How many bytes a direction of a connection holds: what fills the network, as a TCP that has tuned its buffers.
    pub(super) fn window_bytes(&self, direction: Direction, now: Instant) -> usize {
        let conditions = self.conditions(now);
        let (least, most) = WINDOW_BYTES;
        let Some(bits) = bandwidth(conditions, direction) else { return most };
        let filled = bits as f64 / 8.0 * (conditions.latency + conditions.jitter).as_secs_f64();
        (filled as usize).clamp(least, most)
    }

    /// How much later a segment arrives for being lost, zero if it is not. `followers` segments are under way behind it.
    pub(super) fn retransmission(
        &self,
        random: &mut Random,
        conditions: &Conditions,
        followers: usize,
    ) -> Duration {
        let mut lost = 0;
        while lost < RETRIES_MAX && random.happens(conditions.loss) {
            lost += 1;
            self.count(Fault::Loss);
        }
        retransmission_delay(conditions, lost, followers)
    }
}

fn bandwidth(conditions: &Conditions, direction: Direction) -> Option<u64> {
    match direction {
        Direction::Up => conditions.upload_bits,
        Direction::Down => conditions.download_bits,
    }
}

/// The delay of a segment that is lost `lost` times. With enough followers their acknowledgements tell the sender within
/// a round trip (fast retransmit); else, and when what is sent again is lost too, it waits for its timeout (RFC 6298),
/// which doubles each time.
pub(super) fn retransmission_delay(conditions: &Conditions, lost: u32, followers: usize) -> Duration {
    let (mut delay, mut timeouts) = (Duration::ZERO, lost);
    if lost > 0 && followers >= DUPLICATE_ACKS {
        delay += conditions.latency;
        timeouts -= 1;
    }
    let mut timeout = retransmission_timeout(conditions);
    for _ in 0..timeouts {
        delay += timeout;
        timeout = (timeout * 2).min(TIMEOUT_MAX);
    }
    delay
}

/// RTO = SRTT + max(4 × RTTVAR, margin), RFC 6298 §2.3, of a sender that knows the network: the mean deviation of a round
/// trip whose two halves vary evenly is a third of the jitter.
fn retransmission_timeout(conditions: &Conditions) -> Duration {
    conditions.latency + (conditions.jitter * 4 / 3).max(TIMEOUT_MARGIN)
}
