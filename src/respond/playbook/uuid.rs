//! UUIDs of names: the same name has the same id, on every machine. CACAO lets a playbook have one of version 5 (RFC 9562,
//! section 5.5) and wants version 4 of its steps: theirs are the same bits, as pseudo-random as a hash is.

use crate::model::Uid;

/// The namespace of all ids here: version 5 of `https://example.invalid/fr/playbooks` in the URL namespace, as a constant.
const OURS: [u8; 16] =
    [0x3d, 0x5b, 0x2f, 0x6e, 0x8a, 0x41, 0x5c, 0x0e, 0x9b, 0x7a, 0x66, 0x72, 0x70, 0x62, 0x6b, 0x01];

/// The id of a name, of version 5.
pub fn of(name: &str) -> String {
    with_version(name, 0x50)
}

/// The id of a name, of version 4.
pub fn v4_of(name: &str) -> String {
    with_version(name, 0x40)
}

fn with_version(name: &str, version: u8) -> String {
    // SHA-1 is what the version is defined by; libgit2 has one.
    let mut text = OURS.to_vec();
    text.extend_from_slice(name.as_bytes());
    let mut id = sha1(&text);
    id[6] = (id[6] & 0x0f) | version;
    id[8] = (id[8] & 0x3f) | 0x80;
    let hex = Uid(id).to_string();
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The first 16 bytes of SHA-1 (RFC 3174). It names things here and proves nothing.
fn sha1(text: &[u8]) -> [u8; 16] {
    let mut h: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(text.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w: Vec<u32> =
            block.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        for i in 16..80 {
            w.push((w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = h;
        for (i, word) in w.iter().enumerate() {
            let (f, k) = match i {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let sum = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
        }
        for (sum, part) in h.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut out = [0; 16];
    for (bytes, part) in out.chunks_exact_mut(4).zip(h) {
        bytes.copy_from_slice(&part.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3174, section 7.3, the first test, and one of more than a block.
    #[test]
    fn the_hash_is_sha_1() {
        assert_eq!(Uid(sha1(b"abc")).to_string(), "a9993e364706816aba3e25717850c26c");
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(Uid(sha1(long)).to_string(), "84983e441c3bd26ebaae4aa1f95129e5");
    }

    #[test]
    fn an_id_is_of_version_5_and_always_the_same() {
        let id = of("git-force-push");
        assert_eq!((id.len(), id.as_bytes()[14], id == of("git-force-push")), (36, b'5', true));
        assert_ne!(id, of("git-local-loss"));
    }
}
