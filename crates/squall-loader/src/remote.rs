//! Modules from `https://`, kept in a cache on disk so that a run does not depend on the network twice.

/// How remote modules are got. The program hands in its HTTP client; tests hand in a table.
pub trait Fetch {
    /// The text behind an `https://` URL, or why it cannot be had.
    fn get(&self, url: &str) -> Result<String, String>;
}
