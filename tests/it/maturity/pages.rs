//! The page in a real browser, at the width of a phone and of a desk.

use super::{recorded, report};
use crate::browser;

#[test]
fn the_page_can_be_read_everywhere_and_nothing_in_it_is_cut_off_or_run() {
    if browser::is_missing() {
        return;
    }
    let env = recorded();
    env.write("notes.txt", "1\n");
    env.claude_runs("rm notes.txt");
    let long = "a-very-long-name-without-any-blank".repeat(8);
    let hostile =
        "</section></style><script>fetch('http://127.0.0.1:9')</script><img src=http://127.0.0.1:9/x>";
    let call = env.claude_pre(&format!("kubectl delete namespace '{hostile}' {long}"));
    env.claude_fail(&call, 1);
    env.git(&["remote", "add", "origin", &format!("https://gitlab.example/{long}/x<b>.git")]).ok();
    env.fr(&["maturity", "attest", "on-call", "--owner", "Ada <script>alert(1)</script>"]).ok();
    env.fr(&["config", "set", "mode", "guard"]).ok();
    let file = env.root().join("maturity.html");
    env.fr(&["maturity", "--format", "html", "--out", file.to_str().unwrap()]).ok();
    let report = report(&env, &[]);
    for look in browser::sound(&file) {
        assert_eq!(look.title, "Maturity: level 1, recorded");
        for one in report["criteria"].as_array().unwrap() {
            assert!(look.text.contains(one["title"].as_str().unwrap()), "{}: {}", look.width, one["title"]);
        }
        assert!(look.text.contains("<script>fetch(") && look.text.contains("Ada <script>"), "{}", look.text);
    }
    let system = env.fr(&["maturity", "--format", "html", "--system", "fs"]).ok().stdout;
    assert!(system.contains("<h1>Maturity of fs</h1>"), "{system}");
}
