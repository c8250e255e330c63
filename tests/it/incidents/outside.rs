//! Removed outside of the project.
//!
//! Whoever snapshots "the workspace" has nothing of it. Where the path is written in the line it is captured before the
//! line starts; where only the run brings it to light (`$(…)`, `xargs`, a list in a file) the shims see it.

use super::Channel::{Exec, Shims};
use super::{Row, incidents};

/// A row whose line names the world's own absolute path, written as `@`.
#[track_caller]
fn literal(line: &str, probe: &'static str, channel: super::Channel) {
    let env = super::project::project();
    let line = line.replace('@', env.root().to_str().unwrap());
    Row::new(line, probe).by(channel).comes_back_in(env);
}

const FILE: &str = "test -f ../outside/keep/deep/file";

#[test]
fn rm_rf_of_an_absolute_path() {
    literal("rm -rf @/outside", FILE, super::Channel::Hook);
}

#[test]
fn rm_rf_of_an_absolute_path_by_fr_exec() {
    literal("rm -rf @/outside/keep/", FILE, Exec);
}

#[test]
fn python_that_names_an_absolute_path() {
    literal("python3 -c \"import shutil; shutil.rmtree('@/outside/keep')\"", FILE, super::Channel::Hook);
}

#[test]
fn mv_of_a_directory_over_an_absolute_path() {
    literal("rm -rf @/outside/keep && mv src @/outside/keep", FILE, super::Channel::Hook);
}

incidents! {
    rm_by_the_way_up: "rm -rf ../outside/keep", lost FILE;
    rm_with_a_glob_above: "rm -rf ../out*/*", lost FILE;
    rm_through_a_link: "rm -rf away/deep", lost FILE;
    rm_by_home: "rm -rf ~/../outside", lost FILE;
    rm_of_what_a_substitution_says: "rm -rf $(head -1 list.txt)", lost FILE, by(Shims);
    rm_of_a_path_put_together: "d=$(cd ..; pwd)/outside; rm -rf \"$d\"/keep", lost FILE, by(Shims);
    rm_through_xargs: "xargs rm -rf < list.txt", lost FILE, by(Shims);
    rm_through_find_exec: "find ../outside -name deep -exec rm -rf {} +", lost FILE;
    rm_through_find_exec_seen_by_shims: "find $(dirname $(head -1 list.txt)) -name deep -exec rm -rf {} +", lost FILE, by(Shims);
    find_exec_of_a_shell: "find ../outside -name deep -exec sh -c 'rm -rf \"$1\"' _ {} \\;", lost FILE;
    find_delete_through_a_link: "find away/ -mindepth 1 -delete", lost FILE;
    find_delete: "find ../outside -type f -delete", lost FILE;
    rm_in_a_while_loop: "while read -r p; do rm -rf \"$p\"; done < list.txt", lost FILE, by(Shims);
    writing_outside: "echo x > ../outside/keep/row_1", lost "grep -qx 1 ../outside/keep/row_1";
    chmod_outside: "chmod -R a+rwx $(dirname $(head -1 list.txt))", lost "test $(stat -c %a ../outside/keep/data.db) = 600",
        by(Shims);
}

/// What is in a file is not in the line: the shims see what the script runs.
#[test]
fn rm_in_a_script_and_in_a_makefile() {
    for line in ["sh ../s.sh", "make -sf ../M x", "bash -c '. ../s.sh'"] {
        let more =
            "printf 'rm -rf $(cat list.txt)\n' > ../s.sh; printf 'x:\n\trm -rf $$(cat list.txt)\n' > ../M";
        Row::new(line, FILE).by(Shims).comes_back_in(super::project::project_with(more));
    }
}
