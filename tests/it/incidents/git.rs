//! Git.
//!
//! Tools that snapshot files keep no refs, no index and no stash: after `reset --hard` or `stash clear` the files may come
//! back, but what was staged is gone, and so is the order of the stash. Those that store their snapshots in the project's own
//! repository lose all of them with `rm -rf .git` or `gc --prune=now`, and publish them with `push --mirror`. What a forced push
//! takes from a remote nobody keeps who does not ask the remote before.

use super::Channel::{Exec, Shims};
use super::incidents;
use super::removed::SOCKET;

incidents! {
    clean_fdx: "git clean -fdxq", lost "test -f .env", but(SOCKET);
    clean_of_odd_names: "git clean -fdq 'odd names' docs '*.txt'", lost "test -f untracked.txt";
    reset_hard: "git reset -q --hard", lost "test -f staged.txt";
    reset_hard_to_the_remote: "git fetch -q && git reset -q --hard origin/main", lost "git diff --cached | grep -q staged";
    reset_mixed: "git reset -q HEAD~1", lost "git ls-files --error-unmatch staged.txt";
    checkout_of_everything: "git checkout -q -- .", lost "grep -q c=3 config.yml";
    checkout_of_a_branch_with_force: "git checkout -qf feature", lost "test -f staged.txt";
    switch_and_discard: "git add -A && git switch -q --discard-changes topic", lost "grep -q c=3 config.yml";
    restore_of_everything: "git restore -q --staged --worktree .", lost "grep -q 'and not staged' src/main.rs";
    restore_from_a_source: "git restore --source=HEAD~1 src config.yml", lost "grep -q staged src/main.rs";
    push_force_over_what_others_pushed: "git push -q --force origin main",
        lost "git --git-dir=../remote.git log main | grep -q 'only on the remote'";
    push_of_a_plus_refspec: "git push -q origin +topic:main +feature~1:feature",
        lost "git --git-dir=../remote.git log main | grep -q 'only on the remote'", by(Exec);
    push_delete: "git push -q origin --delete feature", lost "git --git-dir=../remote.git rev-parse -q --verify feature";
    push_of_nothing_over_a_branch: "git push -q origin :feature", lost "git --git-dir=../remote.git rev-parse -q --verify feature",
        by(Shims);
    push_mirror: "git push -q --mirror", lost "git --git-dir=../remote.git log main | grep -q 'only on the remote'";
    branch_delete: "git branch -qD feature topic", lost "git rev-parse -q --verify feature";
    branch_delete_in_a_loop: "git branch --format='%(refname:short)' | grep -v main | xargs git branch -qD",
        lost "git rev-parse -q --verify feature", by(Shims);
    branch_forced_elsewhere: "git branch -f feature HEAD~1", lost "git log feature | grep -q more";
    tag_delete: "git tag -d v1 light", lost "test $(git cat-file -t v1) = tag";
    stash_drop_of_the_older: "git stash drop -q 'stash@{1}'", lost "git stash list | grep -q older";
    stash_drop: "git stash drop -q", lost "git stash list | grep -q newer";
    stash_clear: "git stash clear", lost "git stash list | grep -q older";
    stash_clear_and_prune: "git stash clear; git reflog expire --expire=now --all; git gc -q --prune=now",
        lost "git stash list | grep -q older";
    stash_of_all_this: "git stash push -q -u", lost "test -f untracked.txt", but(SOCKET);
    stash_pop_over_it: "git stash push -q -u && git stash pop -q 'stash@{2}'", lost "test -f untracked.txt", but(SOCKET);
    rebase_with_autostash: "git add -A && git rebase -q --autostash feature", lost "! test -f src/feature.rs";
    rebase_after_a_commit: "git commit -qam wip && git rebase -q feature", lost "git diff --cached | grep -q staged";
    commit_amend: "git commit -qa --amend -m 'something else'", lost "git log -1 --format=%s | grep -qx two";
    merge_and_more: "git commit -qam wip && git merge -q --no-edit feature && git branch -qd feature",
        lost "git rev-parse -q --verify feature";
    cherry_pick_over_it: "git stash -q && git cherry-pick feature~1 feature && git stash drop -q", lost "grep -q c=3 config.yml";
    rm_r: "git rm -rqf src docs", lost "test -f src/main.rs";
    rm_cached: "git rm -rqf --cached .", lost "git ls-files --error-unmatch src/main.rs";
    mv_over: "git mv -f docs/crlf.txt config.yml", lost "grep -q a=1 config.yml";
    add_of_everything: "git add -A", lost "git diff | grep -q 'and not staged'";
    update_ref_delete: "git update-ref -d refs/heads/topic; git update-ref -d refs/notes/commits",
        lost "git notes show main", by(Exec);
    remote_remove: "git remote remove origin", lost "git rev-parse -q --verify origin/main";
    config_unset: "git config --remove-section alias; git config core.hooksPath /dev/null", lost "git config alias.st";
    hooks_removed: "rm -f .git/hooks/pre-commit; rm -rf .git/info", lost "test -x .git/hooks/pre-commit";
    reflog_expired: "git reflog expire --expire=now --all && git branch -qD feature && git gc -q --prune=now",
        lost "git rev-parse -q --verify feature";
    read_tree_over_the_index: "git read-tree --reset -u HEAD~1", lost "git ls-files --error-unmatch staged.txt";
    worktree_removed: "git worktree add -q ../wt topic && echo w > ../wt/w && git worktree remove --force ../wt && git checkout -q -- .",
        lost "grep -q c=3 config.yml";
}
