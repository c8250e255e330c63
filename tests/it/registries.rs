//! Package registries, by the real npm and cargo against doubles on loopback: what a command moved there is moved back, and
//! what was published is said to stay.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::env::{Output, TestEnv};

fn port() -> u16 {
    static SHARED: OnceLock<(Child, u16)> = OnceLock::new();
    let made = SHARED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/registry.py");
        let server = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut server = server.unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (server, line.trim().parse().unwrap())
    });
    made.1
}

/// A world whose npm and cargo talk to the doubles, and a package of its own there.
pub fn scene(name: &str) -> TestEnv {
    let mut env = TestEnv::new();
    let port = port();
    let npmrc =
        format!("registry=http://127.0.0.1:{port}/\n//127.0.0.1:{port}/:_authToken=tok-4711\naudit=false\n");
    std::fs::write(env.home.join(".npmrc"), npmrc).unwrap();
    let cargo = env.home.join("cargo");
    std::fs::create_dir(&cargo).unwrap();
    let config = format!(
        "[registries.double]\nindex = \"sparse+http://127.0.0.1:{port}/index/\"\n[registry]\ndefault = \"double\"\n"
    );
    std::fs::write(cargo.join("config.toml"), config).unwrap();
    // The toolchain's own cargo: the one on PATH picks a toolchain by a HOME that is not here.
    let real = Path::new(env!("CARGO")).parent().unwrap().display().to_string();
    env.vars.push(("PATH".to_owned(), format!("{real}:{}", env.path())));
    env.vars.push(("CARGO_HOME".to_owned(), cargo.display().to_string()));
    env.vars.push(("CARGO_REGISTRIES_DOUBLE_TOKEN".to_owned(), "tok-4711".to_owned()));
    env.sh(&format!("curl -sf http://127.0.0.1:{port}/fresh/{name}")).ok();
    env
}

pub fn look(env: &TestEnv, path: &str) -> String {
    env.sh(&format!("curl -sf http://127.0.0.1:{}/{path}", port())).stdout
}

fn event(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
}

fn undo(env: &TestEnv, more: &[&str]) -> Output {
    let id = event(env)["id"].to_string();
    let mut args = vec!["undo", "--yes"];
    args.extend(more);
    args.push(&id);
    env.fr(&args)
}

#[test]
fn what_npm_moved_is_moved_back() {
    let env = scene("mover");
    for line in [
        "npm dist-tag add mover@1.0.0 latest",
        "npm dist-tag rm mover beta && npm owner rm you mover",
        "npm deprecate 'mover@<2' 'do not use'",
    ] {
        let before = look(&env, "mover");
        env.claude_runs(line).ok();
        assert_ne!(look(&env, "mover"), before, "{line} changed nothing");
        let out = undo(&env, &[]);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        let (now, before): (Value, Value) =
            (serde_json::from_str(&look(&env, "mover")).unwrap(), serde_json::from_str(&before).unwrap());
        assert_eq!(now["dist-tags"], before["dist-tags"], "{line}");
        assert_eq!(now["maintainers"], before["maintainers"], "{line}");
        let text = |v: &Value| {
            v["versions"]
                .as_object()
                .unwrap()
                .values()
                .map(|v| v["deprecated"].as_str().unwrap_or("").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(text(&now), text(&before), "{line}");
    }
    // Somebody has moved it since.
    env.claude_runs("npm dist-tag add mover@1.0.0 latest").ok();
    env.sh("npm dist-tag add mover@1.1.0 latest").ok();
    assert_eq!(undo(&env, &[]).code, 4);
    assert!(look(&env, "mover").contains("\"latest\": \"1.1.0\""));
    let found = env.sh("grep -rlaE 'tok-4711' $FR_HOME || true").ok().stdout;
    assert_eq!(found, "", "no token in the store");
}

#[test]
fn what_npm_published_stays_and_the_tag_goes_back() {
    let env = scene("pub");
    env.write("package.json", "{\"name\": \"pub\", \"version\": \"2.1.0\"}\n");
    env.claude_runs("npm publish").ok();
    assert!(look(&env, "pub").contains("\"latest\": \"2.1.0\""));
    let out = undo(&env, &[]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("within 72 hours"), "{out:?}");
    let now = look(&env, "pub");
    assert!(now.contains("\"latest\": \"2.0.0\"") && now.contains("\"2.1.0\""), "{now}");
    env.claude_runs("npm unpublish pub@1.1.0 --force").ok();
    let out = undo(&env, &[]);
    assert_ne!(out.code, 0, "{out:?}");
    assert!(format!("{out:?}").contains("never takes a version's number twice"), "{out:?}");
}

#[test]
fn a_yank_is_taken_back_and_a_published_crate_is_not() {
    let env = scene("demo");
    for line in ["cargo yank demo --version 1.0.1 --registry double", "cargo yank demo@1.0.0"] {
        env.claude_runs(line).ok();
        assert!(look(&env, "index/de/mo/demo").contains("true"), "{line}");
        assert_eq!(undo(&env, &[]).code, 0, "{line}");
        assert!(!look(&env, "index/de/mo/demo").contains("true"), "{line}");
    }
    env.claude_runs("cargo owner --remove you demo").ok();
    let id = event(&env)["id"].to_string();
    let out = undo(&env, &[]);
    assert_eq!(out.code, 3, "an invitation only on request: {out:?}");
    assert!(!look(&env, "api/v1/crates/demo/owners").contains("you"));
    env.fr(&["undo", "--yes", "--apply-infra", &id]);
    assert!(look(&env, "api/v1/crates/demo/owners").contains("you"));
}

/// What went to others and of which nothing is kept: undo says that it cannot, and what a person can do.
#[test]
fn what_cannot_be_taken_back_from_a_registry_is_said_with_what_can_be_done() {
    let env = crate::env::TestEnv::new();
    for (line, way) in [
        ("twine upload dist/a.whl", "PyPI yanks or deletes a release"),
        ("uv publish", "PyPI yanks or deletes a release"),
        ("gem push a-1.gem", "gem yank NAME -v VERSION"),
        ("gem yank a -v 1.0", "RubyGems takes no yank back"),
        ("helm push a-1.tgz oci://r.example/x", "delete the tag in the registry"),
        ("docker push r.example/a:1", "push the image that had the name before"),
        (
            "gh api graphql -f query='mutation { deleteRef(input: {}) { clientMutationId } }'",
            "inverse mutations",
        ),
    ] {
        env.claude_pre(line);
        let event = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone();
        assert!(event["effects"].as_array().is_some_and(|effects| !effects.is_empty()), "{line}: {event:#}");
        let out = env.fr(&["undo", "--yes", &event["id"].to_string()]);
        assert!(out.code == 5 && out.stderr.contains(way), "{line}: {out:?}");
    }
}
