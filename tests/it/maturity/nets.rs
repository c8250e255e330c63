//! Safety nets that systems have of their own: real remotes, GitHub's double by the real gh, moto by the real aws, a real API server.
//! Each is looked at without it, then the step that was named is typed, then with it.

use serde_json::{Value, json};

use super::{next, of, recorded, report, standing};
use crate::env::TestEnv;
use crate::{aws, github, kubernetes};

/// Looks, types the next step, looks again.
#[track_caller]
fn typed(env: &TestEnv, id: &str) -> (String, String) {
    let (word, told) = standing(env, id);
    assert_eq!(word, "not-met", "{id}: {told}");
    let line = next(env, id);
    let done = env.sh(&line);
    assert_eq!(done.code, 0, "{line}: {done:?}");
    standing(env, id)
}

#[test]
fn a_remote_in_files_that_takes_a_forced_push_is_named_until_it_refuses() {
    let env = recorded();
    let bare = env.root().join("it's shared.git");
    let bare = bare.to_str().unwrap();
    env.git(&["init", "-q", "--bare", bare]).ok();
    env.git(&["remote", "add", "origin", bare]).ok();
    env.git(&["push", "-q", "origin", "main"]).ok();
    env.claude_runs("git status");
    let (word, told) = typed(&env, "force-push");
    assert!(word == "met" && told.contains("receive.denyNonFastForwards = true"), "{told}");
    // What is said is so: the server refuses.
    env.git(&["commit", "-q", "--amend", "-m", "rewritten"]).ok();
    let pushed = env.git(&["push", "-q", "--force", "origin", "main"]);
    assert!(pushed.code != 0 && pushed.stderr.contains("denying non-fast-forward"), "{pushed:?}");
    // The default branch may be deleted and pushed anew: that is the same loss by another way.
    env.git(&["-C", bare, "config", "receive.denyDeleteCurrent", "false"]).ok();
    assert_eq!(typed(&env, "force-push").0, "met");
    assert_ne!(env.git(&["push", "-q", "origin", ":main"]).code, 0);
}

#[test]
fn a_configuration_that_would_run_something_is_only_read() {
    let env = recorded();
    let bare = env.root().join("r.git");
    let trap = env.root().join("trap");
    env.git(&["init", "-q", "--bare", bare.to_str().unwrap()]).ok();
    env.git(&["remote", "add", "origin", bare.to_str().unwrap()]).ok();
    let run = format!("touch {}", trap.display());
    for (key, value) in
        [("core.fsmonitor", &run), ("core.sshCommand", &run), ("alias.status", &format!("!{run}"))]
    {
        env.git(&["config", key, value]).ok();
        env.git(&["-C", bare.to_str().unwrap(), "config", key, value]).ok();
    }
    env.claude_pre("ls");
    assert_eq!(standing(&env, "force-push").0, "not-met");
    assert!(!trap.exists(), "something of the repository's configuration was run");
}

#[test]
fn a_host_that_cannot_be_asked_is_not_known_and_its_password_is_not_told() {
    let env = recorded();
    env.git(&["remote", "add", "origin", "https://me:glpat-secret4711@gitlab.example/team/shop.git"]).ok();
    env.claude_runs("ls");
    let (word, told) = standing(&env, "force-push");
    assert!(word == "unknown" && told.contains("gitlab.example/team/shop"), "{told}");
    for format in ["text", "md", "html", "json"] {
        assert!(!env.fr(&["maturity", "--format", format]).ok().stdout.contains("secret4711"));
    }
}

#[test]
fn on_github_protection_and_rules_count() {
    let Some(scene) = github::scene::Scene::new() else { return };
    scene.agent("git status").ok();
    let (word, told) = typed(&scene.env, "force-push");
    assert!(word == "met" && told.contains("forced pushes are not allowed"), "{told}");
    // Protected, but not against this.
    let body = r#"{"required_status_checks":null,"enforce_admins":true,"required_pull_request_reviews":null,"restrictions":null,"allow_force_pushes":true}"#;
    scene.sh(&format!("echo '{body}' | gh api -X PUT repos/R/branches/main/protection --input -")).ok();
    assert_eq!(standing(&scene.env, "force-push").0, "not-met");
    let rule = r#"{"name":"r","target":"branch","enforcement":"active","conditions":{"ref_name":{"include":["~DEFAULT_BRANCH"],"exclude":[]}},"rules":[{"type":"non_fast_forward"}]}"#;
    scene.sh(&format!("echo '{rule}' | gh api -X POST repos/R/rulesets --input -")).ok();
    let (word, told) = standing(&scene.env, "force-push");
    assert!(word == "met" && told.contains("a rule refuses"), "{told}");
    assert!(
        scene.api("repos/R/branches/main/protection").unwrap()["allow_force_pushes"]["enabled"]
            == json!(true)
    );
}

#[test]
fn without_a_login_nothing_is_known_of_github() {
    let Some(mut scene) = github::scene::Scene::new() else { return };
    scene.agent("git status").ok();
    scene.env.vars.retain(|(name, _)| name != "GH_TOKEN");
    let (word, told) = standing(&scene.env, "force-push");
    assert!(word == "unknown" && told.contains("gh"), "{told}");
}

#[test]
fn terraform_that_would_destroy_a_database_is_found_in_its_files() {
    let env = recorded();
    let main = "resource \"aws_db_instance\" \"orders\" {\n  password = \"tf-secret-4711\"\n}\n";
    env.write("infra/main.tf", format!("module \"net\" {{\n  source = \"./net\"\n}}\n{main}"));
    env.write(
        "infra/net/disk.tf",
        "resource \"aws_ebs_volume\" \"d\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n",
    );
    assert_eq!(standing(&env, "prevent-destroy").0, "unknown", "no agent is on record");
    env.claude_runs("ls");
    assert_eq!(standing(&env, "prevent-destroy").0, "does-not-apply", "no agent was there");
    let call = env.claude_hook(json!({
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": "t", "cwd": env.project.join("infra").to_str(),
        "tool_input": {"command": "terraform plan"},
    }));
    assert_eq!(call.code, 0);
    let (word, told) = standing(&env, "prevent-destroy");
    assert!(
        word == "not-met" && told.contains("50 % (1 of 2)") && told.contains("aws_db_instance.orders"),
        "{told}"
    );
    assert_eq!(standing(&env, "remote-state").0, "not-met");
    env.write("infra/main.tf", main.replace("\n}", "\n  lifecycle { prevent_destroy = true }\n}"));
    assert_eq!(standing(&env, "prevent-destroy").0, "met");
    // A file that nobody can read may hold anything.
    env.write("infra/more.tf", "resource \"aws_db_instance\" \"x\" {\n  password = \"tf-secret-4711\n");
    let (word, told) = standing(&env, "prevent-destroy");
    assert!(word == "unknown" && told.contains("more.tf") && !told.contains("4711"), "{told}");
    let data = env.project.join("infra/.terraform");
    std::fs::create_dir(&data).unwrap();
    for (backend, expected) in [
        (r#"{"type":"s3","config":{"bucket":"b","secret_key":"tf-secret-4711"}}"#, "not-met"),
        (r#"{"type":"s3","config":{"bucket":"b","use_lockfile":true}}"#, "met"),
        (r#"{"type":"gcs","config":{"bucket":"b"}}"#, "met"),
        (r#"{"type":"artifactory","config":{}}"#, "unknown"),
    ] {
        std::fs::write(data.join("terraform.tfstate"), format!("{{\"version\":3,\"backend\":{backend}}}"))
            .unwrap();
        let (word, told) = standing(&env, "remote-state");
        assert!(word == expected && !told.contains("4711"), "{backend}: {told}");
    }
}

/// An account of its own: what other tests make in the shared one is not in it.
fn account(scene: &mut aws::scene::Scene, number: u64) -> Vec<(String, String)> {
    let id = format!("{:012}", 300_000_000_000 + u64::from(std::process::id()) * 100 + number);
    let script = format!(
        "out = c('sts').assume_role(RoleArn='arn:aws:iam::{id}:role/agent', RoleSessionName='session')['Credentials']"
    );
    let keys = scene.python(&script);
    let key = |name: &str| keys[name].as_str().unwrap().to_owned();
    let keys = [
        ("AWS_ACCESS_KEY_ID", key("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", key("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", key("SessionToken")),
    ];
    keys.map(|(name, value)| (name.to_owned(), value)).into()
}

#[test]
fn in_aws_what_would_come_back_and_what_would_not_is_asked() {
    let Some(mut scene) = aws::scene::Scene::new() else { return };
    let person = scene.env.vars.clone();
    let agent = account(&mut scene, 1);
    scene.env.vars.extend(agent);
    // In us-east-1 version 1 of aws asks rds.amazonaws.com, whatever the endpoint (measured on 1.45).
    scene.env.vars.push(("AWS_DEFAULT_REGION".to_owned(), "eu-west-1".to_owned()));
    scene.python(
        "s, d, r, e = c('s3'), c('dynamodb'), c('rds'), c('ec2')\n\
         s.create_bucket(Bucket='kept-NS', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})\n\
         d.create_table(TableName='orders-NS', KeySchema=[{'AttributeName':'k','KeyType':'HASH'}], AttributeDefinitions=[{'AttributeName':'k','AttributeType':'S'}], BillingMode='PAY_PER_REQUEST')\n\
         r.create_db_instance(DBInstanceIdentifier='db-NS', DBInstanceClass='db.t3.micro', Engine='postgres', MasterUsername='u', MasterUserPassword='password', AllocatedStorage=10, BackupRetentionPeriod=0)",
    );
    scene.env.claude_runs("ls");
    assert_eq!(standing(&scene.env, "bucket-versioning").0, "does-not-apply", "no agent has used aws");
    scene.agent("aws s3api put-bucket-tagging --bucket kept-NS --tagging TagSet=[]").ok();

    let (word, told) = typed(&scene.env, "bucket-versioning");
    assert!(word == "met" && told.contains(&scene.named("s3://kept-NS")), "{told}");
    for id in ["deletion-protection", "point-in-time"] {
        let (word, told) = typed(&scene.env, id);
        // One of the two databases.
        assert!(word == "not-met" && told.contains("50 % (1 of 2)"), "{id}: {told}");
        let (word, told) = typed(&scene.env, id);
        assert_eq!(word, "met", "{id}: {told}");
    }
    let (word, told) = standing(&scene.env, "separate-identity");
    assert!(word == "not-met" && told.contains("role/agent"), "the agent has what I have: {told}");
    scene.env.vars = person;
    let (word, told) = standing(&scene.env, "separate-identity");
    assert!(word == "met" && told.contains("you are arn:aws:"), "{told}");
    // Another agent asks: whose credentials are a person's is not known to it.
    scene.env.vars.push(("CLAUDECODE".to_owned(), "1".to_owned()));
    assert_eq!(standing(&scene.env, "separate-identity").0, "unknown");
}

#[test]
fn an_account_that_does_not_answer_is_not_known() {
    let Some(mut scene) = aws::scene::Scene::new() else { return };
    let mut set = |name: &str, value: &str| scene.env.vars.push((name.to_owned(), value.to_owned()));
    set("AWS_DEFAULT_REGION", "eu-west-1");
    set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    set("AWS_MAX_ATTEMPTS", "1");
    scene.agent("aws s3 rm s3://nothing-NS/x");
    let report = report(&scene.env, &["--system", "aws"]);
    for id in ["bucket-versioning", "deletion-protection", "point-in-time"] {
        assert_eq!(of(&report, id)["standing"], "unknown", "{id}: {report:#}");
    }
}

#[test]
fn a_volume_that_goes_with_its_claim_is_named_and_whose_the_agents_credentials_are() {
    let Some(mut scene) = kubernetes::cluster::Scene::new() else { return };
    let ns = scene.ns.clone();
    scene.apply(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-mat-NS},\n\
         spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Delete, storageClassName: mat-NS, hostPath: {path: /nonexistent}}}\n\
         ---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data},\n\
         spec: {accessModes: [ReadWriteOnce], storageClassName: mat-NS, resources: {requests: {storage: 1Gi}}}}\n",
    );
    scene.until("the claim is bound", || scene.get("pvc data").unwrap()["status"]["phase"] == "Bound");
    // The agent has a service account of its own.
    scene.kubectl("-n NS create sa agent").ok();
    let config = scene.env.root().join("agent.conf");
    let config = config.to_str().unwrap().to_owned();
    let line = "cp $KUBECONFIG @FILE && kubectl --kubeconfig @FILE config set-credentials agent --token=$(kubectl -n @NS create token agent) \
                && kubectl --kubeconfig @FILE config set-context --current --user=agent";
    scene.env.sh(&line.replace("@FILE", &config).replace("@NS", &ns)).ok();
    scene.agent(&format!("kubectl --kubeconfig {config} -n NS delete configmap nothing"));
    let word = |report: &Value, id: &str| of(report, id)["standing"].as_str().unwrap().to_owned();
    let separate = report(&scene.env, &["--system", "kubernetes"]);
    assert_eq!(word(&separate, "separate-identity"), "met", "{separate:#}");
    assert_eq!(word(&separate, "least-privilege"), "met", "{separate:#}");
    assert_eq!(word(&separate, "volumes-retained"), "unknown", "it may not list volumes: {separate:#}");

    // And now with mine.
    scene.agent("kubectl -n NS delete configmap nothing");
    let shared = report(&scene.env, &["--system", "kubernetes"]);
    assert_eq!(word(&shared, "separate-identity"), "not-met", "{shared:#}");
    assert_eq!(word(&shared, "least-privilege"), "not-met", "{shared:#}");
    let volumes = of(&shared, "volumes-retained");
    assert_eq!(volumes["standing"], "not-met");
    let name = format!("pv-mat-{ns}");
    let told = volumes.to_string();
    assert!(told.contains(&format!("volume {name} of {ns}/data")), "{told}");
    if volumes["next"].as_str().unwrap().contains(&name) {
        scene.env.sh(volumes["next"].as_str().unwrap()).ok();
        let patched = scene.get(&format!("pv {name}")).unwrap();
        assert_eq!(patched["spec"]["persistentVolumeReclaimPolicy"], "Retain");
        let after = of(&report(&scene.env, &["--system", "kubernetes"]), "volumes-retained").to_string();
        assert!(after.contains(&format!("volume {name} of {ns}/data: reclaim policy Retain")), "{after}");
    }
    scene.env.vars.clear();
}
