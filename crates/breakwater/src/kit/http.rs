//! What every request passes: request ids, security headers, size limits, metrics.
