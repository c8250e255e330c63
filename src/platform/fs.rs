//! Safe file system calls.
