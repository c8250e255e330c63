//! Large files go through in chunks: memory does not grow with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use fr::error::{Error, Result};
use fr::model::EffectClass::{Destroy, Mutate};
use fr::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource, StepOutcome};
use fr::systems::files::Files;
use fr::systems::{ApplyCx, PlanCx, System};

use super::bench::Bench;

/// Objects as files, so that the store itself needs no memory.
struct Dir(PathBuf);

impl ObjectSink for Dir {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        assert!(content.len() <= 8 << 20, "an object of {} bytes", content.len());
        let id = ObjectId::of(kind, content);
        std::fs::write(self.0.join(id.to_string()), content).unwrap();
        Ok(id)
    }
    fn has(&self, id: &ObjectId) -> bool {
        self.0.join(id.to_string()).exists()
    }
}
impl ObjectSource for Dir {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        std::fs::read(self.0.join(id.to_string())).map_err(|e| Error::io("read", id.to_string(), &e))
    }
}

const CHILD: &str = "FR_TEST_BIG_FILE";

/// Runs in a process of its own: the high-water mark of memory is per process.
#[test]
fn child_with_a_big_file() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let dir = Path::new(&dir);
    let b = Bench::new();
    let store = Dir(dir.join("store"));
    std::fs::create_dir(&store.0).unwrap();
    std::fs::rename(dir.join("big"), b.work().join("big")).unwrap();
    let before = b.look();
    let (mut with, mut without) = (b.cx(true), b.cx(false));
    (with.sink, with.source, without.sink, without.source) = (&store, &store, &store, &store);
    let capture = Files.capture(&b.effect("big", "tree", Destroy), &with).unwrap().remove(0);
    assert_eq!(Files.observe(&capture, &without).unwrap().digest, capture.state.digest);
    b.sh("rm big");
    let after = Files.observe(&capture, &without).unwrap();
    let captured = fr::model::Captured { before: capture, after: Some(after) };
    let step = Files
        .plan(
            &captured,
            &after,
            &PlanCx {
                source: &store,
                run: fr::systems::Run::First,
                event: fr::model::EventId(1),
                except: &[],
            },
        )
        .unwrap()
        .remove(0);
    let cx = ApplyCx {
        source: &store,
        vault: PathBuf::new(),
        caps: fr::systems::Caps::default(),
        label: "undo".to_owned(),
        progress: &|_| {},
    };
    assert_eq!(Files.apply(&step, &cx).unwrap(), StepOutcome::Done);
    crate::fs_compare::assert_same(&before, &b.look());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 64 << 10, "peak memory {peak} KiB");
    std::fs::write(dir.join("peak"), peak.to_string()).unwrap();
}

#[test]
fn a_120_mb_file_needs_little_memory() {
    let tmp = tempfile::tempdir().unwrap();
    let line = format!("head -c 120000000 /dev/urandom >{}/big", tmp.path().display());
    assert!(Command::new("bash").args(["-c", &line]).status().unwrap().success());
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::big::child_with_a_big_file"])
        .env(CHILD, tmp.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let peak = std::fs::read_to_string(tmp.path().join("peak")).unwrap();
    eprintln!("peak memory {peak} KiB for a file of 117188 KiB");
}

#[test]
fn one_byte_appended_stores_about_one_chunk() {
    let b = Bench::new();
    b.sh("head -c 40000000 /dev/urandom >big");
    b.capture(&[b.effect("big", "node", Mutate)]);
    let chunks = b.store.objects.lock().unwrap().len();
    assert!(chunks > 6, "{chunks} objects");
    b.sh("echo x >>big; printf 'in front ' | cat - big >new; mv new big");
    b.capture(&[b.effect("big", "node", Mutate)]);
    // New: first and last chunk, perhaps a neighbour each, list and state.
    let more = b.store.objects.lock().unwrap().len() - chunks;
    assert!(more <= 6, "{more} new objects");
}
