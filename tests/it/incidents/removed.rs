//! Removed inside of the project.
//!
//! Checkpoints of agents keep what their own edit tools change: a file that a command removes is not in them. Shadow
//! repositories are filled by `git add`: ignored files, empty directories, modes but one, owners, times, attributes, links
//! between names, FIFOs and the repository itself are not in them, and one name that is not UTF-8 voids the whole tree.
//! Wrappers of `rm` move things to a trash and see neither `find -delete` nor `git clean` nor a script.

use super::Channel::{Exec, Shims};
use super::look::Picture;
use super::{holds, incidents};
use crate::env::run;

/// Nobody listens at a socket that comes back, so it does not: it is named.
pub const SOCKET: &[&str] = &["project/run/agent.sock"];

incidents! {
    rm_rf_of_a_subtree: "rm -rf src", lost "test -f src/deep/gen_77.rs";
    rm_rf_by_fr_exec: "rm -rf src docs", lost "test -f docs/crlf.txt", by(Exec);
    rm_rf_of_all_that_a_star_means: "rm -rf -- *", lost "test -f src/main.rs", but(SOCKET);
    rm_rf_of_dot_slash_star_and_hidden: "rm -rf ./* ./.[!.]*", lost "test -f .env", but(SOCKET),
        with_the_whole_repository();
    rm_rf_of_the_repository: "rm -rf .git", lost "git rev-parse", with_the_whole_repository();
    rm_rf_of_a_directory_with_odd_names: "rm -rf 'odd names'", lost "test -f $'odd names/caf\\xe9'";
    rm_of_a_leading_dash_a_newline_and_bytes: "rm -- -rf top*", lost "test -f ./-rf";
    rm_of_bytes_that_are_no_text: "rm $'odd names/caf\\xe9' $'odd names/new\\nline'", lost "test -f $'odd names/new\\nline'";
    rm_of_names_that_a_shell_would_expand: "rm 'odd names/$(touch pwned)' 'odd names/*' 'odd names/~'",
        lost "test -f 'odd names/$(touch pwned)'";
    rm_with_a_glob: "rm -f odd*/n* *.txt", lost "test -f untracked.txt";
    rm_through_xargs: "find src -name 'gen_1*' -print0 | xargs -0 rm -f", lost "test -f src/deep/gen_1.rs";
    rm_through_xargs_seen_by_shims: "find src -name 'gen_1*' -print0 | xargs -0 rm -f", lost "test -f src/deep/gen_1.rs",
        by(Shims);
    rm_of_what_a_substitution_says: "rm -rf $(printf 's%s' rc)", lost "test -f src/main.rs";
    rm_in_a_loop: "for d in docs old web; do rm -r \"$d\"; done", lost "test -f web/index.html";
    rm_after_cd: "cd src && rm -rf deep && cd .. && rm -rf docs", lost "test -f docs/faq.md";
    rm_through_a_link_to_a_directory: "rm -rf current/*", lost "test -f src/main.rs";
    find_delete: "find . -name '*.md' -not -path './.git/*' -delete", lost "test -f docs/guide.md";
    find_exec: "find src docs -type f -exec rm {} +", lost "test -f docs/crlf.txt";
    rmdir_of_empty_directories: "rmdir -p empty/nested/deeper", lost "test -d empty/nested";
    find_empty_delete: "find . -type d -empty -delete", lost "test -d empty/nested/deeper";
    unlink_and_shred: "unlink untracked.txt; shred -u .env", lost "grep -q SECRET .env";
    a_read_only_file_in_a_closed_directory: "rm -rf secrets", lost "test -f secrets/key";
    a_fifo: "rm -f run/pipe", lost "test -p run/pipe";
    a_sparse_file: "rm images/disk.img", lost "test -f images/disk.img";
    three_names_of_one_file: "rm -rf old", lost "test old/hard -ef old/x";
    make_with_a_target_that_deletes: "make clean", lost "test -f src/deep/gen_2.rs";
    a_deploy_script: "./deploy.sh", lost "grep -q old web/index.html";
    a_script_of_python_that_deletes_inside:
        "printf 'import shutil, os\nshutil.rmtree(\"src\")\nos.remove(\"docs/guide.md\")\n' > wipe.py; python3 wipe.py",
        lost "test -f src/main.rs";
    python_on_the_command_line: "python3 -c \"import shutil; [shutil.rmtree(d) for d in ('src', 'odd names')]\"",
        lost "test -d 'odd names'";
    perl_on_the_command_line: "perl -MFile::Path=remove_tree -e 'remove_tree(\"src\", \"docs\")'", lost "test -d docs";
}

/// The directory that everybody stands in is gone: the hook, and the person who calls `fr undo` in the same terminal.
#[test]
fn rm_rf_of_the_directory_that_all_of_them_stand_in() {
    for line in ["cd .. && rm -rf project", "rm -rf \"$PWD\""] {
        let env = super::project::project();
        let look = || Picture::of(&env, true).without(SOCKET);
        let before = look();
        for (name, event) in [("pre", "PreToolUse"), ("post", "PostToolUse")] {
            let payload = serde_json::json!({
                "session_id": crate::env::SESSION, "cwd": env.project, "hook_event_name": event, "tool_name": "Bash",
                "tool_input": {"command": line}, "tool_use_id": "toolu_9999",
                "tool_response": {"stdout": "", "stderr": "", "interrupted": false},
            });
            std::fs::write(env.home.join(name), payload.to_string()).unwrap();
        }
        let mut shell = env.command("bash");
        let all = "fr hook claude < ~/pre; bash -c \"$1\"; fr hook claude < ~/post; test ! -e ~/../project && fr undo --yes; \
                   code=$?; rm ~/pre ~/post; exit $code";
        shell.args(["--norc", "--noprofile", "-c", all, "bash", line]);
        let before = before.without_times_of(&["home"]);
        let done = run(shell, b"");
        assert_eq!(done.code, 3, "{line}: {done:?}");
        assert!(done.stdout.contains("agent.sock") && holds(&env, "test -f .git/HEAD"), "{line}: {done:?}");
        let wrong = before.differences(&look().without_times_of(&["home"]));
        assert!(wrong.is_empty(), "{line}: {}\n{done:?}", wrong.join("\n"));
    }
}
