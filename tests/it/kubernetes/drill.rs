//! `fr drill --system kubernetes`: in the context that somebody names, in a namespace of its own, and nothing of it stays.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use super::SHOP;
use super::cluster::Scene;

/// The namespaces of drills that are there, unless they are going.
fn left(scene: &Scene) -> Vec<String> {
    let listed = scene.kubectl("get namespace -l app.kubernetes.io/managed-by=fr-drill -o json").ok().json();
    let stays = |one: &&Value| one["metadata"]["deletionTimestamp"].is_null();
    let all = listed["items"].as_array().unwrap().iter().filter(stays);
    all.map(|one| one["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// A kubectl of ours before the real one.
fn instead(scene: &mut Scene, script: &str) {
    let bin = scene.env.root().join("instead");
    std::fs::create_dir_all(&bin).unwrap();
    let real = scene.env.sh(&format!("PATH={} command -v kubectl", scene.env.path())).ok().stdout;
    let text = format!("#!/bin/bash\nreal={}\n{script}\nexec \"$real\" \"$@\"\n", real.trim());
    std::fs::write(bin.join("kubectl"), text).unwrap();
    std::fs::set_permissions(bin.join("kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    scene.env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), scene.env.path())));
}

/// All of it on the real server; then a recovery that does not work, and one that somebody breaks off. One test, because a
/// drill must be alone to say that it left nothing.
#[test]
fn it_passes_it_notices_and_it_leaves_nothing_behind() {
    let Some(mut scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let witness = || scene.kubectl("-n NS get cm,secret,svc -l app=shop -o json").ok().json();
    let before = versions(&witness());
    let report = scene.env.fr(&["drill", "--system", "kubernetes", "--context", "fr", "--json"]).ok().json();
    let drilled = &report["scenarios"][0];
    assert_eq!((&drilled["outcome"], drilled["rounds"].as_array().unwrap().len()), (&"passed".into(), 5));
    for round in drilled["rounds"].as_array().unwrap() {
        assert_eq!(round["undo_exit_code"], 0, "{round:#}");
        let line = round["command"].as_str().unwrap();
        assert!(line.starts_with("kubectl --context fr ") && line.contains("fr-drill-"), "{line}");
    }
    assert_eq!(scene.event()["drilled"][0]["system"], "kubernetes", "recorded as evidence");
    assert_eq!((left(&scene), versions(&witness())), (vec![], before), "and no other namespace was touched");

    // Undo cannot write: what it left undone is found, and the namespace goes all the same.
    instead(&mut scene, "[[ \" $* \" != *\" proxy \"* ]] || exit 1");
    let failed = scene.env.fr(&["drill", "--system", "kubernetes", "--context", "fr"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("spec/replicas: was 3; is 0"), "{failed:?}");
    assert_eq!(left(&scene), Vec::<String>::new());

    // Ctrl-C while it is under way.
    scene.env.vars.pop();
    let tmp = scene.env.root().join("t");
    std::fs::create_dir(&tmp).unwrap();
    let mut drill = scene.env.command("fr");
    drill.args(["drill", "--system", "kubernetes", "--context", "fr"]).env("TMPDIR", &tmp);
    let drill = drill.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    scene.until("it takes something back", || left(&scene).len() == 1);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(scene.env.sh(&format!("kill -INT {}", drill.id())).code == 0);
    let ended = drill.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert_eq!(left(&scene), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0, "no kubeconfig, no store, nothing");
}

/// What changes with each write, by whoever.
fn versions(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|o| o["metadata"]["resourceVersion"].to_string()).collect()
}

#[test]
fn no_cluster_is_touched_unless_its_context_is_named() {
    let env = crate::env::TestEnv::new();
    let bin = env.root().join("trap");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("kubectl"), format!("#!/bin/sh\ntouch {}/started\n", env.root().display()))
        .unwrap();
    std::fs::set_permissions(bin.join("kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), env.path());
    let drill = |args: &str| env.sh(&format!("PATH={path} fr drill {args}"));
    let refused = drill("--system kubernetes");
    assert!(refused.code == 2 && refused.stderr.contains("--context NAME"), "{refused:?}");
    let refused = drill("--system files --context prod");
    assert!(refused.code == 2 && refused.stderr.contains("--context is for"), "{refused:?}");
    drill("--system files").ok();
    assert!(!env.root().join("started").exists());
    let missing = drill("--system kubernetes --context prod");
    assert_eq!(missing.code, 1, "a kubectl that makes nothing is no drill: {missing:?}");
    assert!(env.root().join("started").exists(), "the trap works");
}
