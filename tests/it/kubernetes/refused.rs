//! What the server would refuse is known before anything is written.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::SHOP;
use super::cluster::Scene;

#[test]
fn a_quota_that_would_stop_an_undo_half_way_stops_it_before() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm,secret,deploy -l app=shop").ok();
    scene.until("it is gone", || !scene.has("deploy web"));
    // As many secrets as there are now, and no more.
    let secrets = scene.names("secrets").len();
    scene.kubectl(&format!("-n NS create quota few --hard=count/secrets={secrets}")).ok();
    scene.until("the quota counts", || scene.get("quota few").unwrap()["status"]["used"].is_object());
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("exceeded quota"), "the server's own words: {out:?}");
    assert!(!scene.has("cm settings") && !scene.has("deploy web"), "nothing was written");
    let out = scene.undo_by(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("cm settings") && scene.has("deploy web") && !scene.has("secret keys"));
}

/// The server is asked object by object, and each alone would fit.
#[test]
fn objects_that_only_together_exceed_a_quota_are_found_before_the_first_is_written() {
    let Some(scene) = Scene::new() else { return };
    for name in ["a", "b", "c"] {
        scene.kubectl(&format!("-n NS create cm {name} --from-literal=x=y")).ok();
    }
    scene.agent("kubectl -n NS delete cm a b c").ok();
    let there = scene.names("cm").len();
    scene.kubectl(&format!("-n NS create quota few --hard=configmaps={}", there + 2)).ok();
    let number = serde_json::json!(there.to_string());
    let is_counted = || scene.get("quota few").unwrap()["status"]["used"]["configmaps"] == number;
    scene.until("the quota counts", is_counted);
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("few has room for 2 of the 3 to be made"), "{out:?}");
    assert_eq!(scene.names("cm").len(), there, "nothing was written");
    let out = scene.undo_by(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("cm a") && scene.has("cm b") && !scene.has("cm c"), "as many as fit: {out:?}");
    scene.kubectl("-n NS delete quota few").ok();
    let out = scene.undo();
    assert!(out.code == 0 && scene.has("cm c"), "{out:?}");
}

#[test]
fn a_field_that_has_become_immutable_is_a_conflict_in_the_servers_words() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS patch cm settings --type merge -p '{\"data\":{\"mode\":\"test\"}}'").ok();
    scene.kubectl("-n NS patch cm settings --type merge -p '{\"immutable\":true}'").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("immutable"), "{out:?}");
    assert_eq!(scene.get("cm settings").unwrap()["data"]["mode"], "test");
}

#[test]
fn a_user_who_may_not_write_it_back_learns_that_before() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("create clusterrole NS-some --verb=get,list,delete --resource=configmaps,secrets").ok();
    scene.kubectl("create clusterrolebinding NS-some --clusterrole=NS-some --user=limited").ok();
    scene.agent("kubectl --context limited -n NS delete cm settings").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert!(format!("{out:?}").contains("cannot create resource"), "{out:?}");
    scene.kubectl("delete clusterrole,clusterrolebinding NS-some").ok();
}

#[test]
fn what_cannot_be_tried_out_before_is_said() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.undo_by(&["--dry-run"]);
    assert!(out.stdout.contains("cannot be tried out before"), "{out:?}");
    assert!(!scene.has("namespace NS"), "asking makes nothing");
    let out = scene.undo();
    assert_eq!(out.code, 0, "tokens that nothing refers to are a note: {out:?}");
    assert!(scene.has("deploy web"));
}

/// A policy that came since (an admission webhook) forbids one of the objects: it is asked before anything is written, and
/// knows that it is only asked.
#[test]
fn an_object_that_a_webhook_forbids_is_named_before_the_first_is_written() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm,secret,svc -l app=shop").ok();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/webhook.py");
    let mut webhook = Command::new(script);
    let webhook = webhook.args([scene.env.root(), Path::new("settings")]);
    let mut webhook = webhook.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(webhook.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (port, certificate) = line.trim().split_once(' ').expect("python3 and openssl are installed");
    // The scene puts the namespace's name wherever its letters stand; a certificate may have them by chance.
    let certificate = certificate.replace("NS", "N\\u0053");
    let rule = |version: &str, kinds: &str, effects: &str| {
        format!(
            "{{apiVersion: admissionregistration.k8s.io/{version}, kind: ValidatingWebhookConfiguration, metadata: {{name: house-NS}}, webhooks: [{{name: a.house.example,\n\
             clientConfig: {{url: \"https://127.0.0.1:{port}/\", caBundle: \"{certificate}\"}}, rules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [{kinds}]}}],\n\
             namespaceSelector: {{matchLabels: {{house: NS}}}}, sideEffects: {effects}, admissionReviewVersions: [v1], timeoutSeconds: 5}}]}}"
        )
    };
    scene.kubectl("label namespace NS house=NS").ok();
    scene.apply(&rule("v1", "configmaps, secrets", "None"));
    let refuses = || scene.kubectl("-n NS create cm settings --dry-run=server").code != 0;
    scene.until("the webhook is asked", refuses);
    let asked = || std::fs::read_to_string(scene.env.root().join("asked")).unwrap();
    let before = asked().len();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    let said = format!("{out:?}");
    assert!(
        said.contains("configmap/settings") && said.contains("the policy of the house allows no settings"),
        "{said}"
    );
    assert!(!scene.has("secret keys") && !scene.has("svc web"), "nothing was written");
    assert!(asked()[before..].lines().all(|line| line.starts_with("dry ")), "{}", asked());
    let out = scene.undo_by(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("secret keys") && scene.has("svc web") && !scene.has("cm settings"), "{out:?}");
    // One that knows no dry run cannot be asked before, and that is said.
    scene.agent("kubectl -n NS delete secret keys").ok();
    scene.apply(&rule("v1beta1", "secrets", "Some"));
    scene.until("it refuses dry runs", || {
        scene
            .kubectl("-n NS create secret generic x --dry-run=server")
            .stderr
            .contains("does not support dry run")
    });
    let shown = scene.undo_by(&["--dry-run"]);
    assert!(shown.stdout.contains("cannot be tried out before"), "{shown:?}");
    assert_eq!(scene.undo().code, 0);
    assert!(scene.has("secret keys"));
    scene.kubectl("delete validatingwebhookconfiguration house-NS").ok();
    drop(webhook.stdin.take());
    webhook.wait().unwrap();
}
