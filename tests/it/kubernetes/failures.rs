//! A cluster that does not answer, or does not tell everything.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::SHOP;
use super::cluster::Scene;
use crate::env::TestEnv;

#[test]
fn a_cluster_that_never_answers_does_not_hang_the_shell() {
    // Connections are taken by the kernel, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let env = TestEnv::new();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let begun = Instant::now();
    let call = env.claude_pre(&format!("kubectl --server {server} delete deploy web"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""), "the command is not held up");
    let event = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone();
    assert_eq!(event["class"], "destroy");
    assert!(!event["warnings"].as_array().unwrap().is_empty(), "the record says so: {event:#}");
}

/// Nobody listens there: known at once, and with a policy the command is not let through without its capture.
#[test]
fn a_cluster_that_is_not_there_is_said_and_policy_decides() {
    let env = TestEnv::new();
    let line = "kubectl --server http://127.0.0.1:1 delete namespace shop";
    let call = env.claude_pre(line);
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""), "{call:?}");
    let event = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone();
    assert!(event["warnings"].to_string().contains("was not captured"), "{event:#}");
    env.claude_fail(&call, 1);
    let out = env.fr(&["undo", "1", "--yes"]);
    assert!(
        out.code != 0 && !out.stdout.contains("is undone"),
        "nothing was captured, nothing is claimed: {out:?}"
    );
    std::fs::write(env.fr_home.join("config.toml"), "on-incomplete-capture = \"deny\"\n").unwrap();
    let denied = env.claude_pre(line);
    assert!(denied.answer.stdout.contains("deny"), "{denied:?}");
}

/// What happens inside of pods is seen, and nobody claims that it can be taken back.
#[test]
fn what_is_done_inside_of_pods_is_named_and_not_promised() {
    let env = TestEnv::new();
    for (line, class, said) in [
        ("kubectl cp settings.conf web-0:/etc/app.conf", "overwrite", "files inside a pod are not captured"),
        ("kubectl exec web-0 -- rm -rf /data", "opaque", ""),
        ("kubectl attach web-0 -it", "opaque", ""),
    ] {
        let call = env.claude_pre(line);
        assert_eq!(call.answer.code, 0, "{call:?}");
        let event = env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone();
        assert_eq!(event["class"], class, "{line}: {event:#}");
        assert!(event.to_string().contains(said), "{line}: {event:#}");
        env.claude_post(&call);
        let out = env.fr(&["undo", &event["id"].to_string(), "--yes"]);
        assert!(out.code != 0 && !out.stdout.contains("is undone"), "{line}: {out:?}");
    }
}

#[test]
fn what_only_looks_asks_no_server() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let env = TestEnv::new();
    let server = format!("http://{}", silent.local_addr().unwrap());
    for line in [
        "get pods",
        "describe deploy web",
        "delete deploy web --dry-run=client",
        "delete --help",
        "rollout status deploy web",
        "diff -f x.yaml",
    ] {
        env.claude_pre(&format!("kubectl --server {server} {line}"));
        assert!(silent.accept().is_err(), "{line}");
    }
    let events = env.fr(&["timeline", "--json", "-n", "20"]).ok().json();
    assert!(events.as_array().unwrap().iter().all(|event| event["class"] == "none"), "{events:#}");
}

#[test]
fn kinds_that_may_not_be_read_are_named_as_missing() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("create clusterrole NS-some --verb=get,list,delete,create,update,patch --resource=configmaps,deployments.apps,namespaces").ok();
    scene.kubectl("create clusterrolebinding NS-some --clusterrole=NS-some --user=limited").ok();
    scene.agent("kubectl --context limited delete namespace NS --wait=false").ok();
    let event = scene.event();
    let said = event.to_string();
    assert!(said.contains("secrets"), "what could not be read is named: {event:#}");
    scene.until("it is gone", || !scene.has("namespace NS"));
    let out = scene.undo();
    assert_eq!(out.code, 3, "partial, and said so: {out:?}");
    assert!(scene.has("cm settings") && scene.has("deploy web"));
    scene.kubectl("delete clusterrole,clusterrolebinding NS-some").ok();
}

#[test]
fn another_cluster_behind_the_same_name_is_refused() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let own = scene.env.root().join("kubeconfig");
    let text = scene.kubectl("config view --raw --flatten").ok().stdout;
    std::fs::write(&own, &text).unwrap();
    scene.agent(&format!("kubectl --kubeconfig {} -n NS delete cm settings", own.display())).ok();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = text.lines().find(|line| line.contains("server:")).unwrap();
    std::fs::write(&own, text.replace(server, &format!("    server: https://127.0.0.1:{port}"))).unwrap();
    let out = scene.undo();
    assert!(out.code != 0 && !scene.has("cm settings"), "{out:?}");
    std::fs::write(&own, &text).unwrap();
    scene.undo().ok();
    assert!(scene.has("cm settings"));
}
