//! Destroy by a real command through the real hook, undo by the real binary, compare by other means.

mod anew;
mod around;
mod beside;
mod conflicts;
mod failures;
mod in_part;
mod made;
mod merged;
mod policies;
mod redo;
mod rounds;
mod rows;
mod together;

use crate::env::TestEnv;
use crate::fs_compare::{Tree, tree};

/// A project with everything that hurts to lose: committed, dirty, staged, untracked, ignored, odd names, links,
/// modes, an empty directory, a branch, a stash, a tag, a remote.
pub fn project() -> TestEnv {
    let env = TestEnv::new();
    let setup = r#"
        git init -q && mkdir -p src/deep docs empty build old
        printf 'one\ntwo\nthree\n' > src/main.rs; printf 'lib\n' > src/deep/lib.rs; printf 'guide\n' > docs/guide.md
        printf 'a=1\n' > config.yml; printf '#!/bin/sh\nrm -rf docs\necho changed > config.yml\necho new > made.txt\n' > destroy.sh
        chmod 750 destroy.sh; printf 'x\n' > old/x; printf '.env\nbuild/\n' > .gitignore; ln -s src/main.rs link
        git add . && git commit -qm one && printf 'four\n' >> src/main.rs && git commit -qam two
        git init -q --bare ../remote.git && git remote add origin ../remote.git && git push -q origin main
        git branch topic && git tag -a v1 -m v1 && git checkout -q -b feature && printf 'f\n' > src/feature.rs
        git add . && git commit -qm feature && git checkout -q main && printf 'stashed\n' >> docs/guide.md && git stash -q
        printf 'two stashed\n' >> config.yml && git stash -q
        printf 'SECRET=1\n' > .env; printf 'obj\n' > build/out.o; printf 'note\n' > 'a note.txt'
        printf 'dirty\n' >> src/main.rs; printf 'staged\n' > staged.txt; git add staged.txt; printf 'b=2\n' >> config.yml
        printf 'odd\n' > $'new\nline.txt'; printf 'odd\n' > $'caf\xe9.txt'; printf 'odd\n' > -rf; mkfifo pipe
        ln old/x old/hard; chmod 640 docs/guide.md
    "#;
    env.sh(&format!("set -e\n{setup}")).ok();
    env
}

/// What the project looks like: every file, and git's own view.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub files: Tree,
    git: String,
}

/// Takes a picture. The repository's own files are compared through git; reflogs of branches that are there may grow.
pub fn picture(env: &TestEnv) -> Picture {
    let mut files = tree(&env.project);
    files.retain(|path, _| !path.starts_with(".git"));
    let git = [
        "git for-each-ref",
        "git symbolic-ref -q HEAD; git rev-parse HEAD",
        "git ls-files -s",
        "git stash list",
        "git config --local --list | sort",
        "git status --porcelain=v2 --branch --ignored",
    ];
    let seen = git.map(|command| env.sh(command)).map(|output| format!("{}{}", output.stdout, output.stderr));
    Picture { files, git: seen.join("--\n") }
}

impl Picture {
    /// Takes over the project directory's own time from another picture.
    pub fn set_root_time_of(&mut self, other: &Picture) {
        let root = std::path::Path::new("");
        let time = other.files[root].mtime_ns;
        self.files.get_mut(root).unwrap().mtime_ns = time;
    }

    /// The same without the times of directories.
    pub fn without_directory_times(mut self) -> Picture {
        self.files.values_mut().filter(|seen| seen.kind == "dir").for_each(|seen| seen.mtime_ns = 0);
        self
    }

    /// The same without any times: for two worlds in which the same was done.
    pub fn without_times(mut self) -> Picture {
        self.files.values_mut().for_each(|seen| seen.mtime_ns = 0);
        self
    }

    /// What another picture shows that this one does not, and the other way round.
    pub fn difference(&self, other: &Picture) -> Vec<String> {
        let mut found = crate::fs_compare::differences(&self.files, &other.files);
        if self.git != other.git {
            found.push(format!("git was\n{}\nand is\n{}", self.git, other.git));
        }
        found
    }

    /// Panics where it shows something else than the other picture.
    #[track_caller]
    pub fn assert_same(&self, before: &Picture) {
        crate::fs_compare::assert_same(&before.files, &self.files);
        assert_eq!(before.git, self.git);
    }
}

/// Panics where the project is not as in the picture.
#[track_caller]
pub fn assert_same(before: &Picture, env: &TestEnv) {
    picture(env).assert_same(before);
}

/// True where the project is as in the picture.
pub fn is_same(before: &Picture, env: &TestEnv) -> bool {
    let now = picture(env);
    before.files == now.files && before.git == now.git
}
