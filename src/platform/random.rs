//! Randomness from the kernel.

/// Fills `buffer` from the kernel's generator. Where that is not there, from time, process id and address layout:
/// ids stay unique, which is all they need to be. Keys use [`key`], which fails instead.
pub fn fill(buffer: &mut [u8]) {
    if rustix::rand::getrandom(&mut *buffer, rustix::rand::GetRandomFlags::empty())
        .is_ok_and(|n| n == buffer.len())
    {
        return;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&super::clock::now_ns().to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    hasher.update(&(std::ptr::from_ref(&hasher).addr()).to_le_bytes());
    hasher.finalize_xof().fill(buffer);
}

/// Thirty-two bytes fit for a key.
pub fn key() -> std::io::Result<[u8; 32]> {
    let mut key = [0u8; 32];
    let got = rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())?;
    if got == key.len() {
        Ok(key)
    } else {
        Err(std::io::Error::other("short read from the kernel's generator"))
    }
}
