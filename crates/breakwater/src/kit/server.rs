//! Accepting connections, time limits of slow clients, draining at the end.
