//! The shipped playbooks on real servers: credentials that no longer work are the proof.

use serde_json::json;

use super::{playbook, ran, step};
use crate::{aws, kubernetes, postgres};

/// A key that was used elsewhere, and a role that sessions hold already.
#[test]
fn credentials_of_aws_are_cut_off() {
    let Some(scene) = aws::scene::Scene::new() else { return };
    let (user, role) = (scene.named("robot-NS"), scene.named("agents-NS"));
    let key = scene.python(&format!(
        "iam = c('iam'); iam.create_user(UserName='{user}'); out = iam.create_access_key(UserName='{user}')['AccessKey']['AccessKeyId']\n\
         iam.create_role(RoleName='{role}', AssumeRolePolicyDocument='{{}}')"
    ));
    let key = key.as_str().unwrap();
    let vars = [format!("aws-user={user}"), format!("aws-key={key}"), format!("aws-role={role}")];
    let mut args = vec!["run", "revoke-agent-credentials"];
    vars.iter().for_each(|var| args.extend(["--var", var.as_str()]));
    let (code, report) = ran(&scene.env, &args);
    assert_eq!((code, &report["at"]), (3, &json!("aws-key")), "{report:#}");
    let status = || {
        scene.python(&format!(
            "out = c('iam').list_access_keys(UserName='{user}')['AccessKeyMetadata'][0]['Status']"
        ))
    };
    assert_eq!(status(), "Active", "looking revokes nothing");
    let (code, report) = ran(
        &scene.env,
        &[
            "resume",
            "--confirm",
            "aws-key,aws-role,learn",
            "--answer",
            "token=none",
            "--answer",
            "rotate=none",
            "--answer",
            "healthy=yes",
        ],
    );
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
    assert_eq!(status(), "Inactive");
    for id in ["aws-key-off", "aws-role-denied"] {
        assert_eq!(step(&report, id).0, "step-done");
    }
    assert_eq!(step(&report, "db-role").0, "step-skipped", "only what is named is revoked");
    // Each revocation is an event that can be taken back.
    let line = report["steps"].as_array().unwrap().iter().find(|line| line["step"] == "aws-key").unwrap();
    let event = line["event"].to_string();
    scene.env.fr(&["undo", "--yes", &event]).ok();
    assert_eq!(status(), "Active");
}

#[test]
fn a_service_account_is_worth_nothing_any_more() {
    let Some(scene) = kubernetes::cluster::Scene::new() else { return };
    scene.kubectl("-n NS create serviceaccount robot").ok();
    // Not `create token`, which kubectl has since 1.24 only.
    let asked = r#"{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}"#;
    scene.env.write("token.json", asked);
    let made =
        scene.kubectl("create --raw /api/v1/namespaces/NS/serviceaccounts/robot/token -f token.json").ok();
    let token = made.json()["status"]["token"].as_str().unwrap().to_owned();
    // By a file: the letters of a token may be those that the scene replaces.
    scene.env.write("token", &token);
    let who = || {
        scene.kubectl("--kubeconfig /dev/null --server \"$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')\" --insecure-skip-tls-verify --token \"$(cat token)\" get --raw /api")
    };
    // The server hears of a new account a moment after it has made it.
    scene.until("the token is good", || who().code == 0);
    let namespace = format!("kube-namespace={}", scene.ns);
    let (code, report) = ran(
        &scene.env,
        &[
            "run",
            "revoke-agent-credentials",
            "--var",
            &namespace,
            "--var",
            "kube-account=robot",
            "--confirm",
            "kube-account,learn",
            "--answer",
            "token=none",
            "--answer",
            "rotate=none",
            "--answer",
            "healthy=yes",
        ],
    );
    assert_eq!((code, step(&report, "kube-account-gone").0.as_str()), (0, "step-done"), "{report:#}");
    // The server remembers for some seconds that it has let a token in.
    scene.until("the token is refused", || who().code != 0);
}

/// The name of a role is data for SQL as well.
#[test]
fn a_database_role_is_locked_out_whatever_its_name_is() {
    let hostile = "robot\"; DROP TABLE users; --";
    let Some(scene) = postgres::scene::Scene::new("CREATE TABLE users (id int)") else { return };
    let role = format!("{hostile} {}", scene.db);
    let quoted = role.replace('"', "\"\"");
    scene.sql(&format!("CREATE ROLE \"{quoted}\" LOGIN"));
    let (role_var, db) = (format!("db-role={role}"), format!("database={}", scene.db));
    let (code, report) = ran(
        &scene.env,
        &[
            "run",
            "revoke-agent-credentials",
            "--var",
            &role_var,
            "--var",
            &db,
            "--confirm",
            "db-role,learn",
            "--answer",
            "token=none",
            "--answer",
            "rotate=none",
            "--answer",
            "healthy=yes",
        ],
    );
    assert_eq!((code, step(&report, "db-role-off").0.as_str()), (0, "step-done"), "{report:#}");
    let literal = role.replace('\'', "''");
    assert_eq!(scene.sql(&format!("SELECT rolcanlogin FROM pg_roles WHERE rolname = '{literal}'")), "f");
    assert_eq!(scene.sql("SELECT count(*) FROM users"), "0", "the table is there");
    scene.sql(&format!("DROP ROLE \"{quoted}\""));
}

#[test]
fn rows_of_a_database() {
    let Some(scene) = postgres::scene::Scene::new(
        "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, 50) n",
    ) else {
        return;
    };
    scene.agent("psql -q -c 'DELETE FROM users WHERE id > 10'");
    assert_eq!(scene.sql("SELECT count(*) FROM users"), "10");
    let (code, report) = ran(
        &scene.env,
        &[
            "run",
            "database-loss",
            "--confirm",
            "undo,learn",
            "--answer",
            "writes=held",
            "--answer",
            "way=row by row",
            "--answer",
            "consistent=50 rows",
            "--answer",
            "open=yes",
        ],
    );
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(scene.sql("SELECT count(*) FROM users"), "50");
}

#[test]
fn an_instance_that_was_terminated() {
    let Some(scene) = aws::scene::Scene::new() else { return };
    scene.setting("[aws]\nimage-before-terminate = true\n");
    let id = scene.python(
        "ec2 = c('ec2'); image = ec2.describe_images()['Images'][0]['ImageId']\n\
         out = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro')['Instances'][0]['InstanceId']",
    );
    let id = id.as_str().unwrap();
    scene.agent(&format!("aws ec2 terminate-instances --instance-ids {id} --output text"));
    let (code, report) = ran(
        &scene.env,
        &["run", "ec2-terminated", "--confirm", "undo", "--answer", "data=from the image; Ada"],
    );
    assert_eq!((code, &report["at"]), (3, &json!("new")), "{report:#}");
    assert_eq!(step(&report, "undo").0, "step-done", "{report:#}");
    let new = scene.python(
        "out = [i['InstanceId'] for r in c('ec2').describe_instances()['Reservations'] for i in r['Instances'] if i['State']['Name'] == 'running'][-1]",
    );
    assert_ne!(new, json!(id));
    let answer = format!("new={}", new.as_str().unwrap());
    let (code, report) = ran(
        &scene.env,
        &[
            "resume",
            "--confirm",
            "protect,learn",
            "--answer",
            &answer,
            "--answer",
            "reach=none",
            "--answer",
            "healthy=yes",
        ],
    );
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        (step(&report, "running").0, step(&report, "protect").0),
        ("step-done".to_owned(), "step-done".to_owned())
    );
}

#[test]
fn objects_of_a_bucket() {
    let Some(scene) = aws::scene::Scene::new() else { return };
    scene.python(
        "s3 = c('s3'); s3.create_bucket(Bucket='shop-NS'); s3.put_bucket_versioning(Bucket='shop-NS', VersioningConfiguration={'Status': 'Enabled'})\n\
         [s3.put_object(Bucket='shop-NS', Key=f'k{n}', Body=b'x') for n in range(5)]",
    );
    scene.agent("aws s3 rm s3://shop-NS --recursive --quiet");
    let count = || scene.python("out = c('s3').list_objects_v2(Bucket='shop-NS').get('KeyCount', 0)");
    assert_eq!(count(), 0);
    let (code, report) = ran(
        &scene.env,
        &["run", "s3-bucket", "--confirm", "lifecycle,undo,version,learn", "--answer", "sample=5 objects"],
    );
    assert_eq!((code, count()), (0, json!(5)), "{report:#}");
}

#[test]
fn a_namespace() {
    let Some(scene) = kubernetes::cluster::Scene::new() else { return };
    scene.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: live}\n");
    scene.agent("kubectl delete namespace NS --wait=true");
    let dry = playbook(&scene.env, &["run", "k8s-namespace", "--dry-run"]).ok().stdout;
    assert!(dry.contains(&format!("--namespace={}", scene.ns)), "{dry}");
    let (code, report) = ran(
        &scene.env,
        &[
            "run",
            "k8s-namespace",
            "--confirm",
            "undo,learn",
            "--answer",
            "volume-data=none",
            "--answer",
            "ready=yes",
        ],
    );
    assert_eq!(code, 0, "{report:#}");
    assert!(scene.has("configmap/settings"), "{report:#}");
}
