//! Storage: SQLite or PostgreSQL behind one pair of pools, one for writes and one for reads.
