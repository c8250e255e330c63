//! Shims: links on PATH that are called in place of `rm`, `git`, `kubectl`…, record what is about to be destroyed with
//! its real arguments, and become the real program. `docs/shims.md` says what they see, record and cost.

mod call;
mod find;
mod links;
mod own;

pub use call::{Call, OFF, TRAIL};
pub use find::NotFound;
pub use links::{Links, State, disable, enable, status};

/// The programs that have a shim: those that destroy, and that people and agents call by name.
/// `sed`, shells and interpreters have none: scripts call them thousands of times, and what they write is known from the
/// line or captured with the work tree.
pub const PROGRAMS: &[&str] = &[
    // files
    "rm",
    "rmdir",
    "unlink",
    "mv",
    "cp",
    "ln",
    "dd",
    "truncate",
    "shred",
    "rsync",
    "tee",
    "find",
    "chmod",
    "chown",
    // version control and forges
    "git",
    "gh", //
    // infrastructure and clouds
    "terraform",
    "tofu",
    "kubectl",
    "helm",
    "docker",
    "podman",
    "aws",
    "gcloud",
    "az", //
    // databases
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "redis-cli",
    "mongosh",
];
