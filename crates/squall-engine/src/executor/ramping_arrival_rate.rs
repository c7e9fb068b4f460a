//! `ramping-arrival-rate`: the rate follows a line through the stages; the n-th iteration starts when the area
//! under the line reaches n.

use std::{ops::RangeInclusive, time::Duration};

use squall_options::Stage;

use super::{Control, arrival_rate};
use crate::schedule::ArrivalSchedule;

pub(super) async fn run(
    control: &Control,
    start_rate: u64,
    time_unit: Duration,
    stages: &[Stage],
    vus: RangeInclusive<u64>,
) {
    arrival_rate::run(control, ArrivalSchedule::ramping(start_rate, time_unit, stages), vus).await;
}
