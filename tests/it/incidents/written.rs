//! Written over, moved, emptied.
//!
//! A checkpoint holds a file that an agent's edit tool wrote, not what `>`, `sed -i`, `mv` or `tar x` did to it. A tool that
//! looks at the file after the command (by time, or by asking git) has only the new bytes.

use super::Channel::{Exec, Shims};
use super::incidents;

/// A project in which these archives lie ready, made before the recorder looks.
fn with_archives() -> crate::env::TestEnv {
    super::project::project_with(
        "mkdir -p new/src new/docs; printf 'other\n' | tee new/src/main.rs new/docs/guide.md > new/added; \
         tar -C new -cf new.tar .; (cd new && zip -qr ../new.zip .)",
    )
}

incidents! {
    mv_over_a_file: "mv untracked.txt config.yml", lost "grep -q a=1 config.yml";
    mv_of_a_directory_away: "mv src ../gone", lost "test -f src/main.rs";
    mv_of_a_directory_into_another: "mv docs old/", lost "test -f docs/crlf.txt";
    mv_over_by_fr_exec: "mv -f staged.txt docs/guide.md", lost "grep -q guide docs/guide.md", by(Exec);
    mv_of_many_seen_by_shims: "for f in docs/*; do mv \"$f\" config.yml; done", lost "test -f docs/crlf.txt", by(Shims);
    cp_over_a_file: "cp untracked.txt config.yml", lost "grep -q a=1 config.yml";
    cp_r_over_a_directory: "mkdir t && echo x > t/main.rs && cp -r t/. src/", lost "grep -q one src/main.rs";
    cp_through_a_link: "cp config.yml readme", lost "grep -q guide docs/guide.md";
    install_over_a_script: "install -m 644 config.yml deploy.sh", lost "test -x deploy.sh";
    ln_force_over_a_file: "ln -sf docs/guide.md config.yml", lost "test -f config.yml -a ! -L config.yml";
    ln_force_over_a_link_to_a_directory: "ln -sfn docs current", lost "test current -ef src";
    ln_hard_over_a_file: "ln -f docs/faq.md config.yml", lost "grep -q a=1 config.yml";
    sed_in_place: "sed -i 's/o/0/g' src/main.rs docs/*.md", lost "grep -q one src/main.rs";
    sed_in_place_below_find: "find src -name '*.rs' -exec sed -i s/pub/PUB/ {} +", lost "grep -q pub src/deep/gen_9.rs";
    perl_in_place: "perl -pi -e 's/one/1/' src/main.rs", lost "grep -q one src/main.rs";
    truncating_redirection: "echo x > config.yml", lost "grep -q a=1 config.yml";
    truncating_by_nothing: "> src/main.rs; : > .env", lost "grep -q SECRET .env";
    truncating_what_should_have_been_read: "sort < config.yml > config.yml", lost "grep -q a=1 config.yml";
    appending_redirection: "echo x >> src/main.rs 2>> debug.log", lost "! grep -q x src/main.rs";
    heredoc_over_a_file: "cat > config.yml <<'END'\nz=9\nEND", lost "grep -q a=1 config.yml";
    heredoc_over_a_file_with_a_variable: "f=config.yml; cat <<END > \"$f\"\nz=9\nEND", lost "grep -q a=1 config.yml";
    tee_over_files: "echo x | tee config.yml docs/guide.md > /dev/null", lost "grep -q guide docs/guide.md";
    truncate_to_a_size: "truncate -s 3 images/logo.bin", lost "test $(stat -c %s images/logo.bin) = 70000";
    truncate_of_a_sparse_file: "truncate -s 0 images/disk.img", lost "test -s images/disk.img";
    dd_over_a_file: "dd if=/dev/zero of=images/logo.bin bs=1k count=5 conv=notrunc status=none",
        lost "test -n \"$(head -c 5000 images/logo.bin | tr -d '\\0')\"";
    dd_into_the_hole_of_a_sparse_file: "dd if=/dev/urandom of=images/disk.img bs=1M seek=20 count=1 conv=notrunc status=none",
        lost "test $(du -k images/disk.img | cut -f1) -lt 500";
    writing_through_a_link_to_outside: "echo x > away/row_1; rm away", lost "grep -qx 1 ../outside/keep/row_1",
        by(Exec);
    python_that_writes: "python3 -c \"open('config.yml', 'w').write('x')\"", lost "grep -q a=1 config.yml";
}

macro_rules! with_archives {
    ($($name:ident: $line:expr, lost $probe:expr;)*) => { $(
        #[test]
        fn $name() {
            super::Row::new($line, $probe).comes_back_in(with_archives());
        }
    )* };
}

with_archives! {
    tar_x_over_a_project: "tar xf new.tar", lost "grep -q one src/main.rs";
    tar_x_into_a_directory: "tar -C src --strip-components=2 -xf new.tar", lost "grep -q one src/main.rs";
    unzip_over_a_project: "unzip -qo new.zip", lost "grep -q guide docs/guide.md";
    rsync_with_delete: "rsync -a --delete new/src/ src/", lost "test -f src/deep/gen_5.rs";
    rsync_with_delete_over_two: "rsync -r --delete-after new/src new/docs .", lost "test -f docs/crlf.txt";
    cp_a_over_a_project: "cp -a new/. .", lost "grep -q one src/main.rs";
}
