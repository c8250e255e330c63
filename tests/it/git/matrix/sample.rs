//! Every git row of the command sample (`tests/corpus/commands.tsv`) for real: what changes something is run, taken back and
//! compared; what is harmless is run and changes nothing. A row that has no case here fails.

use std::collections::BTreeMap;

use super::{picture, round_in, world};

const SAMPLE: &str = include_str!("../../../corpus/commands.tsv");

/// What makes the world one in which the row's command does something.
enum Case {
    /// A script that is run before.
    After(&'static str),
    /// Why it cannot be run as it stands, and the row of the matrix that stands for it.
    Instead(&'static str, &'static str),
}
use Case::{After, Instead};

const CLEAN: &str = "git checkout -qf";

const CASES: &[(&str, Case)] = &[
    ("git push origin +HEAD:refs/heads/release", After("git push -q origin main~1:refs/heads/release")),
    (
        "git --git-dir=/srv/app/.git --work-tree=/srv/app push -f origin main",
        Instead(
            "names a directory outside of the test's",
            "git --git-dir=$PWD/.git --work-tree=$PWD push -f origin main",
        ),
    ),
    ("git -c push.default=matching push -f origin", After("git branch -f dev HEAD~1")),
    (
        "git push --prune origin 'refs/heads/*:refs/heads/*'",
        After("git fetch -q; git rebase -q --autostash origin/main"),
    ),
    ("git push origin --delete feature/login", After("git push -q origin topic:refs/heads/feature/login")),
    ("git push origin :hotfix", After("git push -q origin topic:refs/heads/hotfix")),
    ("git push --all --force origin", After("")),
    ("git fetch --prune origin", After("git fetch -q; git -C ../remote.git branch -qD dev topic")),
    ("git fetch -f origin main:main", After("git checkout -qf dev")),
    ("git remote remove origin", After("")),
    ("git remote set-url origin git@evil:x.git", After("")),
    (
        "git reset --merge",
        After("git checkout -qf; printf 'x\\n' >> a.txt; git add a.txt; printf 'y\\n' >> secret"),
    ),
    (
        "git checkout main README.md",
        After("git checkout -qf; echo 1 > README.md; git add .; git commit -qm r; echo mine > README.md"),
    ),
    ("git checkout .", After("")),
    ("git checkout -B main origin/dev", After(CLEAN)),
    ("git checkout -b feature/x", After("git branch -qm feature f")),
    ("git switch --discard-changes dev", After("")),
    ("git switch -C main origin/main", After("git checkout -qf; git commit -q --allow-empty -m mine")),
    (
        "git restore --source=HEAD~1 --staged --worktree app.py",
        After(
            "git checkout -qf; for n in 1 2; do echo $n > app.py; git add app.py; git commit -qm $n; done; echo mine > app.py",
        ),
    ),
    ("git clean -ffdx", After("")),
    ("git branch -d merged", After("")),
    ("git branch -M main trunk", After("git branch trunk dev")),
    ("git stash drop stash@{2}", After("")),
    ("git stash clear", After("")),
    ("git stash push -u -m wip", After("")),
    (
        "git rebase -i HEAD~5",
        Instead("needs an editor", "GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -i HEAD~2"),
    ),
    ("git commit --amend --no-edit", After("")),
    ("git commit -m \"rm -rf everything\"", After("")),
    ("git commit -am 'docs: explain terraform destroy'", After("")),
    ("git merge feature", After("git checkout -qf; git config core.editor true")),
    ("git rm -r old/", After(CLEAN)),
    (
        "git rm --cached secrets.env",
        After("echo key > secrets.env; git add secrets.env; git commit -qm s -- secrets.env"),
    ),
    (
        "git filter-branch --force --tree-filter 'rm -f secret' -- --all",
        After("git checkout -qf; git config --global core.x y"),
    ),
    (
        "git filter-repo --path secret --invert-paths --force",
        Instead("git-filter-repo is not everywhere: formats::filter_repo runs it where it is", ""),
    ),
    ("git gc --prune=now", After("")),
    ("git reflog expire --expire=now --all", After("")),
    ("git update-ref -d refs/heads/main", After("")),
    (
        "git update-ref --stdin < refs.txt",
        After("printf 'delete refs/heads/topic\\nupdate refs/heads/dev main\\n' > refs.txt"),
    ),
    ("git symbolic-ref HEAD refs/heads/other", After("git branch other dev")),
    ("git worktree remove --force ../wt", After("")),
    ("git checkout-index -a -f", After("")),
    ("git config --global --unset user.email", After("git config --global user.email me@example.org")),
    ("git lfs prune", Instead("git-lfs is not everywhere: formats::lfs runs it where it is", "")),
    ("git init", Instead("a repository is here already", "git init -q fresh")),
];

/// The git rows: command and class.
fn rows() -> Vec<(&'static str, &'static str)> {
    let fields = SAMPLE.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    fields.filter(|f| f[0] == "git").map(|f| (f[1], f[2])).collect()
}

#[test]
fn each_row_has_a_case_and_each_case_a_row() {
    let changing: Vec<&str> =
        rows().iter().filter(|(_, class)| *class != "none").map(|(line, _)| *line).collect();
    let cases: Vec<&str> = CASES.iter().map(|(line, _)| *line).collect();
    let lacking: Vec<_> = changing.iter().filter(|line| !cases.contains(line)).collect();
    let idle: Vec<_> = cases.iter().filter(|line| !changing.contains(line)).collect();
    assert!(lacking.is_empty() && idle.is_empty(), "without a case: {lacking:#?}\nwithout a row: {idle:#?}");
    assert!(changing.len() > 40, "the sample is read");
    let without_reason = CASES.iter().find(|(_, case)| matches!(case, Instead(why, _) if why.is_empty()));
    assert!(without_reason.is_none(), "a row that is not run as it stands says why");
}

#[test]
fn what_changes_something_comes_back() {
    let cases: BTreeMap<&str, &Case> = CASES.iter().map(|(line, case)| (*line, case)).collect();
    let mut failures = Vec::new();
    for (line, _) in rows().iter().filter(|(_, class)| *class != "none") {
        let (before, line) = match cases.get(line) {
            Some(After(before)) => (*before, *line),
            Some(Instead(_, line)) => ("", *line),
            None => continue,
        };
        if line.is_empty() {
            continue;
        }
        let mut env = world();
        env.vars.push(("FILTER_BRANCH_SQUELCH_WARNING".to_owned(), "1".to_owned()));
        let before = if line.contains("rebase -i") { CLEAN } else { before };
        env.sh(before);
        failures.extend(round_in(&env, line).err());
    }
    assert!(failures.is_empty(), "{} rows:\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn what_is_harmless_changes_nothing_and_has_nothing_to_undo() {
    for (line, _) in rows().iter().filter(|(_, class)| *class == "none") {
        let env = world();
        let before = picture(&env);
        env.fr(&["exec", "-c", line]);
        assert_eq!(before.differences(&picture(&env)), Vec::<String>::new(), "{line}");
        let undo = env.fr(&["undo", "1", "--yes"]);
        assert_eq!(undo.code, 5, "{line}: {undo:?}");
    }
}
