//! Connex: the accounts API.
