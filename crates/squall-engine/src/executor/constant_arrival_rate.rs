//! `constant-arrival-rate`: an iteration starts at once and then every `time_unit / rate`, on whichever VU is idle.

use std::{ops::RangeInclusive, time::Duration};

use super::{Control, arrival_rate};
use crate::schedule::ArrivalSchedule;

pub(super) async fn run(
    control: &Control,
    rate: u64,
    time_unit: Duration,
    duration: Duration,
    vus: RangeInclusive<u64>,
) {
    arrival_rate::run(control, ArrivalSchedule::constant(rate, time_unit, duration), vus).await;
}
