//! Kubernetes: a dozen kinds of objects in a namespace that the drill makes, in the context that somebody named. Nothing of
//! it runs (no replicas, a rollout that is paused, a claim that no class serves), so that no node has work with it.

use std::ffi::OsString;

use serde_json::Value;

use super::cluster;
use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::{Scene, tail};
use crate::error::{Error, Result};

pub(super) const SCENARIO: Scenario = Scenario {
    system: "kubernetes",
    title: "a namespace of its own with a dozen kinds of objects, in the context that was named",
    needs: &["bash", "kubectl"],
    optional: true,
    asked: false,
    in_cluster: true,
    given: None,
    build,
    incidents: &[
        Incident {
            why: "a deployment is scaled to nothing",
            line: "kubectl --context CONTEXT -n NAMESPACE scale deployment web --replicas=0",
        },
        Incident {
            why: "rights are taken away",
            line: r#"kubectl --context CONTEXT -n NAMESPACE patch role reader --type merge -p '{"rules":[]}'"#,
        },
    ],
    anew: &[
        Incident {
            why: "several kinds are deleted by their label",
            line: "kubectl --context CONTEXT -n NAMESPACE delete configmap,secret,deployment,service,statefulset -l app=shop",
        },
        Incident {
            why: "an object is replaced by force, which deletes it first",
            line: r#"kubectl --context CONTEXT -n NAMESPACE replace --force -f - <<'END'
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "test"}}
END"#,
        },
        Incident {
            why: "the namespace is deleted with everything in it",
            line: "kubectl --context CONTEXT delete namespace NAMESPACE",
        },
    ],
    look,
    clear: Some(cluster::remove),
};

/// The kinds that are looked at, whole.
const KINDS: &str = "namespace configmap secret serviceaccount role rolebinding service deployment statefulset \
                     persistentvolumeclaim networkpolicy limitrange resourcequota";

const OBJECTS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: shop}, annotations: {owner: team-a}}
data: {mode: live, "y": "no", text: "two\nlines \u00fc"}
binaryData: {bytes: AP8Q}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, labels: {app: shop}}
stringData: {token: drilled}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: robot, namespace: NAMESPACE}]
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: shop}}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: shop}}
spec:
  replicas: 3
  paused: true
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: web, image: "registry.invalid/fr-drill:1", env: [{name: MODE, value: live}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, labels: {app: shop}}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "registry.invalid/fr-drill:1"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: fr-drill-none, resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only}
spec: {podSelector: {matchLabels: {app: shop}}, policyTypes: [Ingress]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {memory: 64Mi}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {pods: "20"}}
"#;

fn build(scene: &Scene) -> Result<()> {
    cluster::make(scene)?;
    let argv = line_of(scene, "kubectl --context CONTEXT -n NAMESPACE apply -f -");
    let done = scene.run(&argv, scene.line(OBJECTS).as_bytes())?;
    if done.code == 0 {
        return Ok(());
    }
    Err(Error::failure(format!("its objects could not be made: {}", tail(&done.stderr))))
}

fn line_of(scene: &Scene, line: &str) -> Vec<OsString> {
    ["bash", "--norc", "-c", &scene.line(line)].map(OsString::from).into()
}

/// What kubectl itself says of all objects but those that controllers make: every field but identity and what the server
/// notes.
fn look(scene: &Scene) -> Result<Look> {
    let mut look = Look::default();
    let kinds = KINDS.split_whitespace().skip(1).collect::<Vec<_>>().join(",");
    for line in [
        format!("kubectl --context CONTEXT -n NAMESPACE get {kinds} -o json"),
        "kubectl --context CONTEXT get namespace NAMESPACE -o json --ignore-not-found".to_owned(),
    ] {
        let said = scene.run(&line_of(scene, &line), b"")?;
        if said.code != 0 {
            look.add(line, format!("exit code {}: {}", said.code, tail(&said.stderr)));
            continue;
        }
        let listed: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        let one = [listed.clone()];
        let items = listed.get("items").and_then(Value::as_array).map_or(&one[..], Vec::as_slice);
        items.iter().filter(|object| is_ours(object)).for_each(|object| see(object, &mut look));
    }
    Ok(look)
}

/// Not made by a controller, which makes its own anew when it likes.
fn is_ours(object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let made = matches!(
        (kind, name),
        ("ConfigMap", "kube-root-ca.crt" | "openshift-service-ca.crt") | ("ServiceAccount", "default")
    );
    let token = matches!(text("/type"), "kubernetes.io/service-account-token" | "kubernetes.io/dockercfg");
    !(made || token || name.is_empty() || object.pointer("/metadata/ownerReferences").is_some())
}

fn see(object: &Value, look: &mut Look) {
    /// Identity, and what the server and its controllers note.
    const NOTED: &[&str] = &[
        "/metadata/uid",
        "/metadata/resourceVersion",
        "/metadata/generation",
        "/metadata/creationTimestamp",
        "/metadata/managedFields",
        "/metadata/selfLink",
        "/status",
        "/secrets",
        "/imagePullSecrets",
    ];
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let front = format!("{} {}", text("/kind"), text("/metadata/name"));
    leaves(object, "", &mut |at, value| {
        let is_noted = NOTED
            .iter()
            .any(|noted| at.strip_prefix(noted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        if !is_noted {
            look.add(format!("{front} {at}"), value.to_string());
        }
    });
}

/// Each field that holds no other.
fn leaves(value: &Value, at: &str, seen: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, inner)| leaves(inner, &format!("{at}/{name}"), seen));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(n, inner)| leaves(inner, &format!("{at}/{n}"), seen));
        }
        leaf => seen(at, leaf),
    }
}
