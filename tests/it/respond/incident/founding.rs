//! The founding incidents that need a server, each from the agent's payload to the report: it is contained, the playbook that fits is
//! run to its end, the agent is released, the incident closed, and the report is compared with a golden. Whether all is back is
//! looked at by other means than ours.

use serde_json::{Value, json};

use super::{Clock, metric, report, story};
use crate::env::{SESSION, TestEnv};
use crate::json::fits;

/// One night: the damage is event 1.
struct Night {
    clock: Clock,
    incident: String,
}

impl Night {
    /// The person who was woken holds the agent, and opens the incident. `fits` is the playbook that is proposed.
    #[track_caller]
    fn begins(env: &mut TestEnv, mut clock: Clock, title: &str, fitting: &str) -> Night {
        clock.pass(env, 20);
        env.fr(&["contain", "--session", SESSION, "--reason", "it destroys"]).ok();
        let denied = env.claude_pre("rm -rf /srv/everything");
        assert!(denied.answer.stdout.contains("deny"), "{denied:?}");
        clock.pass(env, 10);
        let opened = fits(&env.fr(&["incident", "open", title, "--json"]).ok(), "incident");
        clock.pass(env, 30);
        env.fr(&["incident", "note", "the owners know; nobody repairs anything by hand"]).ok();
        let proposed = env.fr(&["playbook", "list", "--for", "1"]).ok().stdout;
        let line = proposed.lines().find(|line| line.starts_with(fitting));
        assert!(line.is_some(), "{fitting} is not proposed:\n{proposed}");
        Night { clock, incident: opened["id"].to_string() }
    }

    /// Runs a playbook, or goes on with it; its exit code and what it printed.
    fn playbook(
        &mut self,
        env: &mut TestEnv,
        words: &[&str],
        agreed: &str,
        answers: &[&str],
    ) -> (i32, Value) {
        self.clock.pass(env, 60);
        let mut args = vec!["playbook"];
        args.extend(words);
        if words[0] == "run" {
            args.extend(["--event", "1", "--incident", &self.incident]);
        }
        args.extend(["--confirm", agreed, "--json"]);
        answers.iter().for_each(|answer| args.extend(["--answer", answer]));
        let out = env.fr(&args);
        (out.code, fits(&out, "playbook-run"))
    }

    /// All is over: the report as JSON, and as it is read.
    #[track_caller]
    fn ends(mut self, env: &mut TestEnv, outcome: &str) -> (Value, String) {
        self.clock.pass(env, 120);
        env.fr(&["release"]).ok();
        env.fr(&["incident", "close", "--outcome", outcome]).ok();
        let made = report(env, &self.incident);
        assert_eq!(metric(&made, "time-to-detect")["value"], "20.0 s");
        assert_eq!(metric(&made, "commands-after-containment")["value"], "0 commands");
        assert_eq!(metric(&made, "capture-coverage")["value"], "1 of 1 (100 %)", "{made:#}");
        assert_eq!((&made["gaps"], &made["incident"]["status"]), (&json!([]), &json!("closed")), "{made:#}");
        (made, env.fr(&["incident", "report", &self.incident]).ok().stdout)
    }
}

/// It is finished, each of its steps done or not for this case.
#[track_caller]
fn is_finished(ran: &(i32, Value), failed: &[&str]) {
    let (code, report) = ran;
    assert_eq!(report["moment"], "finished", "{report:#}");
    let wrong: Vec<&str> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["moment"] == "step-failed")
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(wrong, failed, "{report:#}");
    assert_eq!(*code, if failed.is_empty() { 0 } else { 3 }, "{report:#}");
}

/// `target: restored, data-loss window`
fn rows(made: &Value) -> Vec<String> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let row = |one: &Value| {
        format!("{}: {}, {}", text(one, "target"), text(one, "restored"), text(one, "data_loss_short"))
    };
    made["recovery"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_bucket_is_removed() {
    let Some(mut scene) = crate::aws::scene::Scene::new() else { return };
    scene.python(
        "s = c('s3')\ns.create_bucket(Bucket='old-NS')\n\
         for k in ('a', 'b/c'): s.put_object(Bucket='old-NS', Key=k, Body=k.encode(), Metadata={'owner': 'ada'})",
    );
    let clock = Clock::new(&mut scene.env);
    scene.agent("aws s3 rb --force s3://old-NS").ok();
    let mut night = Night::begins(&mut scene.env, clock, "a bucket was removed", "s3-bucket");
    let ran = night.playbook(
        &mut scene.env,
        &["run", "s3-bucket"],
        "lifecycle,undo,version,learn",
        &["sample=2 objects, as they were"],
    );
    // That the bucket is gone is what two of its questions find.
    is_finished(&ran, &["exists", "versions"]);
    let (made, markdown) = night.ends(&mut scene.env, "the bucket is back, with versions from now on");
    let back = scene.python(
        "s = c('s3')\nobjects = s.list_objects_v2(Bucket='old-NS')['Contents']\n\
         read = [s.get_object(Bucket='old-NS', Key=o['Key']) for o in objects]\n\
         out = [[o['Key'], r['Body'].read().decode(), r['Metadata']] for o, r in zip(objects, read)] + [s.get_bucket_versioning(Bucket='old-NS')['Status']]",
    );
    let owner = json!({"owner": "ada"});
    assert_eq!(back, json!([["a", "a", owner], ["b/c", "b/c", owner], "Enabled"]));
    assert_eq!(rows(&made), [scene.named("aws:s3:bucket:old-NS: new-identity, none")]);
    let known = [(regex::escape(&scene.ns), "[NS]")];
    insta::assert_snapshot!(
        "bucket",
        story::settled_with(&scene.env, &markdown, &known, &["exists", "versions", "there", "count"])
    );
}

#[test]
fn instances_are_terminated() {
    let Some(mut scene) = crate::aws::scene::Scene::new() else { return };
    scene.setting("[aws]\nimage-before-terminate = true\n");
    let id = scene.python(
        "ec2 = c('ec2'); image = ec2.describe_images(Owners=['amazon'])['Images'][0]['ImageId']\n\
         out = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro')['Instances'][0]['InstanceId']",
    );
    let id = id.as_str().unwrap().to_owned();
    let clock = Clock::new(&mut scene.env);
    scene.agent(&format!("aws ec2 terminate-instances --instance-ids {id}")).ok();
    let running = "out = [i['InstanceId'] for r in c('ec2').describe_instances(Filters=[{'Name': 'tag:fr:replaces', 'Values': ['ID']}])['Reservations']\n\
                   for i in r['Instances'] if i['State']['Name'] == 'running']";
    let mut night = Night::begins(&mut scene.env, clock, "an instance was terminated", "ec2-terminated");
    let (code, report) = night.playbook(
        &mut scene.env,
        &["run", "ec2-terminated"],
        "undo",
        &["data=from the image of just before; Ada"],
    );
    assert_eq!((code, &report["at"]), (3, &json!("new")), "{report:#}");
    let new = scene.python(&running.replace("ID", &id));
    let new = new[0].as_str().unwrap().to_owned();
    assert_ne!(new, id);
    let answer = format!("new={new}");
    let answers = [answer.as_str(), "reach=the address of the load balancer", "healthy=yes"];
    let ran = night.playbook(&mut scene.env, &["resume"], "protect,learn", &answers);
    is_finished(&ran, &[]);
    let (made, markdown) = night.ends(&mut scene.env, "a new one runs, from the image of just before");
    let protected = scene.python(&format!(
        "out = c('ec2').describe_instance_attribute(InstanceId='{new}', Attribute='disableApiTermination')['DisableApiTermination']['Value']"
    ));
    assert_eq!(protected, json!(true));
    let found = rows(&made);
    // Its disk had no snapshot of its own: a new one was made of the image.
    assert!(found.iter().any(|row| row.contains(&id) && row.ends_with(": partial, none")), "{found:?}");
    let known = [
        (regex::escape(&id), "[INSTANCE]"),
        (regex::escape(&new), "[NEW]"),
        (r"(ami|vol|snap|eni|sg|subnet|vpc)-[0-9a-f]{8,17}".to_owned(), "[$1]"),
        (r"\([0-9]+ items\)".to_owned(), "([N] items)"),
    ];
    let others = ["account", "instance", "images", "snapshots", "running"];
    insta::assert_snapshot!("instances", story::settled_with(&scene.env, &markdown, &known, &others));
}

#[test]
fn a_namespace_is_deleted() {
    let Some(mut scene) = crate::kubernetes::cluster::Scene::new() else { return };
    scene.apply(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: live}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: shop}, ports: [{port: 80}]}\n",
    );
    let uid = |scene: &crate::kubernetes::cluster::Scene| {
        scene.get("configmap settings").map(|found| found["metadata"]["uid"].as_str().unwrap().to_owned())
    };
    let before = uid(&scene).unwrap();
    let clock = Clock::new(&mut scene.env);
    scene.agent("kubectl delete namespace NS").ok();
    assert!(!scene.has("configmap settings"));
    let mut night = Night::begins(&mut scene.env, clock, "a namespace was deleted", "k8s-namespace");
    let ran = night.playbook(
        &mut scene.env,
        &["run", "k8s-namespace"],
        "undo,learn",
        &["volume-data=it had no volumes", "ready=yes; the address of the service is new"],
    );
    is_finished(&ran, &[]);
    let (made, markdown) = night.ends(&mut scene.env, "the namespace is back");
    assert_eq!(scene.get("configmap settings").unwrap()["data"]["mode"], "live");
    assert!(scene.has("service web") && uid(&scene).is_some_and(|now| now != before));
    let found = rows(&made);
    assert!(
        found.len() == 1 && found[0].contains(&scene.ns) && found[0].ends_with(": new-identity, none"),
        "{found:?}"
    );
    assert!(metric(&made, "time-to-recover")["number"].is_number(), "{made:#}");
    // What the server's own controllers had put into the young namespace by then differs from run to run.
    let known = [
        (format!(r"\b{}\b", regex::escape(&scene.ns)), "[NS]"),
        (r"\b127\.0\.0\.1:[0-9]+\b".to_owned(), "[SERVER]"),
        (r"\([0-9]+ items\)".to_owned(), "([N] items)"),
        ("the server makes a new token for [^;]*; ".to_owned(), ""),
    ];
    let others = ["who", "left", "volumes", "objects"];
    insta::assert_snapshot!("namespace", story::settled_with(&scene.env, &markdown, &known, &others));
}

#[test]
fn terraform_destroys_it_all() {
    use crate::terraform::backends::Backend;
    if crate::terraform::terraform().is_none() {
        return;
    }
    let Some(backend) = Backend::local() else { return };
    let mut scene = crate::terraform::scene::Scene::on(backend);
    let clock = Clock::new(&mut scene.env);
    scene.agent("terraform -chdir=infra destroy -auto-approve").ok();
    assert_eq!(scene.real(), [""; 0]);
    let dir = format!("dir={}", scene.root.display());
    let mut night = Night::begins(&mut scene.env, clock, "terraform destroyed it all", "terraform-destroy");
    let ran = night.playbook(
        &mut scene.env,
        &["run", "terraform-destroy", "--var", &dir],
        "undo,learn",
        &[
            "nobody-applies=the pipelines are off, Ada knows",
            "data=the disks: none of them has a snapshot",
            "approve=Ada",
            "smoke=the web answers; the disks are empty",
        ],
    );
    is_finished(&ran, &[]);
    let (made, markdown) = night.ends(&mut scene.env, "all of it runs again; the data of the disks is lost");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
    scene.tf("plan -detailed-exitcode -input=false").ok();
    let found = rows(&made);
    assert!(!found.is_empty() && found.iter().all(|row| row.ends_with(", unknown")), "{found:?}");
    assert!(!found.iter().any(|row| row.contains(": exact")), "new ones are not the old ones: {found:?}");
    assert!(!markdown.contains("tf-secret-in-state") && !made.to_string().contains("tf-secret-in-state"));
    let known = [(r"\(id [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)".to_owned(), "(id [ID])")];
    insta::assert_snapshot!(
        "terraform",
        story::settled_with(&scene.env, &markdown, &known, &["state-now", "plan"])
    );
}
