//! Metrics: registry, tags, series, sinks, thresholds and the aggregate they end in. Pure: no I/O, no clock.
