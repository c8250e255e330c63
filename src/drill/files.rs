//! Files: a directory with everything in it that backup tools have lost, destroyed in the ways that agents do it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::{Error, Result};
use crate::platform;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "files",
    title: "a directory with hostile names, links, modes, times and a hole",
    needs: &["bash", "rm", "mv", "cp", "find", "chmod", "ln", "truncate", "touch", "sed"],
    optional: false,
    asked: false,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident { why: "all of it is deleted", line: "rm -rf data" },
        Incident { why: "a file is written over", line: "echo gone > data/notes.txt" },
        Incident { why: "a file is moved over another one", line: "mv data/notes.txt data/run.sh" },
        Incident { why: "the files are deleted, the directories stay", line: "find data -type f -delete" },
        Incident { why: "modes are lost", line: "chmod -R u=rwX,go= data" },
        Incident { why: "a link is bent to another target", line: "ln -sfn /nowhere data/link" },
        Incident { why: "a large file with a hole is emptied", line: "truncate -s 0 data/disk.img" },
        Incident { why: "a file is edited in place", line: "sed -i s/bank/shop/ data/notes.txt" },
        Incident { why: "a copy replaces what was there", line: "cp -f data/run.sh data/sub/deep/leaf" },
        Incident {
            why: "names that look like options and patterns",
            line: "cd data && rm -rf -- -rf '*' \"a b'c\"",
        },
    ],
    anew: &[],
    look,
    clear: None,
};

/// Names that have broken scripts and tools: an option, a pattern, a substitution, a line break, quotes, no UTF-8.
const HOSTILE: &[&[u8]] =
    &[b"-rf", b"*", b"$(reboot)", b"two\nlines", b"a b'c", b"tab\t\"q\" ", b"caf\xe9", b"\x1b[31m", b"~"];

/// How large the file with a hole is.
const HOLE: u64 = 4 << 20;

fn build(scene: &Scene) -> Result<()> {
    let data = scene.project.join("data");
    make(&data).map_err(|e| Error::io("make", &data, &e))
}

fn make(data: &Path) -> io::Result<()> {
    fs::create_dir_all(data.join("sub/deep"))?;
    fs::create_dir(data.join("empty"))?;
    fs::write(data.join("notes.txt"), "call the bank at nine\n")?;
    fs::write(data.join("run.sh"), "#!/bin/sh\nexit 0\n")?;
    fs::write(data.join("sub/deep/leaf"), [0u8, 159, 146, 150].repeat(40_000))?;
    fs::write(data.join("secret"), "only copy\n")?;
    for name in HOSTILE {
        match fs::write(data.join(OsStr::from_bytes(name)), name) {
            // File systems that take only UTF-8 say so; then there is no such name to lose.
            Err(e) if e.raw_os_error() == Some(Errno::ILSEQ.raw_os_error()) => {}
            made => made?,
        }
    }
    sparse(&data.join("disk.img"))?;
    fs::write(data.join("two-names"), "one file, two names\n")?;
    fs::hard_link(data.join("two-names"), data.join("sub/second-name"))?;
    symlink("notes.txt", data.join("link"))?;
    symlink("no/such/target", data.join("dangling"))?;
    symlink("../../outside", data.join("sub/out"))?;
    platform::fs::make_fifo(File::open(data)?.as_fd(), b"pipe")?;
    attribute(&data.join("notes.txt"))?;
    let outside = data.with_file_name("outside");
    fs::create_dir(&outside)?;
    fs::write(outside.join("not-mine"), "a link leads here\n")?;
    for (name, mode) in [("run.sh", 0o4755), ("secret", 0o400), ("empty", 0o1777), ("sub/deep", 0o750)] {
        fs::set_permissions(data.join(name), Permissions::from_mode(mode))?;
    }
    age(data)
}

/// Data at both ends of a hole.
fn sparse(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(b"first")?;
    file.seek(SeekFrom::Start(HOLE))?;
    file.write_all(b"last")
}

/// An extended attribute, where the file system has them.
fn attribute(path: &Path) -> io::Result<()> {
    match rustix::fs::setxattr(path, "user.drill", b"kept \0 too", XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => Ok(()),
        set => Ok(set?),
    }
}

/// Times that nobody would get by writing now, with a fraction of a second.
fn age(data: &Path) -> io::Result<()> {
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    // The deepest first: what is made in a directory changes the directory's time.
    for name in ["notes.txt", "disk.img", "sub/deep/leaf", "sub/deep", "sub", "empty", "."] {
        File::open(data.join(name))?.set_modified(old)?;
    }
    Ok(())
}

fn look(scene: &Scene) -> Result<Look> {
    let mut look = Look::default();
    look.add_files(&scene.project, None).map_err(|e| Error::io("read", &scene.project, &e))?;
    Ok(look)
}
