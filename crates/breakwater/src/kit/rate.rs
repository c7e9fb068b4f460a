//! Rate limits by client.
