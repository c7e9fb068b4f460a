//! Blocks of header fields, beside another's codec.

#![no_main]

use loona_hpack::{Decoder, Encoder};
use squall_http::fuzzing::{Field, HeaderDecoder, HeaderEncoder, blocks, hpack};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hpack(data);
    reads_alike(data);
    writes_readably(data);
});

fn reads_alike(data: &[u8]) {
    let (mut ours, mut theirs) = (HeaderDecoder::default(), decoder());
    for (number, block) in blocks(data).enumerate() {
        match (ours.fields(block), read(&mut theirs, block)) {
            (Some(ours), Some(theirs)) => assert_eq!(ours, theirs),
            // They take a block for wrong that says nothing but the table's size.
            (Some(ours), None) => return assert_eq!(ours, []),
            (None, Some(_)) => {
                let is_long = block.windows(4).any(|bytes| bytes.iter().all(|byte| byte & 0x80 != 0));
                assert!(is_long || has_late_size(data, number, block), "we refuse what they read");
                return;
            }
            (None, None) => return,
        }
    }
}

/// One that has agreed on a table of the usual size.
fn decoder() -> Decoder<'static> {
    let mut decoder = Decoder::new();
    decoder.set_max_allowed_table_size(4096);
    decoder
}

fn read(decoder: &mut Decoder<'_>, block: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    decoder.decode_with_cb(block, |name, value| fields.push((name.to_vec(), value.to_vec()))).ok()?;
    Some(fields)
}

/// They do not mind a table's size behind a field.
fn has_late_size(data: &[u8], number: usize, block: &[u8]) -> bool {
    (1..block.len()).filter(|at| block[*at] & 0xe0 == 0x20).any(|at| {
        let mut decoder = decoder();
        blocks(data).take(number).for_each(|block| drop(read(&mut decoder, block)));
        read(&mut decoder, &block[..at]).is_some()
    })
}

/// Fields out of arbitrary bytes: what either writes the other reads.
fn writes_readably(data: &[u8]) {
    let (mut ours, mut theirs) = (HeaderEncoder::default(), Encoder::new());
    let (mut our_reader, mut their_reader) = (HeaderDecoder::default(), Decoder::new());
    for block in blocks(data) {
        let fields: Vec<Field> = block
            .split(|byte| *byte == 0)
            .map(|field| field.split_at(field.len().min(3)))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .collect();
        let borrowed = || fields.iter().map(|(name, value)| (&name[..], &value[..]));
        let block = ours.block(borrowed());
        let read = their_reader.decode(&block).expect("what we write");
        assert_eq!(read, fields, "what we write");
        let block = theirs.encode(borrowed());
        assert_eq!(our_reader.fields(&block).as_ref(), Some(&fields), "what they write");
    }
}
