//! Modes, owners, attributes, links: nothing is gone, and yet the project no longer works.
//!
//! git keeps one bit of a mode; a copy through `cp` or a snapshot by git loses the rest, and all attributes and ACLs.

use super::Channel::Exec;
use super::{Row, incidents};

const MODES: &str = "test $(stat -c %a secrets/key) = 400";

incidents! {
    chmod_recursive: "chmod -R 777 .", lost MODES;
    chmod_recursive_of_a_part: "chmod -R u+w,go-rwx secrets docs shared", lost "test $(stat -c %a shared) = 2775";
    chmod_by_find: "find . -path ./.git -prune -o -type f -exec chmod 644 {} +", lost "test -x deploy.sh";
    chmod_by_fr_exec: "chmod 000 config.yml empty", lost "test $(stat -c %a config.yml) = 644", by(Exec);
    chmod_through_a_link: "chmod -R 700 current", lost "test $(stat -c %a src/main.rs) = 644";
    chmod_through_a_link_and_a_slash: "chmod -R 700 current/ away/", lost "test $(stat -c %a src/main.rs) = 644";
    setfattr_over: "setfattr -n user.note -v gone config.yml", lost "getfattr -n user.note config.yml | grep -q person";
    setfattr_removed: "setfattr -x user.note config.yml; setfattr -x user.raw docs",
        lost "getfattr -n user.raw docs";
    setfacl_removed: "setfacl -R -b docs shared", lost "getfacl -c docs/guide.md | grep -q 1234";
    acl_lost_by_a_copy: "cp docs/guide.md docs/g && mv docs/g docs/guide.md", lost "getfacl -c docs/guide.md | grep -q 1234";
    links_turned_round: "rm current readme && ln -s docs current && ln -s config.yml readme", lost "test current -ef src";
    a_link_replaced_by_what_it_led_to: "cp --remove-destination docs/guide.md readme", lost "test -L readme";
    hard_links_taken_apart: "cp -r old t && rm -r old && mv t old", lost "test old/x -ef old/hard";
    a_dangling_link: "rm dangling", lost "test -L dangling";
}

#[test]
fn chown_recursive() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root may give files away");
        return;
    }
    Row::new("chown -R 65534:65534 src old images", "test $(stat -c %u:%g old/x) = 1234:5678").comes_back();
}
