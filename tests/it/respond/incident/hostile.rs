//! A report goes to people who have never seen the machine. No secret may be in it, and nothing of what an agent or a repository
//! named may become markup, a link, a control character or an order of letters that reads otherwise.

use super::report;
use crate::env::TestEnv;

/// Made up, each of the shape that its issuer gives them.
fn secrets() -> Vec<(&'static str, String)> {
    let run = |c: &str, n: usize| c.repeat(n);
    vec![
        ("aws", format!("AKIA{}", "Z7QX4MPLT2WVK3RD")),
        ("github", format!("ghp_{}", run("Ab3dEf6hIj", 3) + "kLmN9p")),
        ("slack", format!("xoxb-{}-{}-{}", "123456789012", "1234567890123", run("aB3dE", 4) + "f6h9")),
        ("anthropic", format!("sk-ant-api03-{}", run("aZ09-_bY18", 9) + "AA")),
        ("gitlab", format!("glpat-{}", run("aB3dE6gH9j", 2))),
        ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.{}", run("dBjftJeZ4C", 4) + "VP")),
    ]
}

#[test]
fn no_secret_is_in_it_wherever_it_came_from() {
    let env = TestEnv::with_git();
    for (name, secret) in secrets() {
        env.write(&format!("keep/{secret}.txt"), format!("token = {secret}\n"));
        env.write(&format!("plain/{name}"), format!("captured {secret}\n"));
        env.claude_runs(&format!("rm -f keep/{secret}.txt"));
        env.git(&["branch", &format!("leak/{}", secret.replace('~', "-"))]).ok();
        env.claude_runs(&format!("git branch -D leak/{}", secret.replace('~', "-")));
        env.claude_runs(&format!(
            "curl -H 'Authorization: Bearer {secret}' https://bob:{secret}@127.0.0.1:9/ ; rm -f plain/{name}"
        ));
    }
    env.claude_runs("mysql --password=hunter2-and-more -e 'drop table t'; rm -rf plain");
    let first = secrets()[1].1.clone();
    env.fr(&["contain", "--reason", &format!("it leaked {first}")]);
    env.fr(&["incident", "open", &format!("token {first} is gone"), "--commander", &format!("ann {first}")])
        .ok();
    for (_, secret) in secrets() {
        env.fr(&["incident", "note", &format!("we saw {secret} in the log")]).ok();
    }
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7nHsecretsecretsecret\n-----END RSA PRIVATE KEY-----";
    env.fr_with(&["incident", "note", "-"], key.as_bytes()).ok();
    env.fr(&["undo", "--session", "--yes"]);
    env.fr(&["incident", "close", "--outcome", &format!("{first} is revoked")]).ok();
    let id = env.fr(&["incident", "list", "--json"]).ok().json()[0]["id"].to_string();
    let made = report(&env, &id);
    let shown = |args: &[&str]| env.fr(args).ok().stdout;
    for text in [
        shown(&["incident", "report", &id]),
        shown(&["incident", "report", &id, "--format", "html"]),
        made.to_string(),
        shown(&["incident", "timeline", &id, "--all"]),
        shown(&["incident", "show", &id]),
        shown(&["incident", "list", "--json"]),
    ] {
        for (name, secret) in secrets() {
            assert!(!text.contains(&secret), "{name} is in {text}");
        }
        assert!(!text.contains("hunter2") && !text.contains("secretsecret"), "{text}");
    }
    let rules = made["appendix"]["redactions"].as_array().unwrap();
    assert!(rules.len() >= 5, "they are counted by rule: {rules:?}");
    // What people wrote is on record without its secrets, too.
    let journal: Vec<u8> = std::fs::read_dir(env.fr_home.join("journal"))
        .unwrap()
        .flatten()
        .filter(|file| file.path().is_file())
        .flat_map(|file| std::fs::read(file.path()).unwrap())
        .collect();
    assert!(!String::from_utf8_lossy(&journal).contains("we saw ghp_"));
}

#[test]
fn nothing_that_somebody_named_becomes_markup() {
    let env = TestEnv::with_git();
    let evil = "<script>alert('x')</script><img src=x onerror=alert(1)>&lt;";
    let names = [
        "a</td></tr></table><h1>b".to_owned(),
        "\u{202e}gnp.exe".to_owned(),
        "c\u{1b}[2J\u{1b}]0;owned\u{7}d".to_owned(),
        "e|f`g``h".to_owned(),
        "@oncall #1 [x](javascript:alert(1))".to_owned(),
        "{{ 7 * 7 }}{% raw %}".to_owned(),
        "</title>".to_owned(),
    ];
    for name in &names {
        let name = name.replace('/', "\u{2215}");
        env.write(&format!("d/{name}"), "x");
        env.claude_runs(&format!("rm -f -- 'd/{name}'"));
    }
    env.claude_runs("echo '<script>alert(2)</script>' > README.md");
    env.fr(&["incident", "open", &format!("{evil} \u{202e}{{{{ 7*7 }}}}"), "--commander", evil]).ok();
    env.fr(&[
        "incident",
        "note",
        &format!("{evil}\n</pre><script>alert(3)</script>\n\u{1b}[31m| a | b |\n# c"),
    ])
    .ok();
    env.fr(&["incident", "close", "--outcome", evil]).ok();
    let id = env.fr(&["incident", "list", "--json"]).ok().json()[0]["id"].to_string();
    let html = env.fr(&["incident", "report", &id, "--format", "html"]).ok().stdout;
    for bad in
        ["<script", "<img", "<h1>b", "\u{202e}", "\u{1b}", "\u{7}", "javascript:alert(1)\"", ">49<", " 49 "]
    {
        assert!(!html.contains(bad), "{bad:?} is in the page");
    }
    assert!(html.contains("default-src 'none'; style-src 'unsafe-inline'"));
    assert_eq!((html.matches("<table>").count(), html.matches("</table>").count()), (6, 6));
    let markdown = env.fr(&["incident", "report", &id]).ok().stdout;
    for bad in ["\u{202e}", "\u{1b}", "\u{7}"] {
        assert!(!markdown.contains(bad), "{bad:?} is in the Markdown");
    }
    // Outside of code, no tag, no mention; every row of a table has as many cells as its head.
    let code = regex::Regex::new(r"```.*?```|``.*?``|`[^`]*`").unwrap();
    let mut cells = 0;
    for line in markdown.lines() {
        let plain = code.replace_all(line, "CODE").replace("<br>", "");
        assert!(!plain.contains('<') && !plain.contains('@'), "{line}");
        if line.starts_with('|') {
            let bars = plain.replace("\\|", "").matches('|').count();
            assert!(cells == 0 || bars == cells, "{bars} and not {cells} bars: {line}");
            cells = bars;
        } else {
            cells = 0;
        }
    }
    let json = env.fr(&["incident", "report", &id, "--format", "json"]).ok().stdout;
    assert!(!json.contains('\u{202e}') && !json.contains('\u{1b}'));
    let text = env.fr(&["incident", "timeline", &id]).ok().stdout;
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text}");
}
