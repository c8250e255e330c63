//! What a walk leaves out, and why.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Instant;

use super::ignored::Ignored;
use crate::model::Missing;
use crate::platform::fs::{FileKind, Stat, open_absolute, stat_fd};

/// Directories that a build or package manager makes again. They are left out of a working tree's snapshot, and only
/// where git ignores them: a directory of this name that somebody versioned or never ignored is data.
const REGENERABLE: &[&[u8]] = &[
    b"node_modules",
    b"bower_components",
    b"target",
    b".venv",
    b"venv",
    b"__pycache__",
    b".tox",
    b".nox",
    b".eggs",
    b".mypy_cache",
    b".pytest_cache",
    b".ruff_cache",
    b".gradle",
    b".next",
    b".nuxt",
    b".svelte-kit",
    b".parcel-cache",
    b".turbo",
    b".cache",
    b".terraform",
    b".stack-work",
    b"dist-newstyle",
    b".zig-cache",
    b"zig-cache",
    b"elm-stuff",
    b".dart_tool",
    b"_build",
    b"Pods",
    b"DerivedData",
];

/// The rules of one walk.
pub struct Rules {
    /// For a working tree: what git ignores. Named targets are taken whatever git thinks of them.
    pub workspace: Option<Ignored>,
    /// The repository at the root is the git system's: `.git` is left out there, and only there.
    pub spares_repository: bool,
    /// The root is a directory that many share (`/tmp`, a home): only its own small files are taken.
    pub shallow: bool,
    /// The largest ignored file that is taken, bytes.
    pub ignored_file_bytes: u64,
    /// The store's own directory: device and inode.
    pub store: Option<(u64, u64)>,
    /// The file system that the walk began on.
    pub dev: u64,
    /// The most files.
    pub max_files: u64,
    /// The most bytes.
    pub max_bytes: u64,
    /// When to stop.
    pub deadline: Option<Instant>,
}

/// What to do with a name.
pub enum Verdict {
    /// Take it.
    Take,
    /// Leave it out of the listing altogether: another system has it.
    Hide,
    /// Note that it is there, and say why it was not taken.
    Skip(String),
}

impl Rules {
    /// Whether the directory or file `name` in `dir`, which is `above` relative to the walk's root, is taken.
    pub fn judge(&self, dir: BorrowedFd<'_>, above: &[u8], name: &[u8], stat: &Stat) -> Verdict {
        if self.spares_repository && name == b".git" && above.is_empty() {
            return Verdict::Hide;
        }
        match stat.kind() {
            FileKind::Dir => self.judge_dir(dir, above, name, stat),
            FileKind::File => match &self.workspace {
                Some(_) if self.shallow && stat.size > self.ignored_file_bytes => {
                    Verdict::Skip("a large file in a shared directory".to_owned())
                }
                Some(ignored)
                    if stat.size > self.ignored_file_bytes
                        && ignored.is_ignored(&joined(above, name), false) =>
                {
                    let limit = self.ignored_file_bytes;
                    Verdict::Skip(format!("{IGNORED} and larger than {limit} bytes"))
                }
                // A `.git` file leads to the repository of a linked working tree. Below the root it is a submodule's,
                // and goes and comes with it.
                Some(_) if name == b".git" && above.is_empty() => Verdict::Hide,
                _ => Verdict::Take,
            },
            _ => Verdict::Take,
        }
    }

    fn judge_dir(&self, dir: BorrowedFd<'_>, above: &[u8], name: &[u8], stat: &Stat) -> Verdict {
        if self.store == Some((stat.dev, stat.ino)) {
            return Verdict::Skip("it is the recorder's own store".to_owned());
        }
        if self.shallow {
            return Verdict::Skip("below a shared directory, which is not taken as a whole".to_owned());
        }
        if stat.dev != self.dev {
            if self.workspace.is_some() {
                return Verdict::Skip("another file system is mounted there".to_owned());
            }
            if is_made_up(dir, name) {
                return Verdict::Skip("a file system of the kernel is mounted there".to_owned());
            }
        }
        match &self.workspace {
            Some(_) if name == b".git" => Verdict::Hide,
            Some(ignored)
                if REGENERABLE.contains(&name) && ignored.is_ignored(&joined(above, name), true) =>
            {
                Verdict::Skip(format!("{IGNORED} and made again by its tool"))
            }
            _ => Verdict::Take,
        }
    }

    /// The time is up.
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// How the reason begins why something that git ignores was left out.
const IGNORED: &str = "ignored by git";

/// Something that git ignores was left out of a working tree's snapshot.
pub fn is_ignored_by_git(missing: &Missing) -> bool {
    missing.why.starts_with(IGNORED)
}

/// `name` in the directory `above`, which may be the root: empty.
pub fn joined(above: &[u8], name: &[u8]) -> Vec<u8> {
    if above.is_empty() { name.to_vec() } else { [above, b"/", name].concat() }
}

/// proc, sysfs, cgroups, devpts and their like: walking them is endless and restoring them means nothing.
/// Numbers: `linux/magic.h`.
fn is_made_up(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    const MAGICS: &[i64] = &[
        0x9fa0,
        0x6265_6572,
        0x6367_7270,
        0x0027_e0eb,
        0x1cd1,
        0x7462_6e6f,
        0x6462_6720,
        0x7472_6163,
        0xcafe_4a11,
    ];
    let Ok(fd) = crate::platform::fs::open_beneath(dir, name) else { return false };
    crate::platform::fs::file_system_magic(&fd).is_ok_and(|magic| MAGICS.contains(&magic))
}

/// Device and inode of the store's directory, `None` where there is none yet.
pub fn store_identity(store_home: &Path) -> Option<(u64, u64)> {
    let real = std::fs::canonicalize(store_home).ok()?;
    let fd = open_absolute(std::os::unix::ffi::OsStrExt::as_bytes(real.as_os_str())).ok()?;
    stat_fd(&fd).ok().map(|s| (s.dev, s.ino))
}
