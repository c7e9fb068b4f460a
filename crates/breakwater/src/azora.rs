//! Azora: profiles and courses behind three layers of caches.
