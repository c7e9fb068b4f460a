//! Where an output writes: a file, a compressed file or standard output.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};

use crate::OutputError;

/// An open place to write to.
pub(crate) enum Target {
    File(PathBuf, BufWriter<File>),
    Gzip(PathBuf, Box<GzEncoder<BufWriter<File>>>),
    Stdout(BufWriter<io::Stdout>),
}

impl Target {
    /// Opens standard output for `-`, else creates the file; `.gz` at its end asks for gzip.
    pub(crate) fn open(output: &'static str, path: &str) -> Result<Target, OutputError> {
        if path == "-" {
            return Ok(Target::Stdout(BufWriter::new(io::stdout())));
        }
        let path = PathBuf::from(path);
        let file = match File::create(&path) {
            Ok(file) => BufWriter::new(file),
            Err(source) => return Err(OutputError::Create { output, path, source }),
        };
        Ok(match path.extension() {
            Some(extension) if extension == "gz" => {
                Target::Gzip(path, Box::new(GzEncoder::new(file, Compression::fast())))
            }
            _ => Target::File(path, file),
        })
    }

    /// Writes all that is left, the end of a compressed file too.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Target::Gzip(_, encoder) => {
                encoder.try_finish()?;
                encoder.get_mut().flush()
            }
            Target::File(..) | Target::Stdout(_) => self.flush(),
        }
    }

    /// Makes what was written visible to readers. A compressed file stays as it is: flushing it often
    /// would make it large.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Gzip(..) => Ok(()),
            Target::File(..) | Target::Stdout(_) => self.writer().flush(),
        }
    }

    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        match self {
            Target::File(_, file) => file,
            Target::Gzip(_, encoder) => encoder,
            Target::Stdout(stdout) => stdout,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File(path, _) | Target::Gzip(path, _) => path.display().fmt(f),
            Target::Stdout(_) => f.write_str("standard output"),
        }
    }
}
