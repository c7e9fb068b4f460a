//! What a server does, written in one string: plain bytes are sent, a few rare ones are its other deeds.

use std::collections::VecDeque;

use super::shapes::mark;

/// A connection's other end, told beforehand.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) is_head: bool,
    /// Bytes of the request that are taken before the first `TAKE`.
    pub(super) window_bytes: usize,
    pub(super) deeds: VecDeque<Deed>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Sends these bytes, which come in one read.
    Send(Vec<u8>),
    /// Says nothing more before the next request.
    Pause,
    /// Takes more of the request.
    Take,
    /// Takes nothing more of it, and says so.
    Refuse,
    Close,
    Reset,
}

impl Script {
    /// The first byte tells the requests: `H` for HEAD, `P` for one that the server takes in pieces.
    pub(super) fn parse(data: &[u8]) -> Self {
        let (kind, data) = data.split_first().unwrap_or((&b'G', &[]));
        let mut deeds = VecDeque::new();
        let mut bytes = Vec::new();
        for byte in data {
            let deed = match *byte {
                mark::SPLIT => None,
                mark::PAUSE => Some(Deed::Pause),
                mark::TAKE => Some(Deed::Take),
                mark::REFUSE => Some(Deed::Refuse),
                mark::CLOSE => Some(Deed::Close),
                mark::RESET => Some(Deed::Reset),
                byte => {
                    bytes.push(byte);
                    continue;
                }
            };
            send(&mut deeds, &mut bytes);
            deeds.extend(deed);
        }
        send(&mut deeds, &mut bytes);
        let window_bytes = if *kind == b'P' { 10 } else { usize::MAX };
        Self { is_head: *kind == b'H', window_bytes, deeds }
    }
}

fn send(deeds: &mut VecDeque<Deed>, bytes: &mut Vec<u8>) {
    if !bytes.is_empty() {
        deeds.push_back(Deed::Send(std::mem::take(bytes)));
    }
}
