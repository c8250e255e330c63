//! A scratch directory, a store in memory, and the way of one command through the system.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fr::error::{Error, Result};
use fr::model::{
    Bytes, Capture, Captured, Effect, EffectClass, Locator, ObjectId, ObjectKind, ObjectSink, ObjectSource,
    Reversibility, StateRef, Step, StepOutcome, StepVerdict, SystemId,
};
use fr::systems::files::Files;
use fr::systems::{ApplyCx, Caps, CaptureCx, PlanCx, System};

use crate::fs_compare::{Tree, tree};

/// Objects in memory.
#[derive(Default)]
pub struct Memory {
    pub objects: Mutex<HashMap<ObjectId, (ObjectKind, Vec<u8>)>>,
    pub blobs_put: AtomicU64,
    pub largest: AtomicU64,
    /// Forget contents, keep only what describes: for tests of memory.
    pub drop_blobs: bool,
}

impl ObjectSink for Memory {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        let id = ObjectId::of(kind, content);
        self.largest.fetch_max(content.len() as u64, Ordering::Relaxed);
        if kind == ObjectKind::Blob {
            self.blobs_put.fetch_add(1, Ordering::Relaxed);
            if self.drop_blobs {
                return Ok(id);
            }
        }
        self.objects.lock().unwrap().insert(id, (kind, content.to_vec()));
        Ok(id)
    }
    fn has(&self, id: &ObjectId) -> bool {
        self.objects.lock().unwrap().contains_key(id)
    }
}

impl ObjectSource for Memory {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let objects = self.objects.lock().unwrap();
        objects.get(id).map(|(_, b)| b.clone()).ok_or_else(|| Error::corrupt(format!("no object {id}")))
    }
}

/// A scratch directory with a store beside it.
pub struct Bench {
    pub tmp: tempfile::TempDir,
    pub store: Memory,
    pub caps: Caps,
}

/// A recorded command.
pub struct Recorded {
    pub captured: Vec<Captured>,
}

impl Bench {
    pub fn new() -> Bench {
        let tmp = tempfile::tempdir().unwrap();
        for dir in ["work", "home/cache", "home/git"] {
            std::fs::create_dir_all(tmp.path().join(dir)).unwrap();
        }
        Bench { tmp, store: Memory::default(), caps: Caps::default() }
    }

    /// The directory commands run in, free of links.
    pub fn work(&self) -> PathBuf {
        self.tmp.path().canonicalize().unwrap().join("work")
    }

    pub fn cx(&self, contents: bool) -> CaptureCx<'_> {
        let home = self.tmp.path().join("home");
        CaptureCx {
            sink: &self.store,
            source: &self.store,
            caps: &self.caps,
            saving: fr::systems::Saving::NONE,
            contents,
            cache: home.join("cache"),
            vault: home.join("git"),
            store_home: home,
            deadline: None,
            left: None,
        }
    }

    /// Runs a line of bash in the work directory; it must succeed.
    pub fn sh(&self, line: &str) {
        let out = Command::new("bash").args(["-ec", line]).current_dir(self.work()).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn effect(&self, path: impl AsRef<Path>, scope: &str, class: EffectClass) -> Effect {
        let at = Bytes::from(self.work().join(path.as_ref()));
        Effect {
            system: SystemId::new("fs"),
            class,
            resource: Bytes([b"path:", path.as_ref().as_os_str().as_encoded_bytes()].concat()),
            reversibility: Reversibility::Exact,
            certain: true,
            locator: Some(Locator {
                at,
                opts: [("scope".to_owned(), Bytes::from(scope))].into(),
                ..Locator::default()
            }),
        }
    }

    pub fn capture(&self, effects: &[Effect]) -> Vec<Capture> {
        let cx = self.cx(true);
        let captures = effects.iter().flat_map(|e| Files.capture(e, &cx).unwrap()).collect();
        fr::systems::files::commit_caches(&cx.cache).unwrap();
        captures
    }

    pub fn observe(&self, capture: &Capture) -> StateRef {
        Files.observe(capture, &self.cx(false)).unwrap()
    }

    /// What a capture describes, times and inodes included.
    pub fn entry(&self, capture: &Capture) -> Option<fr::systems::files::Entry> {
        let bytes = self.store.get(&capture.state.object.unwrap()).unwrap();
        fr::systems::files::decode_state(&bytes).unwrap().entry
    }

    /// The state now, with an empty cache directory.
    pub fn observe_without_cache(&self, capture: &Capture) -> StateRef {
        let cx = CaptureCx { cache: self.tmp.path().join("no-cache"), ..self.cx(false) };
        Files.observe(capture, &cx).unwrap()
    }

    /// Captures, runs, observes.
    pub fn record(&self, effects: &[Effect], line: &str) -> Recorded {
        let captures = self.capture(effects);
        self.sh(line);
        self.finish(captures)
    }

    pub fn finish(&self, captures: Vec<Capture>) -> Recorded {
        let with_after = |before: Capture| {
            let after = Some(self.observe(&before));
            Captured { before, after }
        };
        Recorded { captured: captures.into_iter().map(with_after).collect() }
    }

    pub fn plan(&self, recorded: &Recorded) -> Vec<Step> {
        let cx = PlanCx {
            source: &self.store,
            run: fr::systems::Run::First,
            event: fr::model::EventId(1),
            except: &[],
        };
        let steps = |c: &Captured| Files.plan(c, &self.observe(&c.before), &cx).unwrap();
        recorded.captured.iter().flat_map(steps).collect()
    }

    pub fn apply(&self, step: &Step) -> StepOutcome {
        let vault = self.tmp.path().join("home/git");
        let cx = ApplyCx {
            source: &self.store,
            vault,
            caps: fr::systems::Caps::default(),
            label: "undo-7".to_owned(),
            progress: &|_| {},
        };
        Files.apply(step, &cx).unwrap()
    }

    /// Plans and applies; every step must be done.
    pub fn undo(&self, recorded: &Recorded) {
        for step in self.plan(recorded) {
            assert!(!matches!(step.verdict, StepVerdict::Conflict { .. }), "{step:?}");
            assert_eq!(self.apply(&step), StepOutcome::Done, "{step:?}");
        }
    }

    pub fn restore_to(&self, capture: &Capture, to: &Path) -> StepOutcome {
        let vault = self.tmp.path().join("home/git");
        let cx = ApplyCx {
            source: &self.store,
            vault,
            caps: fr::systems::Caps::default(),
            label: "restore".to_owned(),
            progress: &|_| {},
        };
        Files.restore_to(capture, to, &cx).unwrap()
    }

    pub fn look(&self) -> Tree {
        tree(&self.work())
    }

    /// The whole promise: after the undo everything is as it was, digests agree, a second undo changes nothing.
    pub fn round_trip(&self, effects: &[Effect], line: &str) -> Recorded {
        let before = self.look();
        let recorded = self.record(effects, line);
        assert_ne!(before, self.look(), "{line} changed nothing");
        let steps = self.plan(&recorded);
        self.undo(&recorded);
        crate::fs_compare::assert_same(&before, &self.look());
        for captured in &recorded.captured {
            assert!(captured.before.is_complete(), "{:?}", captured.before.missing);
            assert_eq!(self.observe(&captured.before).digest, captured.before.state.digest);
        }
        for step in steps.iter().chain(&self.plan(&recorded)) {
            assert_eq!(self.apply(step), StepOutcome::Done);
        }
        crate::fs_compare::assert_same(&before, &self.look());
        recorded
    }
}
