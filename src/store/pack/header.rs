//! The first 64 bytes of a pack.

use super::{checksum, u32_at};
use crate::error::{Error, ExitCode, Result};

const MAGIC: [u8; 8] = [0xF7, b'F', b'R', b'P', b'A', b'C', b'K', b'\n'];
const MAJOR: u16 = 1;
const MINOR: u16 = 0;

/// Bytes of the header.
pub(crate) const HEADER: usize = 64;

/// The bytes of a new pack's header. Flags (bit 0: keyed ids, bit 1: sealed blocks) and key id are room: zero.
pub(crate) fn encode() -> [u8; HEADER] {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&MAJOR.to_le_bytes());
    bytes.extend_from_slice(&MINOR.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    let mut random = [0u8; 16];
    crate::platform::random::fill(&mut random);
    bytes.extend_from_slice(&random);
    bytes.extend_from_slice(&[0; 16]);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    let mut out = [0u8; HEADER];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = from;
    }
    out
}

/// Fails where these are not the first bytes of a pack this version can read.
pub(crate) fn check(bytes: &[u8], pack: &str) -> Result<()> {
    let body = bytes.get(..48).filter(|b| b.starts_with(&MAGIC));
    let sum = bytes.get(48..HEADER);
    let (Some(body), Some(sum)) = (body, sum) else {
        return Err(Error::corrupt(format!("pack {pack}: no pack header")));
    };
    if checksum(body) != sum {
        return Err(Error::corrupt(format!("pack {pack}: its header was changed (checksum)")));
    }
    let major = u32_at(body, 8).map_or(0, |v| v & 0xFFFF);
    let flags = u32_at(body, 12).unwrap_or(0);
    if major > u32::from(MAJOR) || flags != 0 {
        let what = format!("pack {pack} has format {major}, flags {flags:#x}; this fr knows {MAJOR}");
        return Err(Error::new(ExitCode::NewerStore, what));
    }
    Ok(())
}
