//! Fluxor: back-pressure at capacity.
