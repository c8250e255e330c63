//! One row per destructive command: it changes the project, and undo brings the project back.

use super::{assert_same, is_same, picture, project};

/// Runs each line in a project of its own. `exact` undos exit with 0; none may be other than complete.
#[track_caller]
fn comes_back(line: &str) {
    let env = project();
    let before = picture(&env);
    env.claude_runs(line);
    assert!(!is_same(&before, &env), "{line}: changed nothing, so the row proves nothing");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 0, "{line}: {undo:?}");
    assert!(undo.stdout.contains("undone and verified"), "{line}: {undo:?}");
    assert_same(&before, &env);
    // Applying twice is harmless, and says so.
    let again = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(again.code, 5, "{line}: {again:?}");
    assert_same(&before, &env);
}

macro_rules! rows {
    ($($name:ident: $line:expr;)*) => { $(
        #[test]
        fn $name() {
            comes_back($line);
        }
    )* };
}

rows! {
    rm_rf_a_directory: "rm -rf src";
    rm_several_and_globs: "rm -rf docs/* old staged.txt";
    rm_odd_names: "rm -f -- -rf 'new\nline.txt' *.txt";
    rm_everything_with_a_substitution: "rm -rf $(ls)";
    rm_through_xargs: "ls src | sed 's,^,src/,' | xargs rm -r";
    rm_in_a_subshell_after_cd: "(cd src && rm -rf deep)";
    rmdir_an_empty_directory: "rmdir empty";
    mv_over_a_file: "mv docs/guide.md config.yml";
    mv_a_directory_away: "mv src old/";
    cp_into_a_directory: "cp config.yml docs/guide.md old";
    cp_over_a_file_in_a_directory: "echo y > guide.md; cp guide.md docs/";
    ln_into_a_directory: "ln -sfn docs src";
    cp_over_a_file: "cp docs/guide.md config.yml";
    truncating_redirection: "echo x > config.yml";
    colon_redirection: ": > src/main.rs";
    appending_redirection: "echo x >> config.yml";
    heredoc_into_a_file: "cat > config.yml <<'E'\nz\nE";
    tee_over_a_file: "echo x | tee config.yml docs/guide.md";
    sed_in_place: "sed -i s/one/1/ src/main.rs";
    truncate_and_dd: "truncate -s 0 config.yml; dd if=/dev/zero of=docs/guide.md bs=10 count=1 2>/dev/null";
    find_delete: "find src docs -type f -delete";
    find_exec_rm: "find src -type f -exec rm {} +";
    chmod_recursive: "chmod -R 700 docs src";
    cp_through_a_link_made_in_the_same_line: "ln -s docs linked; cp -r config.yml linked";
    writing_through_a_link_made_in_the_same_line: "ln -s docs linked && cd linked && echo x > guide.md";
    writing_through_a_hard_link_made_in_the_same_line: "ln config.yml other.yml; echo x > other.yml";
    writing_through_a_copied_link: "ln -s ../docs old/docs; cp -a old new && echo x > new/docs/guide.md";
    ln_force_over_a_file: "ln -sf src/main.rs config.yml";
    a_link_is_removed_not_its_target: "rm link";
    a_fifo_is_removed: "rm pipe";
    created_files_go_again: "mkdir -p fresh/dir && echo x > fresh/dir/file";
    an_opaque_script: "sh ./destroy.sh";
    an_opaque_interpreter: "python3 -c \"import shutil; shutil.rmtree('src'); open('config.yml','w').write('x')\"";
    it_failed_after_destroying: "rm -rf src; false";
    loops_and_variables: "for d in docs old; do rm -rf \"$d\"; done; X=rm; $X -rf src";
    wrappers: "env A=1 nice sh -c 'rm -rf docs; bash -c \"rm -r old\"'";
    git_reset_hard: "git reset -q --hard HEAD~1";
    git_reset_mixed: "git reset -q HEAD~1";
    git_checkout_dot: "git checkout -q .";
    git_checkout_a_branch_with_force: "git checkout -q -f feature";
    git_restore_staged_and_worktree: "git restore --staged --worktree staged.txt config.yml src/main.rs";
    git_clean_everything: "git clean -fdxq";
    git_branch_delete: "git branch -D feature topic";
    git_branch_rename: "git branch -M topic trunk";
    git_tag_delete: "git tag -d v1";
    git_stash_push: "git stash push -q -u";
    git_stash_drop_the_older: "git stash drop -q stash@{1}";
    git_stash_clear: "git stash clear";
    git_stash_pop: "git checkout -q . && git stash pop -q";
    git_commit: "git commit -qam work";
    git_commit_amend: "git commit -q --amend -m other";
    git_merge: "git checkout -q . && git merge -q --no-edit feature";
    git_rebase: "git stash -q -u && git rebase -q --onto HEAD~1 HEAD";
    git_rm: "git rm -rqf src";
    git_update_ref: "git update-ref -d refs/heads/feature";
    git_remote_remove: "git remote remove origin";
    git_gc_and_reflog_expire: "git branch -qD feature && git reflog expire --expire=now --all && git gc -q --prune=now";
    rm_the_repository: "rm -rf .git";
}
