//! git: a repository with everything in it that is not pushed anywhere.

use super::git_look::git_look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::Result;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "git",
    title: "a repository with dirty, staged and untracked work, a stash and a branch",
    needs: &["bash", "git", "rm"],
    optional: false,
    asked: false,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident { why: "two commits and all uncommitted work go", line: "git reset -q --hard HEAD~2" },
        Incident { why: "untracked and ignored files go", line: "git clean -qfdx" },
        Incident { why: "unstaged work goes", line: "git checkout -q -- ." },
        Incident { why: "staged and unstaged work goes", line: "git restore -q --staged --worktree ." },
        Incident { why: "a branch that was never pushed goes", line: "git branch -q -D feature" },
        Incident { why: "the only copy of stashed work goes", line: "git stash drop -q" },
        Incident { why: "all work is put into a stash", line: "git stash push -q --include-untracked" },
        Incident { why: "a commit is written anew", line: "git commit -q -a --amend -m amended" },
        Incident { why: "a tag is moved", line: "git tag -f v1 HEAD >/dev/null" },
        Incident { why: "another branch is forced in", line: "git checkout -q -f -B main feature" },
        Incident {
            why: "the work tree is deleted",
            line: "rm -rf src notes.txt && git rm -qf --cached README",
        },
    ],
    anew: &[],
    look: git_look,
    clear: None,
};

/// Three commits on `main`, one on `feature`, a tag, a stash, and on top of it staged, unstaged, untracked and ignored
/// work.
pub(super) const HISTORY: &str = r"
git init -q -b main .
git config user.email drill@example.com
git config user.name Drill
git config commit.gpgSign false
git config gc.auto 0
mkdir -p src/parser docs
printf 'fn main() {}\n' > src/main.rs
printf 'struct Parser;\n' > src/parser/mod.rs
printf 'how to recover\n' > docs/runbook.md
printf 'shop\n' > README
printf '.env\nbuild/\n' > .gitignore
printf '#!/bin/sh\n' > run.sh
chmod 755 run.sh
git add .
git commit -q -m one
git tag v1
printf 'fn two() {}\n' >> src/main.rs
git commit -q -am two
git checkout -q -b feature
printf 'fn feature() {}\n' > src/feature.rs
git add .
git commit -q -m feature
git checkout -q main
printf 'fn three() {}\n' >> src/main.rs
git commit -q -am three
printf 'half an idea\n' >> docs/runbook.md
git stash push -q -m 'half an idea'
";

const WORK: &str = r"
printf 'staged\n' >> README
printf 'fn staged() {}\n' > src/staged.rs
git add README src/staged.rs
printf 'not staged\n' >> src/parser/mod.rs
printf 'more, not staged\n' >> README
rm docs/runbook.md
printf 'call the bank at nine\n' > notes.txt
printf 'SECRET=only-copy\n' > .env
mkdir build
printf 'artefact\n' > build/out
";

fn build(scene: &Scene) -> Result<()> {
    scene.script(HISTORY)?;
    scene.script(WORK)
}
