//! The same commands in other words: abbreviated, bundled, by settings of the command line and of the environment. `fr
//! explain` must see through them.

use super::{Row, come_back};
use crate::env::TestEnv;

#[test]
fn other_words_for_the_same_are_seen_through() {
    let env = TestEnv::with_git();
    env.sh("git config remote.all.mirror true; git config remote.bits.push '+refs/heads/*:refs/heads/*'")
        .ok();
    let table = [
        ("git push --forc origin main", "overwrite git:origin/refs/heads/main"),
        ("git push -uf origin main", "overwrite git:origin/refs/heads/main"),
        ("git push origin :b", "destroy git:origin/refs/heads/b"),
        (
            "git -c remote.origin.mirror=true push origin",
            "destroy dyn:all refs of origin, as push --dry-run --porcelain lists them",
        ),
        ("git push all", "destroy dyn:all refs of all, as push --dry-run --porcelain lists them"),
        ("git push bits", "overwrite dyn:refs of bits that match +refs/heads/*:refs/heads/*"),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=push.default GIT_CONFIG_VALUE_0=matching git push -f",
            "overwrite dyn:all matching branches of origin",
        ),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.z GIT_CONFIG_VALUE_0='branch -D' git z topic",
            "destroy git:local/refs/heads/topic",
        ),
        ("git pull --rebase=false", "mutate git:local/HEAD branch; mutate git:worktree"),
        ("git pull -r", "overwrite git:local/HEAD branch"),
        (
            "git fetch --tags -f origin",
            "overwrite dyn:local tags that differ; mutate dyn:refs/remotes/origin/*",
        ),
        (
            "git fetch -pP origin",
            "destroy dyn:local tags that origin lacks; mutate dyn:stale refs/remotes/origin/*",
        ),
        ("git checkout -t origin/dev", "create git:local/refs/heads/dev; mutate git:local/HEAD"),
        ("git checkout-index -fa --prefix=out/", "overwrite path:out/"),
        ("git reflog drop --all", "weaken dyn:all reflogs"),
        ("git rebase --edit-todo", "mutate git:rebase in progress"),
        (
            "git stash branch b stash@{1}",
            "create git:local/refs/heads/b; create git:local/HEAD; mutate git:stash@{1}",
        ),
        ("git rm --pathspec-from-file=x", "destroy dyn:paths listed in x; mutate git:index"),
        ("git interpret-trailers --in-place --trailer 'A: b' msg", "overwrite path:msg"),
        ("git interpret-trailers msg", ""),
        ("git refs list", ""),
        ("git branch -fd x", "destroy git:local/refs/heads/x"),
        ("git tag -fam msg v1", "overwrite git:local/refs/tags/v1"),
    ];
    for (line, wanted) in table {
        let report = env.fr(&["explain", "--json", "-c", line]).ok().json();
        let effects = report["effects"].as_array().unwrap().iter();
        let seen: Vec<String> = effects
            .map(|e| format!("{} {}", e["class"].as_str().unwrap(), e["resource"].as_str().unwrap()))
            .collect();
        assert_eq!(seen.join("; "), wanted, "{line}");
    }
}

#[test]
fn they_come_back_too() {
    let row = |before, line| Row { before, line };
    come_back(&[
        row("", "printf 'a.txt\\nsrc/lib.py\\n' > ../list; git rm -qf --pathspec-from-file=../list"),
        row("mkdir ../clone; echo mine > ../clone/a.txt", "git checkout-index -fa --prefix=../clone/"),
        row("git fetch -q; git tag -f release HEAD~1", "git fetch -q --tags -f origin"),
        row("", "git fetch -q -pP origin '+refs/tags/*:refs/tags/*'"),
        row("git checkout -qf; git fetch -q", "git checkout -q -t origin/theirs"),
        row("", "git -c remote.backup.mirror=true push -q backup"),
        row("git config remote.backup.mirror true", "git push -q backup"),
        row("", "git -c remote.backup.push='+refs/heads/topic:refs/heads/main' push -q backup"),
        row(
            "git checkout -qf; GIT_SEQUENCE_EDITOR='sed -i s/pick/edit/' git rebase -i HEAD~2",
            "GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase --edit-todo",
        ),
        row(
            "git -C ../backup.git update-ref refs/heads/dev refs/heads/main",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=push.default GIT_CONFIG_VALUE_0=matching git push -qf backup",
        ),
        row(
            "",
            "git reflog delete --rewrite --updateref HEAD@{0}; git symbolic-ref -d refs/remotes/origin/HEAD; git update-ref -d refs/heads/topic",
        ),
    ]);
}
