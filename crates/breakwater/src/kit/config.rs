//! Settings: flags, environment variables, a file, defaults, in this order.
