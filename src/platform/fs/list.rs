//! The names in a directory, straight from the kernel.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::RawDir;
use rustix::io::Errno;

/// Calls `each` with every name in `dir` but `.` and `..`, in the order of the file system. `buffer` is reused between
/// calls. The directory must be open for reading and at its start.
pub fn list_dir(dir: BorrowedFd<'_>, buffer: &mut Vec<u8>, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    buffer.clear();
    buffer.reserve(64 << 10);
    let mut names = RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = names.next() {
        match entry {
            Ok(entry) => {
                let name = entry.file_name().to_bytes();
                if name != b"." && name != b".." {
                    each(name);
                }
            }
            Err(Errno::INTR) => {}
            // Opened for passing through only, because it may not be read.
            Err(Errno::BADF) => return Err(Errno::ACCESS.into()),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}
