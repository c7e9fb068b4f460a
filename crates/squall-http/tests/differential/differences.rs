//! Where Squall or hyper reads an answer in another way than k6, and why that is all right.

/// Whose reading it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Squall,
    Hyper,
}

/// A known difference to k6.
pub(crate) struct Difference {
    pub(crate) of: Who,
    pub(crate) because: &'static str,
    /// Whether an answer, line ends and all, may show it.
    applies: fn(&[u8]) -> bool,
}

impl Difference {
    pub(crate) fn applies_to(&self, answer: &[u8]) -> bool {
        (self.applies)(&answer.to_ascii_lowercase())
    }
}

const fn of(of: Who, because: &'static str, applies: fn(&[u8]) -> bool) -> Difference {
    Difference { of, because, applies }
}

/// All of them; this list should only get shorter.
pub(crate) const DIFFERENCES: &[Difference] = &[
    of(
        Who::Squall,
        "a blank before the colon hides a length from one reader and shows it to the next: RFC 9112, 5.1",
        has_blank_in_name,
    ),
    of(Who::Squall, "control bytes in the reason are no text: RFC 9112, 4", has_control_in_reason),
    of(Who::Squall, "a status is three digits: Go takes a sign for one of them", has_signed_status),
    of(
        Who::Squall,
        "HTTP/1.1 is asked for, so the answer is HTTP/1: Go takes any version",
        has_other_version,
    ),
    of(
        Who::Squall,
        "with two ways to frame a body the connection is not trusted again: RFC 9112, 6.1",
        has_length_and_chunks,
    ),
    of(Who::Squall, "what `Trailer` announces is of no interest", has_trailer_field),
    of(Who::Hyper, "folded fields are refused", has_fold),
    of(Who::Hyper, "the status line has single spaces", |answer| has(answer, b"http/1.1  ")),
    of(Who::Hyper, "statuses start at 100", |answer| has(answer, b"http/1.1 0")),
    of(Who::Hyper, "empty lines before a head are skipped", |answer| {
        has(answer, b"\n\r\n\r\n") || has(answer, b"\n\n\n") || matches!(answer, [b'\r' | b'\n', ..])
    }),
    of(
        Who::Hyper,
        "lengths are compared as numbers, may be a list, and are not looked at where there is no body",
        has_odd_length,
    ),
    of(Who::Hyper, "another protocol may follow a 101", |answer| has(answer, b"http/1.1 101")),
    of(Who::Hyper, "the last of all codings decides, if there is one", has_odd_coding),
    of(Who::Hyper, "HTTP/1.0 has no chunks, and that is an error", |answer| {
        has(answer, b"http/1.0") && has(answer, b"transfer-encoding")
    }),
    of(Who::Hyper, "sizes may have blanks before an extension, and many digits", has_odd_size),
    of(Who::Hyper, "trailers are fields of one line each", has_odd_trailer),
    of(Who::Hyper, "control bytes, signs, versions: as refused as here", |answer| {
        has_control_in_reason(answer) || has_signed_status(answer) || has_other_version(answer)
    }),
    of(Who::Hyper, "blanks before a colon: as refused as here", has_blank_in_name),
    of(Who::Hyper, "what `Trailer` announces: as ignored as here", has_trailer_field),
];

fn has(answer: &[u8], part: &[u8]) -> bool {
    answer.windows(part.len()).any(|window| window == part)
}

/// Lines without their ends.
fn lines(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// All values of a field.
fn values<'a>(answer: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    lines(answer).filter_map(move |line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
}

fn has_blank_in_name(answer: &[u8]) -> bool {
    lines(answer).any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.len() < line.len() && !name.starts_with(b" ") && name.contains(&b' ')
    })
}

fn status_lines(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(answer).filter(|line| line.starts_with(b"http/"))
}

fn has_control_in_reason(answer: &[u8]) -> bool {
    status_lines(answer).any(|line| line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t'))
}

fn has_signed_status(answer: &[u8]) -> bool {
    has(answer, b"http/1.1 +")
}

fn has_other_version(answer: &[u8]) -> bool {
    status_lines(answer).any(|line| !line.starts_with(b"http/1.1") && !line.starts_with(b"http/1.0"))
}

fn has_length_and_chunks(answer: &[u8]) -> bool {
    values(answer, "content-length").next().is_some() && values(answer, "transfer-encoding").next().is_some()
}

fn has_trailer_field(answer: &[u8]) -> bool {
    values(answer, "trailer").next().is_some()
}

fn has_fold(answer: &[u8]) -> bool {
    has(answer, b"\n ") || has(answer, b"\n\t")
}

fn has_odd_length(answer: &[u8]) -> bool {
    let values: Vec<_> = values(answer, "content-length").map(<[u8]>::trim_ascii).collect();
    let is_length = |value: &[u8]| {
        let digits = std::str::from_utf8(value).ok().filter(|_| value.iter().all(u8::is_ascii_digit));
        digits.is_some_and(|digits| digits.parse::<i64>().is_ok())
    };
    values.iter().any(|value| !is_length(value) || *value != values[0])
}

fn has_odd_coding(answer: &[u8]) -> bool {
    let mut values = values(answer, "transfer-encoding");
    let first = values.next();
    first.is_some_and(|value| value.trim_ascii() != b"chunked") || values.next().is_some()
}

fn is_chunked(answer: &[u8]) -> bool {
    has(answer, b"transfer-encoding")
}

fn has_odd_size(answer: &[u8]) -> bool {
    let is_odd = |line: &[u8]| {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let rest = &line[digits..];
        digits > 16 || digits > 0 && matches!(rest, [b' ' | b'\t', ..]) && rest.contains(&b';')
    };
    is_chunked(answer) && lines(answer).any(is_odd)
}

fn has_odd_trailer(answer: &[u8]) -> bool {
    is_chunked(answer) && has(answer, b"\r\n0") && (has_fold(answer) || has(answer, b"t: 1\n"))
}
