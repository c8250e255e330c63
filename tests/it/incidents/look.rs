//! What the table compares, seen by other means than `fr`'s: a walk of its own (`fs_compare`) and the real git.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::env::TestEnv;
use crate::fs_compare::{Tree, differences, tree_but};

/// What git says of the project, each with its name. Locks are left alone, so looking writes no index.
const OF_PROJECT: &[(&str, &str)] = &[
    ("HEAD", "git symbolic-ref -q HEAD; git rev-parse --verify -q HEAD"),
    ("refs", "git for-each-ref --format='%(refname) %(objectname) %(objecttype) %(symref) %(upstream)'"),
    ("index", "git ls-files -s -z | tr '\\0' '\\n'"),
    ("index flags", "git ls-files -v -z | tr '\\0' '\\n'"),
    ("status", "git status --porcelain=v2 --branch --ignored -uall -z | tr '\\0' '\\n'"),
    ("diff", "git -c diff.autoRefreshIndex=false diff --binary --no-ext-diff"),
    ("staged", "git diff --cached --binary --no-ext-diff"),
    ("stash", "git stash list --format='%gd %H %T %gs'"),
    ("configuration", "git config --local --list | sort"),
    ("hooks", "cd .git/hooks && ls -l --time-style=+ && sha256sum *"),
    ("excludes", "cat .git/info/exclude"),
    ("notes", "git notes show main"),
    (
        "in progress",
        "cd .git && ls -d *_HEAD rebase-* sequencer MERGE_* BISECT_* | grep -v -e ORIG_HEAD -e FETCH_HEAD",
    ),
    // Every object that a ref, the index or a reflog names is there and whole.
    ("objects", "git fsck --full --strict --no-dangling --no-progress 2>&1 | grep -v ^notice:"),
];

/// What git says of the remote.
const OF_REMOTE: &[(&str, &str)] = &[
    (
        "remote refs",
        "git --git-dir=../remote.git for-each-ref; git --git-dir=../remote.git symbolic-ref HEAD",
    ),
    ("remote log", "git --git-dir=../remote.git log --format='%H %s' --all"),
    ("remote objects", "git --git-dir=../remote.git fsck --full --no-dangling --no-progress 2>&1"),
];

/// Everything below the world's root but the store, the remote's and the repository's own files, which git is asked about.
#[derive(Clone, PartialEq)]
pub struct Picture {
    files: Tree,
    git: BTreeMap<&'static str, String>,
    logs: BTreeMap<PathBuf, String>,
}

impl Picture {
    /// Looks at a world; at the repository's own files too, if they must come back byte for byte.
    pub fn of(env: &TestEnv, whole_repository: bool) -> Picture {
        let mut hidden = vec![env.fr_home.clone(), env.root().join("remote.git")];
        if !whole_repository {
            hidden.push(env.project.join(".git"));
        }
        let ask = |(name, line): &(&'static str, &str)| {
            let mut shell = env.command("bash");
            // The project may be gone: then there is nothing to ask.
            if !env.project.exists() {
                return (*name, "no project".to_owned());
            }
            shell.args(["--norc", "--noprofile", "-c", line]).env("GIT_OPTIONAL_LOCKS", "0");
            let out = shell.output().unwrap();
            (
                *name,
                format!("{}{}", out.stdout.escape_ascii(), out.stderr.escape_ascii()).replace("\\n", "\n"),
            )
        };
        Picture {
            files: tree_but(env.root(), &hidden),
            git: OF_PROJECT.iter().chain(OF_REMOTE).map(ask).collect(),
            logs: logs(&env.project.join(".git/logs")),
        }
    }

    /// Without these paths (relative to the world's root), which cannot come back.
    pub fn without(mut self, residue: &[&str]) -> Picture {
        self.files.retain(|path, _| !residue.iter().any(|gone| path == Path::new(gone)));
        self
    }

    /// Only what is at or below this path, and git's view.
    pub fn within(mut self, top: &str) -> Picture {
        self.files.retain(|path, _| path.starts_with(top));
        self
    }

    /// Without the times of these paths.
    pub fn without_times_of(mut self, paths: &[&str]) -> Picture {
        self.files
            .iter_mut()
            .filter(|(at, _)| paths.iter().any(|p| *at == Path::new(p)))
            .for_each(|(_, s)| s.mtime_ns = 0);
        self
    }

    /// The files alone, without git's view.
    pub fn files_only(self) -> Picture {
        Picture { files: self.files, git: BTreeMap::new(), logs: BTreeMap::new() }
    }

    /// All in which a later picture differs. A reflog may have grown: moving a ref back is written down, as git does.
    pub fn differences(&self, later: &Picture) -> Vec<String> {
        let mut found = differences(&self.files, &later.files);
        for (name, was) in &self.git {
            let is = &later.git[name];
            if was != is {
                found.push(format!("{name} was\n{was}\nand is\n{is}"));
            }
        }
        for path in self.logs.keys().chain(later.logs.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (was, is) = (self.logs.get(path), later.logs.get(path));
            let may_grow = path != Path::new("refs/stash");
            let same = was == is
                || matches!((was, is), (Some(was), Some(is)) if may_grow && is.starts_with(was.as_str()));
            if !same {
                found.push(format!("reflog {} was\n{was:?}\nand is\n{is:?}", path.display()));
            }
        }
        found
    }
}

/// The reflogs as files, by path below `.git/logs`.
fn logs(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => {
                    let name = entry.path().strip_prefix(root).unwrap().to_path_buf();
                    found.insert(
                        name,
                        String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned(),
                    );
                }
            }
        }
    }
    found
}
