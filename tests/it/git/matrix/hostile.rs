//! The table of security.md 1.3 through the built `fr`: a repository that starts a program wherever git would let it, with
//! a submodule and a nested repository that do the same. Each row is announced, as an agent's hook does, and taken back;
//! nothing of it may run. What the command itself would start is its own affair, so it is not run.

use super::world;
use crate::env::TestEnv;

/// Every way to start a program that git reads from a repository: hooks, helpers, filters, drivers, aliases, includes.
const ARM: &str = r#"
printf '#!/bin/sh\ntouch %s/TRAP\nexit 1\n' "$(realpath ..)" > ../trap; chmod +x ../trap; T=$(realpath ../trap)
arm() { # a git directory
    for h in pre-push reference-transaction post-checkout post-index-change pre-auto-gc post-rewrite pre-commit post-commit \
             post-merge applypatch-msg fsmonitor-watchman pre-rebase post-applypatch commit-msg prepare-commit-msg update; do
        cp ../trap "$1/hooks/$h" 2>/dev/null || { mkdir -p "$1/hooks"; cp ../trap "$1/hooks/$h"; }
    done
    printf '[core]\nhooksPath=%s\n' "$(realpath "$1")/hooks" > "$1/more"
    for kv in core.fsmonitor core.sshCommand core.pager core.editor core.gitProxy core.askPass core.alternateRefsCommand \
              credential.helper diff.external gpg.program gpg.ssh.program uploadpack.packObjectsHook sequence.editor \
              remote.origin.receivepack remote.origin.uploadpack interactive.diffFilter trailer.x.command \
              filter.x.clean filter.x.smudge filter.x.process diff.x.textconv diff.x.command merge.x.driver \
              submodule.sub.update browser.x.cmd difftool.x.cmd mergetool.x.cmd sendemail.sendmailcmd hook.x.command; do
        git config -f "$1/config" "$kv" "$T"
    done
    git config -f "$1/config" hook.x.event reference-transaction
    git config -f "$1/config" log.showSignature true; git config -f "$1/config" push.gpgSign true
    git config -f "$1/config" commit.gpgSign true; git config -f "$1/config" core.untrackedCache true
    git config -f "$1/config" include.path more; git config -f "$1/config" submodule.recurse true
    git config -f "$1/config" alias.evil '!'"$T"; git config -f "$1/config" alias.soft 'reset --soft'
    mkdir -p "$1/info"; echo '* filter=x diff=x merge=x working-tree-encoding=x ident' > "$1/info/attributes"
}
arm .git; arm .git/modules/sub; arm nested/.git
git config -f .git/config trace2.eventTarget "$T" 2>/dev/null
echo '* filter=x diff=x merge=x' > .gitattributes
git config -f .gitmodules submodule.sub.update '!'"$T"
"#;

fn armed() -> TestEnv {
    let env = world();
    env.sh("git checkout -qf; git commit -qm x --allow-empty").ok();
    env.sh(&format!("set -e\n{ARM}")).ok();
    env
}

/// One row per command of the table, and those of the paths that were added since.
const ROWS: [&str; 40] = [
    "git status --porcelain",
    "git diff --no-ext-diff --no-textconv",
    "git diff-index HEAD; git write-tree; git fsck; git ls-files",
    "git hash-object -w a.txt",
    "git add -A",
    "git stash create",
    "git stash push -u",
    "git reset --hard",
    "git checkout -f",
    "git update-ref refs/heads/topic HEAD",
    "git log -1 -p --show-signature",
    "git commit -am x",
    "git commit --amend --no-edit",
    "git push origin main",
    "git push -f origin main",
    "git push --mirror origin",
    "git push origin :topic",
    "git push --recurse-submodules=on-demand origin main",
    "git send-pack ../remote.git main",
    "git fetch --prune origin",
    "git pull --rebase",
    "git merge topic",
    "git rebase topic",
    "git cherry-pick topic",
    "git am ../x.patch",
    "git branch -D topic",
    "git gc --prune=now",
    "git clean -ffdx",
    "git submodule update --force --recursive",
    "git submodule deinit -f sub",
    "git submodule foreach git reset --hard",
    "git reset --hard --recurse-submodules",
    "git worktree remove --force ../wt",
    "git worktree add ../clone dev",
    "git filter-branch -f --tree-filter true HEAD",
    "git evil",
    "git soft HEAD~1",
    "git lfs prune",
    "sh ./some-script.sh",
    "cd sub && git reset --hard; cd ../nested && git reset --hard",
];

#[test]
fn nothing_of_a_hostile_repository_runs_when_its_commands_are_looked_at() {
    let env = armed();
    for line in ROWS {
        let call = env.claude_pre(line);
        assert_eq!(call.answer.code, 0, "{line}: {:?}", call.answer);
        env.claude_fail(&call, 1);
        assert!(!env.exists("../TRAP"), "{line}: a program of the repository ran");
        env.fr(&["explain", "-c", line]).ok();
        assert!(!env.exists("../TRAP"), "{line}: explain started a program of the repository");
    }
    env.fr(&["timeline"]).ok();
    env.fr(&["show", "5"]).ok();
    env.fr(&["diff", "5"]);
    assert!(!env.exists("../TRAP"));
    // The trap is armed: without this the test could not fail.
    env.sh("git status");
    assert!(env.exists("../TRAP"), "the trap works");
}

#[test]
fn nothing_of_it_runs_when_its_commands_are_taken_back() {
    let env = armed();
    // Changed by other means than git, which would start what was planted.
    let ruin = "rm .git/refs/heads/topic .git/index; cp .git/refs/heads/dev .git/refs/heads/main; rm -rf sub nested src; \
                cp .git/modules/sub/refs/heads/work .git/modules/sub/HEAD; rm .git/modules/sub/index";
    let call = env.claude_pre(&format!("git submodule update --force; git clean -ffdx; {ruin}"));
    env.sh(ruin).ok();
    env.claude_post(&call);
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 0, "{undo:?}");
    env.fr(&["restore", "1", "--to", "../aside"]).ok();
    env.fr(&["redo", "2", "--yes"]).ok();
    assert!(!env.exists("../TRAP"), "a program of the repository ran");
    assert!(!env.exists("nested") && !env.exists("src"));
}
