//! A scratch project with a real remote, an isolated git, and a store in memory.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use fr::error::{Error, Result};
use fr::model::*;
use fr::systems::git::{Git, difference};
use fr::systems::{ApplyCx, Caps, CaptureCx, PlanCx, System};

/// Objects in memory.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<ObjectId, Vec<u8>>>);

impl ObjectSink for Memory {
    fn put(&self, kind: ObjectKind, content: &[u8]) -> Result<ObjectId> {
        let id = ObjectId::of(kind, content);
        self.0.lock().unwrap().insert(id, content.to_vec());
        Ok(id)
    }
    fn has(&self, id: &ObjectId) -> bool {
        self.0.lock().unwrap().contains_key(id)
    }
}
impl ObjectSource for Memory {
    fn get(&self, id: &ObjectId) -> Result<Vec<u8>> {
        let found = self.0.lock().unwrap().get(id).cloned();
        found.ok_or_else(|| Error::failure(format!("object {} is not stored", id.short())))
    }
}

impl Memory {
    /// True where exactly this content was stored.
    pub fn holds(&self, content: &[u8]) -> bool {
        self.0.lock().unwrap().values().any(|c| c == content)
    }
}

/// A project in `work`, a bare remote in `remote.git`, the recorder's state in `fr`.
pub struct Scene {
    pub dir: tempfile::TempDir,
    pub work: PathBuf,
    pub store: Memory,
}

impl Scene {
    /// Three commits on `main` (pushed), a branch `topic`, tags, and one stash.
    pub fn new() -> Scene {
        let scene = Scene::empty();
        scene.git("init -q --bare ../remote.git");
        scene.git("remote add origin ../remote.git");
        for n in 1..=3 {
            scene.write("a.txt", &format!("line {n}\n"));
            scene.write(&format!("dir/f{n}.txt"), &format!("file {n}\n"));
            scene.git("add -A");
            scene.git(&format!("commit -q -m c{n}"));
        }
        scene.git("push -q -u origin main");
        scene.git("switch -q -c topic HEAD~1");
        scene.write("topic.txt", "topic\n");
        scene.git("add -A");
        scene.git("commit -q -m topic");
        scene.git("switch -q main");
        scene.git("tag -a -m annotated v1 HEAD~1");
        scene.git("tag light HEAD~2");
        scene
    }

    /// An unborn repository.
    pub fn empty() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("work");
        fs::create_dir(&work).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        let scene = Scene { dir, work, store: Memory::default() };
        scene.git("init -q");
        scene
    }

    pub fn command(&self, at: &Path) -> Command {
        let mut git = Command::new("git");
        git.current_dir(at).env_clear();
        let path = std::env::var_os("PATH").unwrap();
        let home = self.dir.path().join("home");
        git.env("PATH", path).env("HOME", &home).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        git.env("GIT_EDITOR", "true").env("GIT_TERMINAL_PROMPT", "0");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "T").env(format!("GIT_{who}_EMAIL"), "t@example.org");
        }
        git.args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]);
        git
    }

    pub fn try_git_at(&self, at: &Path, args: &str) -> Output {
        self.command(at).args(args.split_whitespace()).output().unwrap()
    }

    /// Runs git, which must succeed; its output.
    pub fn git_at(&self, at: &Path, args: &str) -> String {
        let out = self.try_git_at(at, args);
        assert!(out.status.success(), "git {args}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    pub fn git(&self, args: &str) -> String {
        self.git_at(&self.work, args)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.work.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work.join(name)).unwrap()
    }

    /// The value of a loose ref, read as a file.
    pub fn git_dir_value(&self, name: &str) -> String {
        fs::read_to_string(self.work.join(".git").join(name)).unwrap()
    }

    /// The one vault repository that was made.
    pub fn only_vault(&self) -> PathBuf {
        let mut vaults = fs::read_dir(self.vault()).unwrap().map(|e| e.unwrap().path());
        let vault = vaults.next().unwrap();
        assert!(vaults.next().is_none());
        vault
    }

    pub fn vault(&self) -> PathBuf {
        self.dir.path().join("fr/git")
    }

    pub fn effect(&self, at: &Path, what: &str) -> Effect {
        let opts = BTreeMap::from([("what".to_owned(), Bytes::from(what))]);
        Effect {
            system: SystemId::new("git"),
            class: EffectClass::Overwrite,
            resource: Bytes::from("git:HEAD"),
            reversibility: Reversibility::Exact,
            certain: true,
            locator: Some(Locator { at: Bytes::from(at), opts, ..Locator::default() }),
        }
    }

    fn with_cx<T>(&self, contents: bool, f: impl FnOnce(&CaptureCx<'_>) -> T) -> T {
        self.with_vault(contents, &self.vault(), Caps::default().tree_bytes, f)
    }

    fn with_vault<T>(
        &self,
        contents: bool,
        vault: &Path,
        tree_bytes: u64,
        f: impl FnOnce(&CaptureCx<'_>) -> T,
    ) -> T {
        let caps = Caps { tree_bytes, ..Caps::default() };
        f(&CaptureCx {
            sink: &self.store,
            source: &self.store,
            caps: &caps,
            saving: fr::systems::Saving::NONE,
            contents,
            cache: self.dir.path().join("fr/cache"),
            vault: vault.to_path_buf(),
            left: None,
            store_home: self.dir.path().join("fr"),
            deadline: None,
        })
    }

    pub fn capture_effect(&self, effect: &Effect) -> Result<Vec<Capture>> {
        self.with_cx(true, |cx| Git.capture(effect, cx))
    }

    /// A capture with its vault elsewhere, and a cap on copies.
    pub fn capture_into(&self, effect: &Effect, vault: &Path, tree_bytes: u64) -> Result<Vec<Capture>> {
        self.with_vault(true, vault, tree_bytes, |cx| Git.capture(effect, cx))
    }

    pub fn capture_at(&self, at: &Path, what: &str) -> Capture {
        let effect = self.effect(at, what);
        let mut captures = self.capture_effect(&effect).unwrap();
        assert_eq!(captures.len(), 1);
        captures.remove(0)
    }

    pub fn capture(&self, what: &str) -> Capture {
        self.capture_at(&self.work, what)
    }

    pub fn observe(&self, capture: &Capture) -> StateRef {
        self.with_cx(false, |cx| Git.observe(capture, cx)).unwrap()
    }

    pub fn steps(&self, captured: &Captured) -> Vec<Step> {
        let now = self.observe(&captured.before);
        Git.plan(
            captured,
            &now,
            &PlanCx {
                source: &self.store,
                run: fr::systems::Run::First,
                event: fr::model::EventId(1),
                except: &[],
            },
        )
        .unwrap()
    }

    pub fn plan(&self, captured: &Captured) -> Step {
        let mut steps = self.steps(captured);
        assert_eq!(steps.len(), 1);
        steps.remove(0)
    }

    pub fn apply(&self, step: &Step) -> StepOutcome {
        Git.apply(step, &self.apply_cx()).unwrap()
    }

    pub fn apply_cx(&self) -> ApplyCx<'_> {
        ApplyCx {
            source: &self.store,
            vault: self.vault(),
            caps: fr::systems::Caps::default(),
            label: "undo 7".to_owned(),
            progress: &|_| {},
        }
    }

    /// Runs what a command does between capture and observation.
    pub fn record(&self, what: &str, run: impl FnOnce(&Scene)) -> Captured {
        let captured = self.record_partial(what, run);
        assert_eq!(captured.before.missing, [], "the capture is complete");
        captured
    }

    /// The same where the capture need not be complete.
    pub fn record_partial(&self, what: &str, run: impl FnOnce(&Scene)) -> Captured {
        let before = self.capture(what);
        run(self);
        let after = self.observe(&before);
        Captured { before, after: Some(after) }
    }

    /// Undoes, with everything that must hold afterwards.
    pub fn undo(&self, captured: &Captured) {
        let step = self.plan(captured);
        assert_eq!(step.verdict, StepVerdict::Restore, "{}", step.action);
        assert_eq!(self.apply(&step), StepOutcome::Done);
        let now = self.observe(&captured.before);
        let left = difference(&captured.before.state, captured.after.as_ref(), &now, &self.store).unwrap();
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(now.digest, captured.before.state.digest, "the state is what it was");
        assert_eq!(self.apply(&step), StepOutcome::Done, "a second run is harmless");
        assert_eq!(self.observe(&captured.before), now, "a second run changes nothing");
        assert_eq!(self.plan(captured).verdict, StepVerdict::Already);
        let fsck = self.try_git_at(&self.work, "fsck --connectivity-only");
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
    }

    /// Records a command, undoes it, and compares what git itself says. The files of the working tree, which are the
    /// files system's, are put back by hand first.
    pub fn round(&self, what: &str, run: impl FnOnce(&Scene)) -> Captured {
        let (files, shot) = (self.files(), self.shot());
        let captured = self.record(what, run);
        assert_ne!(self.shot(), shot, "the command changed something");
        self.undo(&captured);
        self.put_files(&files);
        pretty(&self.shot(), &shot);
        captured
    }

    /// What git says about everything that must come back.
    pub fn shot(&self) -> Vec<String> {
        self.shot_at(&self.work)
    }

    pub fn shot_at(&self, at: &Path) -> Vec<String> {
        let mut shot = Vec::new();
        for args in [
            "for-each-ref --format=%(refname)%20%(objectname)%20%(objecttype)%20%(symref)",
            "status --porcelain=v2 --branch",
            "ls-files -s",
            "stash list --format=%gd%20%H%20%gs",
            "config --local --list",
            "ls-files -v",
            "diff --cached",
            "worktree list",
        ] {
            let args: Vec<String> = args.split(' ').map(|a| a.replace("%20", " ")).collect();
            let out = self.command(at).args(&args).output().unwrap();
            let text = [out.stdout, out.stderr].concat();
            shot.push(format!("$ git {}\n{}", args.join(" "), String::from_utf8_lossy(&text)));
        }
        shot
    }

    pub fn reflog(&self, name: &str) -> Vec<String> {
        self.git(&format!("reflog show --format=%H:%gs {name}")).lines().map(str::to_owned).collect()
    }

    /// Names and contents of the working tree's files.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.work, &mut files);
        files
    }

    pub fn put_files(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        for path in self.files().keys().filter(|p| !files.contains_key(*p)) {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if fs::read(path).ok().as_ref() != Some(bytes) {
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Compares line by line, so that a failure can be read.
pub fn pretty(got: &[String], wanted: &[String]) {
    for (got, wanted) in got.iter().zip(wanted) {
        assert_eq!(got, wanted, "\n--- got\n{got}\n--- wanted\n{wanted}");
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
}
