//! Deletes whose words choose their targets in each way that kubectl knows, and what has to come back in order.

use super::SHOP;
use super::cluster::{Scene, meant};

const SHOP_KINDS: [&str; 4] = ["cm settings", "secret keys", "deploy web", "svc web"];

/// By field, all of a kind, by a kustomization, by manifests that are redirected.
#[test]
fn each_way_to_choose_what_is_deleted_is_found_before() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("shop.yaml", SHOP);
    scene.env.write("over/shop.yaml", SHOP);
    scene.env.write("over/kustomization.yaml", format!("namespace: {}\nresources: [shop.yaml]\n", scene.ns));
    scene.env.write("tree/deep/shop.yaml", SHOP);
    let rows: [(&str, &[&str]); 7] = [
        ("kubectl -n NS delete cm --field-selector=metadata.name=settings", &["cm settings"]),
        ("kubectl -n NS delete deploy --all", &["deploy web"]),
        ("kubectl delete -k over", &SHOP_KINDS),
        ("kubectl -n NS delete -f - < shop.yaml", &SHOP_KINDS),
        ("kubectl -n NS delete -R -f tree", &SHOP_KINDS),
        ("kubectl -n NS delete cm/settings svc/web", &["cm settings", "svc web"]),
        ("kubectl delete --raw /api/v1/namespaces/NS/configmaps/settings", &["cm settings"]),
    ];
    for (line, targets) in rows {
        let before: Vec<_> = targets.iter().map(|what| meant(scene.get(what).unwrap())).collect();
        scene.agent(line).ok();
        scene.until("they are gone", || targets.iter().all(|what| !scene.has(what)));
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        let after: Vec<_> = targets.iter().map(|what| meant(scene.get(what).unwrap())).collect();
        assert_eq!(after, before, "{line}");
    }
}

/// What a deployment owned is left behind without it, and is taken over by the one that comes back: no pod is made anew.
#[test]
fn what_an_owner_left_behind_is_its_own_again() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.apply(
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, replicas: 1, selector: {matchLabels: {app: db}},\n\
         template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: \"db:1\"}]}}}}",
    );
    scene.until("its pods are there", || scene.names("pods").len() == 4);
    let before = ["deploy web", "sts db"].map(|what| meant(scene.get(what).unwrap()));
    let uids = || {
        let list = scene.kubectl("-n NS get rs,pods -o json").ok().json();
        let mut all: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|o| o["metadata"]["uid"].to_string()).collect();
        all.sort();
        all
    };
    let owned = uids();
    scene.agent("kubectl -n NS delete deploy/web sts/db --cascade=orphan").ok();
    assert_eq!(uids(), owned, "they were left behind");
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(["deploy web", "sts db"].map(|what| meant(scene.get(what).unwrap())), before);
    let owner = |what: &str| scene.get(what).unwrap()["metadata"]["ownerReferences"][0]["uid"].clone();
    let uid = |what: &str| scene.get(what).unwrap()["metadata"]["uid"].clone();
    let set = scene.names("rs").remove(0).replace('/', " ").replace("replicaset.apps", "rs");
    scene
        .until("they are adopted", || owner(&set) == uid("deploy web") && owner("pod db-0") == uid("sts db"));
    assert_eq!(uids(), owned, "none was made anew: {out:?}");
}

#[test]
fn a_definition_comes_back_before_its_instances() {
    let Some(scene) = Scene::new() else { return };
    let group = format!("{}.fr.example", scene.ns);
    scene.apply(&format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: gizmos.{group}}}, spec: {{group: {group}, scope: Namespaced,\n\
         names: {{plural: gizmos, singular: gizmo, kind: Gizmo}}, versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]}}}}"
    ));
    scene.until("the new kind is served", || scene.kubectl(&format!("-n NS get gizmos.{group}")).code == 0);
    for name in ["one", "two"] {
        scene.apply(&format!(
            "{{apiVersion: {group}/v1, kind: Gizmo, metadata: {{name: {name}, finalizers: []}}, spec: {{n: {name}, list: [1, 2]}}}}"
        ));
    }
    let kinds = [format!("gizmos.{group} one"), format!("gizmos.{group} two"), format!("crd gizmos.{group}")];
    let before: Vec<_> = kinds.iter().map(|what| meant(scene.get(what).unwrap())).collect();
    scene.agent(&format!("kubectl delete crd gizmos.{group}")).ok();
    scene.until("it is gone", || !scene.has(&kinds[2]));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let after: Vec<_> = kinds.iter().map(|what| meant(scene.get(what).unwrap())).collect();
    assert_eq!(after, before, "{out:?}");
    scene.kubectl(&format!("delete crd gizmos.{group} --wait=false")).ok();
}

/// A webhook whose server is gone refuses everything: made first it would stop what comes back with it.
#[test]
fn a_webhook_comes_back_after_what_it_would_refuse() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.kubectl("label namespace NS guard=NS").ok();
    scene.apply(
        "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: guard-NS}, webhooks: [{name: a.guard.example,\n\
         clientConfig: {url: \"https://127.0.0.1:1/\"}, rules: [{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [configmaps, secrets]}],\n\
         failurePolicy: Fail, namespaceSelector: {matchLabels: {guard: NS}}, sideEffects: None, admissionReviewVersions: [v1], timeoutSeconds: 1}]}",
    );
    let refuses = || scene.kubectl("-n NS create cm new --dry-run=server").code != 0;
    scene.until("it refuses", refuses);
    let kinds = ["cm settings", "secret keys", "validatingwebhookconfiguration guard-NS"];
    let before = kinds.map(|what| meant(scene.get(what).unwrap()));
    scene.agent("kubectl -n NS delete validatingwebhookconfiguration/guard-NS cm/settings secret/keys").ok();
    scene.until("it refuses no more", || !refuses());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let normal = |mut object: serde_json::Value| {
        // The server's own counter, and its defaults.
        object.as_object_mut().unwrap().remove("status");
        object
    };
    assert_eq!(kinds.map(|what| normal(meant(scene.get(what).unwrap()))), before.map(normal));
    scene.until("it refuses again", refuses);
    scene.kubectl("delete validatingwebhookconfiguration guard-NS").ok();
}

/// A finalizer that somebody took away so that the object could go: it comes back with it.
#[test]
fn an_object_comes_back_with_the_finalizer_of_its_controller() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: guarded, finalizers: [fr.example/guard]}, data: {a: b}}",
    );
    let before = meant(scene.get("cm guarded").unwrap());
    scene
        .agent(
            "kubectl -n NS delete cm guarded --wait=false && kubectl -n NS patch cm guarded --type merge -p '{\"metadata\":{\"finalizers\":null}}'",
        )
        .ok();
    scene.until("it is gone", || !scene.has("cm guarded"));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(meant(scene.get("cm guarded").unwrap()), before);
    scene.kubectl("-n NS patch cm guarded --type merge -p '{\"metadata\":{\"finalizers\":null}}'").ok();
}

/// More objects than the server gives in one answer (500 to a page): none is forgotten.
#[test]
fn a_namespace_of_more_than_a_thousand_objects_is_back() {
    let Some(scene) = Scene::new() else { return };
    const MANY: &str = r#"
import http.client, json, os, re, ssl, threading
text = open(os.environ["KUBECONFIG"]).read()
host, port = re.search(r"https://([\d.]+):(\d+)", text).groups()
ca = re.search(r'certificate-authority: "([^"]+)"', text).group(1)
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
def some(start):
    line = http.client.HTTPSConnection(host, int(port), context=context)
    for n in range(start, 1100, 8):
        body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{n}"}, "data": {"n": str(n)}})
        line.request("POST", "/api/v1/namespaces/SPACE/configmaps", body, {"Authorization": "Bearer fr-admin-token", "Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
        assert answer.status == 201, answer.status
threads = [threading.Thread(target=some, args=(start,)) for start in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
"#;
    scene.env.write("many.py", MANY.replace("SPACE", &scene.ns));
    scene.env.sh("python3 many.py").ok();
    let data = || {
        let list = scene.kubectl("-n NS get cm -o json").ok().json();
        let items = list["items"].as_array().unwrap().iter();
        let mut all: Vec<String> = items
            .map(|o| format!("{} {}", o["metadata"]["name"], o["data"]["n"]))
            .filter(|t| t.starts_with("\"m"))
            .collect();
        all.sort();
        all
    };
    let before = data();
    assert_eq!(before.len(), 1100);
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(data(), before);
    scene.kubectl("delete namespace NS --wait=false").ok();
}
