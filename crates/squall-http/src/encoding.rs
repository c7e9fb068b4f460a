//! Content codings: gzip, deflate (zlib), br and zstd, alone or in chains, in both directions.

use std::io::{self, Read, Write};
use std::str::FromStr;

use bytes::Bytes;
use squall_net::{NetError, code};

/// A response may not grow beyond this when decoded: a defence against decompression bombs.
pub const DECODED_BYTES_MAX: u64 = 1 << 30;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950 (zlib), which is what HTTP means by deflate.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// Its name in `Content-Encoding` and in k6's `compression`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            "zstd" => Ok(Self::Zstd),
            _ => Err(UnknownEncoding(name.trim().to_owned())),
        }
    }
}

/// A name that is not an [`Encoding`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression algorithm {0}")]
pub struct UnknownEncoding(pub String);

/// Applies `encodings` in order.
pub fn compress(body: &Bytes, encodings: &[Encoding]) -> io::Result<Bytes> {
    encodings.iter().try_fold(body.clone(), |body, encoding| encode(&body, *encoding))
}

fn encode(body: &[u8], encoding: Encoding) -> io::Result<Bytes> {
    let out = Vec::with_capacity(body.len() / 2);
    let level = flate2::Compression::default();
    let encoded = match encoding {
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            encoder.write_all(body)?;
            encoder.finish()?
        }
        Encoding::Deflate => {
            let mut encoder = flate2::write::ZlibEncoder::new(out, level);
            encoder.write_all(body)?;
            encoder.finish()?
        }
        Encoding::Brotli => {
            let mut encoder = brotli::CompressorWriter::new(out, 4096, 6, 22);
            encoder.write_all(body)?;
            encoder.into_inner()
        }
        Encoding::Zstd => zstd::encode_all(body, zstd::DEFAULT_COMPRESSION_LEVEL)?,
    };
    Ok(encoded.into())
}

/// Undoes a `Content-Encoding`. A chain with an unknown name in it is left as it is, as k6 does.
pub(crate) fn decompress(body: Bytes, content_encoding: &str) -> Result<Bytes, NetError> {
    decompress_up_to(body, content_encoding, DECODED_BYTES_MAX)
}

/// The same; more than `bytes_max` is an error.
pub(crate) fn decompress_up_to(
    body: Bytes,
    content_encoding: &str,
    bytes_max: u64,
) -> Result<Bytes, NetError> {
    let chain: Result<Vec<Encoding>, _> =
        content_encoding.split(',').filter(|name| !name.trim().is_empty()).map(str::parse).collect();
    let Ok(chain) = chain else { return Ok(body) };
    if body.is_empty() {
        return Ok(body);
    }
    chain.iter().rev().try_fold(body, |body, encoding| {
        decode(&body, *encoding, bytes_max).map_err(|error| {
            NetError::new(code::DECOMPRESSION, format!("error decompressing response body ({error})"))
        })
    })
}

fn decode(body: &[u8], encoding: Encoding, bytes_max: u64) -> io::Result<Bytes> {
    let bounded = |reader: &mut dyn Read| read_bounded(reader, body.len(), bytes_max);
    match encoding {
        Encoding::Gzip => bounded(&mut flate2::read::MultiGzDecoder::new(body)),
        Encoding::Deflate => bounded(&mut flate2::read::ZlibDecoder::new(body)),
        Encoding::Brotli => bounded(&mut brotli::Decompressor::new(body, 4096)),
        Encoding::Zstd => bounded(&mut zstd::Decoder::with_buffer(body)?),
    }
}

fn read_bounded(reader: &mut dyn Read, encoded_bytes: usize, bytes_max: u64) -> io::Result<Bytes> {
    let mut decoded = Vec::with_capacity(encoded_bytes.saturating_mul(3).min(1 << 20));
    reader.take(bytes_max + 1).read_to_end(&mut decoded)?;
    if decoded.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("more than {bytes_max} bytes when decoded")));
    }
    Ok(decoded.into())
}
