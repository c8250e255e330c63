//! What a project looks like, by other means than the recorder's: git's own plumbing, and plain reads of every file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::env::TestEnv;

/// Named parts, each as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    parts: BTreeMap<String, String>,
    /// Reflogs: after an undo the old lines are there, perhaps with more behind them.
    logs: BTreeMap<String, String>,
    /// Every object of every repository.
    objects: BTreeMap<String, String>,
}

/// Directly in a git directory, and not compared: git rewrites them with every command, or they are compared through git.
const PASSED: [&str; 10] = [
    "reftable",
    "ORIG_HEAD",
    "FETCH_HEAD",
    "COMMIT_EDITMSG",
    "index",
    "packed-refs",
    "refs",
    "objects",
    "logs",
    "gc.log",
];

/// Takes a picture of the project, the second working tree and the remotes.
pub fn picture(env: &TestEnv) -> Picture {
    let mut picture = Picture { parts: BTreeMap::new(), logs: BTreeMap::new(), objects: BTreeMap::new() };
    let root = env.root();
    for tree in ["project", "wt", "clone", "moved"] {
        picture.walk(env, &root.join(tree), tree);
    }
    for remote in ["remote.git", "backup.git", "third.git"] {
        let refs = env.sh(&format!("git -C ../{remote} for-each-ref")).stdout;
        picture.parts.insert(format!("refs of {remote}"), refs);
    }
    picture
        .parts
        .insert("~/.gitconfig".into(), fs::read_to_string(env.home.join(".gitconfig")).unwrap_or_default());
    picture
}

impl Picture {
    /// Every file; what looks like a git directory is looked at as one.
    fn walk(&mut self, env: &TestEnv, dir: &Path, shown: &str) {
        if dir.join("HEAD").is_file() && (dir.join("objects").is_dir() || dir.join("commondir").is_file()) {
            return self.git_dir(env, dir, shown);
        }
        let Ok(entries) = fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), format!("{shown}/{}", entry.file_name().display()));
            let meta = path.symlink_metadata().unwrap();
            if name.ends_with(".sample") {
                // git's own examples.
            } else if meta.is_dir() {
                self.walk(env, &path, &name);
            } else {
                let content = match fs::read_link(&path) {
                    Ok(target) => format!("-> {}", target.display()),
                    Err(_) => format!("{:o} {}", meta.permissions().mode() & 0o7777, lossy(&path)),
                };
                self.parts.insert(name, content);
            }
        }
    }

    fn git_dir(&mut self, env: &TestEnv, dir: &Path, shown: &str) {
        let git = |args: &str| env.sh(&format!("git --git-dir='{}' {args}", dir.display()));
        for (what, args) in [
            ("HEAD", "rev-parse HEAD; cat HEAD"),
            ("refs", "for-each-ref --format='%(refname) %(objectname) %(symref)'"),
            ("index", "ls-files --stage -v"),
            ("stash", "reflog show --format='%H %gs' refs/stash --"),
        ] {
            let seen = git(args).stdout;
            self.parts.insert(format!("{shown}: {what}"), seen);
        }
        if dir.join("reftable").is_dir() {
            self.tables(env, dir, shown);
        }
        let objects = git("cat-file --batch-all-objects --batch-check='%(objectname)'").stdout;
        self.objects.insert(shown.to_owned(), objects);
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let shown = format!("{shown}/{name}");
            match name.as_str() {
                "logs" => self.logs_below(&entry.path(), &shown),
                _ if PASSED.contains(&name.as_str()) || name.starts_with("sharedindex.") => {}
                "info" => {
                    self.walk(env, &entry.path(), &shown);
                    // Made by `git update-server-info` for dumb servers.
                    self.parts.remove(&format!("{shown}/refs"));
                }
                _ if entry.path().is_dir() => self.walk(env, &entry.path(), &shown),
                _ => drop(self.parts.insert(shown, lossy(&entry.path()))),
            }
        }
    }

    /// What files would show where refs and logs are kept in tables: git says it.
    fn tables(&mut self, env: &TestEnv, dir: &Path, shown: &str) {
        let git = |args: &str| env.sh(&format!("git --git-dir='{}' {args}", dir.display())).stdout;
        let roots = git("for-each-ref --include-root-refs --format='%(refname) %(objectname) %(symref)'");
        let kept = roots.lines().filter(|l| !l.starts_with("refs/") && !l.starts_with("ORIG_HEAD"));
        self.parts.insert(format!("{shown}: root refs"), kept.collect::<Vec<_>>().join("\n"));
        for name in git("reflog list").lines() {
            let format = "--date=raw --format='%H %gd %gn <%ge> %gs'";
            let log = git(&format!("log -g {format} '{name}' --"));
            let oldest_first: Vec<&str> = log.lines().rev().collect();
            self.logs.insert(format!("{shown}/logs/{name}"), oldest_first.join("\n"));
        }
    }

    fn logs_below(&mut self, dir: &Path, shown: &str) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = format!("{shown}/{}", entry.file_name().display());
            match entry.path().is_dir() {
                true => self.logs_below(&entry.path(), &name),
                false => drop(self.logs.insert(name, lossy(&entry.path()))),
            }
        }
    }

    /// What was there in `self` and is not in `now`, and the other way round.
    pub fn differences(&self, now: &Picture) -> Vec<String> {
        let mut found = Vec::new();
        for name in self.parts.keys().chain(now.parts.keys().filter(|n| !self.parts.contains_key(*n))) {
            let (was, is) = (self.parts.get(name), now.parts.get(name));
            // A conflict that was seen is noted for `git rerere`; that takes nothing from anybody.
            let noted = was.is_none() && name.contains("/rr-cache/");
            if was != is && !noted {
                found.push(format!("{name}: was {}, is {}", shown(was), shown(is)));
            }
        }
        for (name, was) in &self.logs {
            match now.logs.get(name) {
                Some(is) if is.starts_with(was) => {}
                is => found.push(format!("{name}: was {}, is {}", shown(Some(was)), shown(is))),
            }
        }
        for (name, was) in &self.objects {
            let is = now.objects.get(name).map(String::as_str).unwrap_or_default();
            let is: std::collections::HashSet<&str> = is.lines().collect();
            let gone = was.lines().filter(|id| !is.contains(id)).count();
            if gone > 0 {
                found.push(format!("{name}: {gone} objects are gone"));
            }
        }
        found
    }

    /// True where a command changed something.
    pub fn is_other(&self, now: &Picture) -> bool {
        self.parts != now.parts || self.logs != now.logs || !self.differences(now).is_empty()
    }
}

fn lossy(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn shown(text: Option<&String>) -> String {
    text.map_or("nothing".to_owned(), |text| format!("{:?}", text.chars().take(600).collect::<String>()))
}
