//! What a directory lies on: whether the kernel itself encrypts the disk below it (dm-crypt, LUKS), as sysfs tells. What the disk, the
//! hypervisor or the file system encrypt cannot be seen from here, and is not guessed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is seen of a directory's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    /// The kernel encrypts all of it: by this.
    Encrypted(String),
    /// It is seen, and the kernel encrypts nothing of it, or not all.
    Plain(String),
    /// It cannot be seen: why.
    Unseen(String),
}

/// How deep devices are stacked at most (LVM on RAID on LUKS on a partition is four).
const DEEPEST: usize = 16;

/// Looks at what a directory lies on.
pub fn below(dir: &Path) -> Disk {
    let device = match std::fs::metadata(dir) {
        Ok(meta) => meta.dev(),
        Err(error) => return Disk::Unseen(format!("{}: {error}", dir.display())),
    };
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let sysfs = Path::new("/sys/dev/block").join(format!("{major}:{minor}"));
    match sysfs.canonicalize() {
        Ok(at) => seen(&at),
        // Network and memory file systems, overlays and the like have no device of their own.
        Err(_) => Disk::Unseen("its file system has no device of its own that could be looked at".to_owned()),
    }
}

/// What file systems are called whose files lie on another machine (`/proc/self/mountinfo`). Shares of a hypervisor (9p, virtiofs) are
/// none: they lie on the machine below.
const REMOTE: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "lustre",
    "afs",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.ceph-fuse",
];

/// The files of such a file system lie on another machine.
pub fn is_of_another_machine(kind: &str) -> bool {
    REMOTE.contains(&kind)
}

/// What the kernel calls the file system that a path lies on; nothing where it does not say.
///
/// # Errors
/// Where there is no such path, or the list of mounts cannot be read.
pub fn file_system(path: &Path) -> std::io::Result<Option<String>> {
    let device = std::fs::metadata(path)?.dev();
    let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    Ok(kind_of(&std::fs::read_to_string("/proc/self/mountinfo")?, &number))
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: proc_pid_mountinfo(5).
fn kind_of(mounts: &str, device: &str) -> Option<String> {
    let of_device = |line: &&str| line.split(' ').nth(2) == Some(device);
    let line = mounts.lines().find(of_device)?;
    line.split_once(" - ")?.1.split(' ').next().map(str::to_owned)
}

/// By the directory of its device in sysfs.
fn seen(at: &Path) -> Disk {
    let name = at.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match crypt(at, DEEPEST) {
        Some(by) => Disk::Encrypted(by),
        None => Disk::Plain(name),
    }
}

/// The device that encrypts, where all that this one stands on is encrypted.
fn crypt(at: &Path, depth: usize) -> Option<String> {
    let kind = std::fs::read_to_string(at.join("dm/uuid")).unwrap_or_default();
    if kind.starts_with("CRYPT-") {
        let name = std::fs::read_to_string(at.join("dm/name")).unwrap_or_default();
        return Some(format!("dm-crypt {}", name.trim()));
    }
    let slaves: Vec<PathBuf> = std::fs::read_dir(at.join("slaves"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    let depth = depth.checked_sub(1)?;
    // A partition is listed without slaves below its disk; a mirror is encrypted where each half is.
    let all: Option<Vec<String>> = slaves.iter().map(|slave| crypt(slave, depth)).collect();
    all?.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device as sysfs shows it, with what it stands on.
    fn device(root: &Path, name: &str, uuid: Option<&str>, slaves: &[&str]) -> PathBuf {
        let at = root.join(name);
        std::fs::create_dir_all(at.join("slaves")).unwrap();
        if let Some(uuid) = uuid {
            std::fs::create_dir_all(at.join("dm")).unwrap();
            std::fs::write(at.join("dm/uuid"), format!("{uuid}\n")).unwrap();
            std::fs::write(at.join("dm/name"), format!("{name}\n")).unwrap();
        }
        for slave in slaves {
            std::os::unix::fs::symlink(root.join(slave), at.join("slaves").join(slave)).unwrap();
        }
        at
    }

    #[test]
    fn a_share_is_told_from_a_disk_of_this_machine() {
        let mounts = "36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw,errors=continue\n\
                      77 36 0:52 / /mnt/back\\040up rw shared:9 - nfs4 nas:/vol rw,vers=4.2\n";
        assert_eq!(kind_of(mounts, "98:0").as_deref(), Some("ext4"));
        assert_eq!(kind_of(mounts, "0:52").as_deref(), Some("nfs4"));
        assert_eq!(kind_of(mounts, "0:53"), None);
        assert!(is_of_another_machine("nfs4") && !is_of_another_machine("ext4"));
    }

    #[test]
    fn a_disk_is_encrypted_where_all_that_it_stands_on_is() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let plain = device(root, "vda", None, &[]);
        device(root, "vdb", None, &[]);
        let luks = device(root, "luks", Some("CRYPT-LUKS2-0123"), &["vda"]);
        let volume = device(root, "home", Some("LVM-0123"), &["luks"]);
        let half = device(root, "md0", None, &["luks", "vdb"]);
        assert_eq!(seen(&plain), Disk::Plain("vda".to_owned()));
        assert_eq!(seen(&luks), Disk::Encrypted("dm-crypt luks".to_owned()));
        assert_eq!(seen(&volume), Disk::Encrypted("dm-crypt luks".to_owned()));
        assert_eq!(seen(&half), Disk::Plain("md0".to_owned()), "one half of the mirror is plain");
        let turning = device(root, "loop", None, &["loop"]);
        assert_eq!(seen(&turning), Disk::Plain("loop".to_owned()));
    }

    #[test]
    fn what_has_no_device_is_not_guessed_about() {
        assert!(matches!(below(Path::new("/proc")), Disk::Unseen(_)));
        assert!(matches!(below(Path::new("/nowhere/at/all")), Disk::Unseen(_)));
    }
}
