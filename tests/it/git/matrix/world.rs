//! A project with everything that git can lose, made once and copied for each row: branches with upstreams, tags,
//! notes, stashes, a second working tree, a submodule with work of its own, remotes that only a colleague has fetched.

use std::path::Path;
use std::sync::OnceLock;

use crate::env::TestEnv;

/// What is in the directory that a test owns: `project`, its remotes and what else lies beside it.
const WORLD: &str = r#"
set -e
cd "$ROOT"
git init -q --bare remote.git; git init -q --bare backup.git; git init -q --bare third.git
git -C third.git symbolic-ref HEAD refs/heads/none; git -C remote.git config receive.advertisePushOptions true
git init -q lib && (cd lib && echo lib > lib.txt && git add . && git commit -qm lib && echo two >> lib.txt && git commit -qam lib2)
git clone -q --bare lib lib.git
cd project; git init -q
git remote add origin ../remote.git; git remote add backup ../backup.git
mkdir -p src docs old dir/deep build
printf 'one\ntwo\nthree\nfour\nfive\n' > a.txt; printf 'app\n' > src/app.py; printf 'lib\n' > src/lib.py
printf 'guide\n' > docs/guide.md; printf 'x\n' > old/x; printf 'old\n' > old/y; printf 'deep\n' > dir/deep/d
printf '*.log\nbuild/\n.env\n' > .gitignore; printf 'secret\n' > secret; ln -s a.txt link
printf '#!/bin/sh\necho hi\n' > run.sh; chmod 755 run.sh
git add . && git commit -qm one
printf 'six\n' >> a.txt; git commit -qam two; printf 'app2\n' >> src/app.py; git commit -qam three
git submodule --quiet add ../lib.git sub; git commit -qm submodule
git branch merged; git tag -a v1 -m v1; git tag light HEAD~1
git checkout -q -b dev; printf 'dev\n' > dev.txt; git add .; git commit -qm dev
git checkout -q -b topic HEAD~2; printf 'zero\none\ntwo\n' > a.txt; git commit -qam 'topic conflicts'; printf 't\n' > t.txt; git add t.txt; git commit -qm topic2
git checkout -q main -- 2>/dev/null || git checkout -q main
git submodule --quiet update
git checkout -q -b feature; printf 'f\n' > feature.txt; git add .; git commit -qm feature; git checkout -q main
printf 'main\n' >> docs/guide.md; printf 'changed on main\n' > a.txt; printf 'three\n' >> a.txt; git commit -qam four; git branch old/branch HEAD~2; git branch solo HEAD~1
git notes add -m 'a note' HEAD~1; git notes add -m 'another' HEAD
git push -q -u origin main; git push -q origin dev topic v1 refs/notes/commits; git push -q backup main dev; git branch -q --set-upstream-to=origin/dev dev
git config branch.topic.description 'about topic'
git clone -q ../remote.git ../colleague; git -C ../colleague remote set-url origin ../remote.git
(cd ../colleague; echo colleague > c.txt; git add .; git commit -qm 'the colleague works'; git push -q origin main; git push -q origin HEAD:refs/heads/theirs; git tag release; git push -q origin release)
printf 'stash1\n' >> a.txt; git stash push -q -m s1; printf 'stash2\n' >> src/lib.py; printf 'u\n' > untracked-in-stash; git stash push -q -u -m s2; printf 'stash3\n' >> old/x; git stash push -q -m s3
git worktree add -q ../wt solo; (cd ../wt; printf 'dirty in wt\n' >> a.txt; printf 'new in wt\n' > wt.txt; git add wt.txt; printf 'untracked\n' > un.txt)
(cd sub; git checkout -q -b work; printf 'mine\n' > mine.txt; git add .; git commit -qm 'only here'; git checkout -q -; printf 'dirty\n' >> lib.txt; printf 'u\n' > un.txt; printf 's\n' > staged; git add staged)
git init -q nested; (cd nested; echo n > n; git add n; git commit -qm nested)
git config alias.nuke 'reset --hard'; git config alias.wipe '!git clean -ffdxq && git reset -q --hard'; git config alias.co checkout
git config custom.key value; git config --add custom.key second; git config rerere.enabled true
git config user.name Test; printf '#!/bin/sh\nexit 0\n' > .git/hooks/post-commit; chmod 755 .git/hooks/post-commit
mkdir -p .git/rr-cache/0123456789012345678901234567890123456789; echo pre > .git/rr-cache/0123456789012345678901234567890123456789/preimage
oid=$(echo 'large content' | sha256sum | cut -c-64); mkdir -p .git/lfs/objects/${oid:0:2}/${oid:2:2}; echo 'large content' > .git/lfs/objects/${oid:0:2}/${oid:2:2}/$oid
git branch lost HEAD~3; git branch -qD lost
git commit-tree -m 'no ref names this' HEAD^{tree} >/dev/null
printf 'dirty\n' >> src/lib.py; printf 'staged\n' > staged.txt; git add staged.txt; printf 'staged\n' >> old/y; git add old/y; printf 'more\n' >> old/y
printf 'untracked\n' > un.txt; mkdir un; printf 'u\n' > un/u; printf 'SECRET\n' > .env; printf 'o\n' > build/o; printf 'l\n' > x.log
git diff HEAD~1 HEAD -- docs/guide.md > ../back.patch
"#;

/// A copy of the world.
pub fn world() -> TestEnv {
    static TEMPLATE: OnceLock<TestEnv> = OnceLock::new();
    copy(TEMPLATE.get_or_init(|| make("files")).root())
}

/// The same world, all its repositories with their refs in tables.
pub fn world_of_tables() -> TestEnv {
    static TEMPLATE: OnceLock<TestEnv> = OnceLock::new();
    copy(TEMPLATE.get_or_init(|| make("reftable")).root())
}

fn make(ref_format: &str) -> TestEnv {
    let mut env = TestEnv::new();
    let root = env.root().to_str().unwrap().to_owned();
    env.vars.push(("ROOT".to_owned(), root));
    env.vars.push(("GIT_DEFAULT_REF_FORMAT".to_owned(), ref_format.to_owned()));
    env.sh(WORLD).ok();
    env
}

/// A copy of everything in a directory, with what holds absolute paths put right.
fn copy(from: &Path) -> TestEnv {
    let env = TestEnv::new();
    env.sh(&format!("cp -a --no-preserve=links '{}'/. ..", from.display())).ok();
    // By hand: `git worktree repair` would follow the copied link and put the template right instead.
    env.sh("cd .. && echo \"$PWD/wt/.git\" > project/.git/worktrees/wt/gitdir && echo \"gitdir: $PWD/project/.git/worktrees/wt\" > wt/.git")
        .ok();
    env
}
