//! `options.rps`: at most so many calls a second over all VUs, evenly spaced (a token bucket of one).

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Shared by all worker threads of a process.
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// A limit of `per_second` calls; it must be positive.
    pub fn new(per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.max(1), next: Mutex::new(None) }
    }

    /// Waits for this call's turn. A caller that gives up leaves its turn unused.
    pub async fn turn(&self) {
        let at = self.reserve(Instant::now());
        tokio::time::sleep_until(at).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.interval);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_with_a_burst_of_one() {
        let limiter = RateLimiter::new(10);
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        assert_eq!([(); 3].map(|()| limiter.reserve(start)), [ms(0), ms(100), ms(200)]);
        assert_eq!(limiter.reserve(ms(250)), ms(300));
        // Time without calls is not saved up.
        assert_eq!([(); 2].map(|()| limiter.reserve(ms(5000))), [ms(5000), ms(5100)]);
    }
}
