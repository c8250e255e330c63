//! The key of redaction tags: 32 random bytes in `$FR_HOME/key`, made once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::platform::{home::Home, random};

/// Tags secrets. Nothing is read or made before the first secret is found.
pub struct TagKey {
    path: PathBuf,
    key: OnceLock<Option<[u8; 32]>>,
}

impl TagKey {
    /// The key of the store at `home`.
    pub fn load(home: &Home) -> TagKey {
        TagKey { path: home.key(), key: OnceLock::new() }
    }

    /// No key at all: nothing is read or made, and no two secrets are told apart.
    pub fn none() -> TagKey {
        TagKey { path: PathBuf::new(), key: OnceLock::from(None) }
    }

    /// Eight hex digits that equal secrets share within one store; `-` where the key can be neither read nor made:
    /// the secret is redacted all the same.
    pub fn tag(&self, secret: &[u8]) -> String {
        match self.key.get_or_init(|| read_or_make(&self.path).ok()) {
            Some(key) => {
                blake3::keyed_hash(key, secret).to_hex().as_str().get(..8).unwrap_or("-").to_string()
            }
            None => "-".to_string(),
        }
    }
}

fn read_or_make(path: &Path) -> io::Result<[u8; 32]> {
    match read(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => make(path),
        found => found,
    }
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut key = [0; 32];
    OpenOptions::new().read(true).custom_flags(nofollow).open(path)?.read_exact(&mut key)?;
    Ok(key)
}

/// Writes the whole key under a name of its own, then links it to its place: whoever comes second finds a complete
/// key there, never half of one, and takes it.
fn make(path: &Path) -> io::Result<[u8; 32]> {
    let dir = path.parent().ok_or(io::ErrorKind::NotFound)?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let key = random::key()?;
    let mut unique = [0; 8];
    random::fill(&mut unique);
    let draft = dir.join(format!(".key-{:016x}", u64::from_le_bytes(unique)));
    let written = write(&draft, &key).and_then(|()| std::fs::hard_link(&draft, path));
    let _ = std::fs::remove_file(&draft);
    match written {
        Ok(()) => {
            // The directory entry must outlive a power cut, or later tags would differ from these.
            File::open(dir)?.sync_all()?;
            Ok(key)
        }
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(cause) => Err(cause),
    }
}

fn write(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_key_however_many_make_it_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("deep/home"));
        let tags: Vec<String> = std::thread::scope(|scope| {
            let tag = || TagKey::load(&home).tag(b"s3cret");
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(tag)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(tags.iter().all(|tag| *tag == tags[0] && tag.len() == 8), "{tags:?}");
        assert_eq!(std::fs::metadata(home.key()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&home.root).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(&home.root).unwrap().count(), 1, "drafts are gone");
        let other = Home::at(dir.path().join("other"));
        assert_ne!(TagKey::load(&other).tag(b"s3cret"), tags[0], "another store, another tag");
    }

    #[test]
    fn without_a_key_the_secret_still_goes() {
        let home = Home::at("/proc/nowhere");
        assert_eq!(TagKey::load(&home).tag(b"x"), "-");
        assert_eq!(
            super::super::redact(b"--password=x1", &TagKey::load(&home)),
            b"--password=[REDACTED:assign:-]"
        );
    }
}
