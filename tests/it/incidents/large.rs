//! Large: a file of 120 MB that does not compress, and 50,000 files.
//!
//! Checkpoints have a cap per file, shadow repositories one per tree, and what exceeds it is left out without a word.

use super::Row;
use super::project::project_with;

#[test]
fn a_file_of_120_mb_is_removed() {
    let env = project_with("head -c 120000000 /dev/urandom > images/film.mov");
    Row::new("rm -rf images", "test $(stat -c %s images/film.mov) = 120000000").comes_back_in(env);
}

#[test]
fn a_file_of_120_mb_is_written_over() {
    let env = project_with("head -c 120000000 /dev/urandom > images/film.mov");
    Row::new("cat config.yml > images/film.mov", "test $(stat -c %s images/film.mov) = 120000000")
        .comes_back_in(env);
}

/// As a package manager or a data set leaves them: 50,000 small files in 1,000 directories.
const MANY: &str = "mkdir many; python3 - <<'END'\nimport os\nfor d in range(1000):\n    os.makedirs(f'many/{d % 10}/{d}')\n    \
    for f in range(50):\n        open(f'many/{d % 10}/{d}/f{f}.js', 'w').write(f'module {d} {f}\\n' * (f % 7))\nEND";

#[test]
fn fifty_thousand_files_are_removed() {
    Row::new("rm -rf many", "test -f many/7/7/f7.js").comes_back_in(project_with(MANY));
}
