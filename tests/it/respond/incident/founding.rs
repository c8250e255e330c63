//! The founding incidents that need a server: from the agent's command over containment and recovery to the report, which says
//! of each what is back, as what, how that is known, and what is not back and why.

use serde_json::{Value, json};

use super::{metric, report};
use crate::env::{SESSION, TestEnv};

/// What the person who was woken does after the agent's command, and the report that comes of it. `undo` is what is typed to take
/// it back; its exit code is `code`.
#[track_caller]
fn worked(env: &TestEnv, undo: &[&[&str]], code: i32) -> Value {
    env.fr(&["contain", "--session", SESSION, "--reason", "it destroys"]).ok();
    let denied = env.claude_pre("rm -rf /srv/everything");
    assert!(denied.answer.stdout.contains("deny"), "{denied:?}");
    let opened = crate::json::fits(&env.fr(&["incident", "open", "--json"]).ok(), "incident");
    let id = opened["id"].to_string();
    env.fr(&["incident", "note", "the owners know"]).ok();
    let mut last = 0;
    for words in undo {
        last = env.fr(&[&["undo", "--yes"], *words].concat()).code;
    }
    assert_eq!(last, code, "{}", env.fr(&["timeline"]).stdout);
    env.fr(&["release"]).ok();
    env.fr(&["incident", "close", "--outcome", "see the report"]).ok();
    let made = report(env, &id);
    assert_eq!(metric(&made, "commands-after-containment")["value"], "0 commands");
    assert_eq!(metric(&made, "capture-coverage")["value"], "1 of 1 (100 %)", "{made:#}");
    assert!(metric(&made, "time-to-contain")["number"].is_number() && made["gaps"] == json!([]), "{made:#}");
    made
}

/// The rows of the recovery table, `target: restored`.
fn rows(made: &Value) -> Vec<String> {
    let row =
        |one: &Value| format!("{}: {}", one["target"].as_str().unwrap(), one["restored"].as_str().unwrap());
    made["recovery"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_namespace_is_deleted() {
    let Some(scene) = crate::kubernetes::cluster::Scene::new() else { return };
    scene.apply(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: live}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: shop}, ports: [{port: 80}]}\n",
    );
    scene.agent("kubectl delete namespace NS").ok();
    assert!(!scene.has("configmap settings"));
    let made = worked(&scene.env, &[&["1"]], 0);
    assert_eq!(scene.get("configmap settings").unwrap()["data"]["mode"], "live");
    let found = rows(&made);
    assert!(
        found.len() == 1 && found[0].contains(&scene.ns) && found[0].ends_with(": new-identity"),
        "{found:?}"
    );
    let row = &made["recovery"][0];
    assert!(
        row["not_recoverable"].to_string().contains("its identity") && row["evidence"].is_number(),
        "{row:#}"
    );
    assert!(metric(&made, "time-to-recover")["number"].is_number(), "{made:#}");
}

#[test]
fn instances_are_terminated() {
    let Some(scene) = crate::aws::scene::Scene::new() else { return };
    let made = scene.python(
        "e = c('ec2')\nimage = e.describe_images(Owners=['amazon'])['Images'][0]['ImageId']\n\
         i = e.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro')\nout = i['Instances'][0]['InstanceId']\n",
    );
    let id = made.as_str().unwrap().to_owned();
    scene.agent(&format!("aws ec2 terminate-instances --instance-ids {id}")).ok();
    let made = worked(&scene.env, &[&["1"], &["1", "--apply-infra"]], 3);
    let found = rows(&made);
    assert!(found.iter().any(|row| row.contains(&id)), "{found:?}");
    assert!(!found.iter().any(|row| row.ends_with(": exact")), "another instance is not the same: {found:?}");
    let why = made["recovery"].to_string();
    assert!(
        why.contains("its id and its public address") && why.contains("what was on its disks"),
        "the undo's own words: {why}"
    );
}

#[test]
fn a_bucket_is_removed() {
    let Some(scene) = crate::aws::scene::Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='old-NS')\nfor k in ('a', 'b/c'): s.put_object(Bucket='old-NS', Key=k, Body=k.encode())\n");
    scene.agent("aws s3 rb --force s3://old-NS").ok();
    let made = worked(&scene.env, &[&["1"]], 0);
    let back =
        scene.python("out = sorted(o['Key'] for o in c('s3').list_objects_v2(Bucket='old-NS')['Contents'])");
    assert_eq!(back, json!(["a", "b/c"]));
    let found = rows(&made);
    assert!(
        found.len() == 1 && found[0].contains("old-") && found[0].ends_with(": new-identity"),
        "{found:?}"
    );
    assert!(metric(&made, "time-to-recover")["number"].is_number(), "{made:#}");
}

#[test]
fn terraform_destroys_it_all() {
    use crate::terraform::backends::Backend;
    if crate::terraform::terraform().is_none() {
        return;
    }
    let Some(backend) = Backend::local() else { return };
    let scene = crate::terraform::scene::Scene::on(backend);
    scene.agent("terraform -chdir=infra destroy -auto-approve").ok();
    let made = worked(&scene.env, &[&["1"], &["1", "--apply-infra"]], 3);
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
    let found = rows(&made);
    assert!(
        !found.is_empty() && !found.iter().any(|row| row.ends_with(": exact")),
        "new ones are not the old ones: {found:?}"
    );
    assert!(!made.to_string().contains("tf-secret-in-state"));
}
