//! Caches: in the process or in Redis, filled once however many ask at the same time.
