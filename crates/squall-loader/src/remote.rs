//! Modules from `https://`, kept in a cache on disk so that the next run does not need the network.
//!
//! A cache file is named by the SHA-256 of its URL and holds the URL on the first line, for people who look
//! and against collisions, and the module's text after it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tracing::warn;

/// How remote modules are got. The program hands in its HTTP client; tests hand in a table.
pub trait Fetch {
    /// The text behind an `https://` URL, or why it cannot be had.
    fn get(&self, url: &str) -> Result<String, String>;
}

/// Remote modules: the network behind the cache.
pub(crate) struct Remote {
    pub(crate) fetch: Box<dyn Fetch>,
    /// Where fetched modules are kept.
    pub(crate) cache_dir: Option<PathBuf>,
    /// Fetch again what the cache has.
    pub(crate) refresh: bool,
}

impl Remote {
    /// The text of a module, from the cache when it is there.
    pub(crate) fn get(&self, url: &str) -> Result<String, String> {
        let Some(file) = self.cache_dir.as_deref().map(|directory| cache_file(directory, url)) else {
            return self.fetch.get(url);
        };
        if !self.refresh
            && let Some(text) = read(&file, url)
        {
            return Ok(text);
        }
        let text = self.fetch.get(url)?;
        if let Err(error) = write(&file, url, &text) {
            warn!("cannot keep {url} in the cache: {}: {error}", file.display());
        }
        Ok(text)
    }
}

fn cache_file(directory: &Path, url: &str) -> PathBuf {
    let hash: String = Sha256::digest(url).iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(hash)
}

/// The cached text; nothing when the file is missing, unreadable or another URL's.
fn read(file: &Path, url: &str) -> Option<String> {
    let cached = fs::read_to_string(file).ok()?;
    let (cached_url, text) = cached.split_once('\n')?;
    (cached_url == url).then(|| text.to_owned())
}

/// Writes beside and renames, so that a run that is killed, or another at the same time, leaves no half file.
fn write(file: &Path, url: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    let unfinished = file.with_extension(std::process::id().to_string());
    let mut output = fs::File::create(&unfinished)?;
    write!(output, "{url}\n{text}")?;
    drop(output);
    fs::rename(&unfinished, file)
}
