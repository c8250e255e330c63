//! How a namespace is read before it is deleted: with few processes, and as far as it can be read.

use std::os::unix::fs::PermissionsExt;

use super::SHOP;
use super::cluster::Scene;

/// A `kubectl` before the real one that writes down each call, and `refuses` some: companies have such wrappers.
fn wrapped(scene: &mut Scene, refuses: &str) -> std::path::PathBuf {
    let real = scene.env.sh("command -v kubectl").ok().stdout.trim().to_owned();
    let bin = scene.env.root().join("wrapped");
    let log = scene.env.root().join("kubectl.log");
    std::fs::create_dir(&bin).unwrap();
    let text = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\ncase \"$*\" in {refuses}) echo 'not in this company' >&2; exit 1;; esac\nexec {real} \"$@\"\n",
        log.display()
    );
    std::fs::write(bin.join("kubectl"), text).unwrap();
    std::fs::set_permissions(bin.join("kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), scene.env.path());
    scene.env.vars.push(("PATH".to_owned(), path));
    log
}

/// What the record says of the capture of the latest event.
fn captured(scene: &Scene) -> String {
    let out = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    let at = out.find("captured before it ran").unwrap_or_else(|| panic!("nothing was captured: {out}"));
    out[at..].to_owned()
}

fn items(captured: &str) -> u64 {
    let words: Vec<&str> = captured.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "items,").unwrap();
    words[at - 1].parse().unwrap()
}

/// Each kubectl takes a tenth of a second of processor before it asks for anything: on a busy machine their number is what the
/// shell waits for.
#[test]
fn a_namespace_is_read_with_two_kubectls() {
    let Some(mut scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let log = wrapped(&mut scene, "never");
    let line = format!("kubectl delete namespace {}", scene.ns);
    scene.env.claude_pre(&line);
    let calls = std::fs::read_to_string(log).unwrap();
    let mut verbs: Vec<&str> = calls.lines().filter_map(|line| line.split_whitespace().next()).collect();
    verbs.sort_unstable();
    assert_eq!(verbs, ["config", "proxy"], "which cluster it is, and all that is in the namespace: {calls}");
    let captured = captured(&scene);
    assert!(!captured.contains("not captured"), "{captured}");
    assert!(items(&captured) >= 5, "the namespace and what is in it: {captured}");
}

/// A wrapper that allows no `proxy`, a `TMPDIR` too deep for a socket: the namespace is read all the same.
#[test]
fn a_namespace_is_captured_where_no_proxy_can_serve() {
    let Some(mut scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let plain = scene.env.vars.clone();
    let log = wrapped(&mut scene, "*proxy*");
    scene.agent("kubectl delete namespace NS").ok();
    let calls = std::fs::read_to_string(log).unwrap();
    assert!(calls.contains("api-resources"), "{calls}");
    assert!(!captured(&scene).contains("not captured"), "{}", captured(&scene));
    scene.env.vars = plain;
    assert!(!scene.has("namespace NS"));
    scene.undo().ok();
    assert!(scene.has("cm settings") && scene.has("deploy web") && scene.has("secret keys"));
    let deep = scene.env.root().join("deep".repeat(30));
    std::fs::create_dir(&deep).unwrap();
    scene.env.vars.push(("TMPDIR".to_owned(), deep.to_str().unwrap().to_owned()));
    let line = format!("kubectl delete namespace {}", scene.ns);
    scene.env.claude_pre(&line);
    let captured = captured(&scene);
    assert!(!captured.contains("not captured") && items(&captured) >= 5, "{captured}");
}

/// The server behind an aggregated API is down, as metrics servers are: all else is captured, and what is not is named.
#[test]
fn an_api_that_is_down_costs_no_more_than_its_own_kinds() {
    let Some((scene, _server)) = Scene::alone() else { return };
    scene.apply(SHOP);
    scene.apply(
        "
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.down.example}
spec:
  group: down.example
  version: v1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {name: nobody, namespace: NS}
",
    );
    scene.until("the API is announced and down", || {
        let out = scene.kubectl("api-resources");
        out.code != 0 && out.stderr.contains("down.example")
    });
    let line = format!("kubectl delete namespace {}", scene.ns);
    scene.env.claude_pre(&line);
    let captured = captured(&scene);
    assert_eq!(captured.matches("not captured: ").count(), 1, "{captured}");
    assert!(
        captured.contains("all kinds of down.example/v1: the server of that API does not answer"),
        "{captured}"
    );
    // The namespace, what is in it, and the announcement of that API, which a service in it serves.
    assert!(items(&captured) >= 6, "{captured}");
}
