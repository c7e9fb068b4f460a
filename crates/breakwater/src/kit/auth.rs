//! Sign-in: password hashes, access tokens, refresh tokens that rotate.
