//! gcloud and az: what a command names is described before it runs. The programs are stand-ins that keep things in files and
//! answer as the real ones do (`describe --format=json`, `show -o json`): there is no such cloud here.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::env::TestEnv;

/// `gcloud compute instances describe vm1 --zone z --format=json` is the file `things/vm1`; each call is noted.
const GCLOUD: &str = r#"#!/bin/bash
echo "gcloud $*" >> calls
for verb in describe delete stop create undelete; do
  for ((at = 1; at <= $#; at++)); do
    [ "${!at}" = "$verb" ] || continue
    next=$((at + 1)); name=${!next}
    case $verb in
      describe) [ -f "things/$name" ] && cat "things/$name" && exit 0
        echo "ERROR: (gcloud) Could not fetch resource: The resource '$name' was not found" >&2; exit 1 ;;
      delete) rm "things/$name" ;;
      stop) sed -i s/RUNNING/TERMINATED/ "things/$name" ;;
      undelete|create) echo "{\"name\": \"$name\"}" > "things/$name" ;;
    esac
    exit
  done
done
"#;

const AZ: &str = r#"#!/bin/bash
echo "az $*" >> calls
name=$(sed -E 's/.* (-n|--name) ([^ ]+).*/\2/' <<<"az $* ")
case " $* " in
  *" show "*) [ -f "things/$name" ] && cat "things/$name" && exit 0
    echo "ERROR: (ResourceNotFound) The Resource '$name' was not found." >&2; exit 3 ;;
  *" delete "*) rm "things/$name" ;;
  *" deallocate "*) sed -i s/running/deallocated/ "things/$name" ;;
esac
"#;

fn world() -> TestEnv {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for (name, text) in [("gcloud", GCLOUD), ("az", AZ)] {
        let file = bin.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), env.path());
    env.vars.push(("PATH".to_owned(), path));
    env.write("things/vm1", r#"{"name": "vm1", "status": "RUNNING", "fingerprint": "a", "metadata": {"key": "cloud-secret-value"}}"#);
    env.write(
        "things/sa@p.iam.gserviceaccount.com",
        r#"{"email": "sa@p.iam.gserviceaccount.com", "uniqueId": "1234567890"}"#,
    );
    env.write("things/kv", r#"{"name": "kv", "properties": {"enableSoftDelete": true}}"#);
    env.write("things/vm2", r#"{"name": "vm2", "powerState": "running"}"#);
    env
}

fn event(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
}

#[test]
fn what_is_deleted_is_described_before_with_the_same_names_and_options() {
    let env = world();
    env.claude_runs("gcloud compute instances delete vm1 --zone us-central1-a -q --labels a=b --project p")
        .ok();
    let calls = env.read("calls");
    let asked = "gcloud compute instances describe vm1 --zone us-central1-a --project p --format=json";
    assert_eq!(calls.lines().filter(|line| *line == asked).count(), 2, "before and after: {calls}");
    let id = event(&env)["id"].to_string();
    let out = env.fr(&["undo", &id, "--yes"]);
    let said = format!("{out:?}");
    assert!(out.code == 3 || out.code == 5, "nothing is called undone: {said}");
    assert!(
        said.contains("by hand: gcloud compute instances create vm1 from a snapshot of its disks"),
        "{said}"
    );
    assert!(!env.exists("things/vm1"), "nothing is written to the cloud");
    env.fr(&["restore", &id, "--to", "old"]).ok();
    assert!(env.sh("grep -r cloud-secret-value old").code == 0, "the description is kept");
    let shown = env.fr(&["show", &id, "--json"]).stdout + &env.sh("cat $FR_HOME/journal/* | strings").stdout;
    assert!(!shown.contains("cloud-secret-value"), "and not shown: {shown}");
}

#[test]
fn where_the_service_can_undelete_the_way_is_named() {
    let env = world();
    env.claude_runs("gcloud iam service-accounts delete sa@p.iam.gserviceaccount.com").ok();
    let out = env.fr(&["undo", "--yes", &event(&env)["id"].to_string()]);
    let said = format!("{out:?}");
    assert!(said.contains("gcloud iam service-accounts undelete 1234567890"), "by its unique id: {said}");
    // A person has done it.
    env.write(
        "things/sa@p.iam.gserviceaccount.com",
        r#"{"email": "sa@p.iam.gserviceaccount.com", "uniqueId": "1234567890"}"#,
    );
    let again = format!("{:?}", env.fr(&["undo", "--yes", &event(&env)["id"].to_string()]));
    assert!(again.contains("as it was before") || again.contains("is back"), "{again}");
    env.claude_runs("az keyvault delete --name kv -g rg").ok();
    assert!(env.read("calls").contains("az keyvault show --name kv -g rg -o json"), "{}", env.read("calls"));
    let said = format!("{:?}", env.fr(&["undo", "--yes", &event(&env)["id"].to_string()]));
    assert!(said.contains("az keyvault recover -n kv"), "{said}");
}

#[test]
fn what_was_changed_is_known_and_what_reads_starts_nothing() {
    let env = world();
    env.claude_runs("az vm deallocate -g rg -n vm2").ok();
    let diff = env.fr(&["diff", &event(&env)["id"].to_string()]).stdout;
    assert!(diff.contains("vm vm2"), "{diff}");
    let before = env.read("calls");
    for line in [
        "gcloud compute instances describe vm1",
        "gcloud logging logs list",
        "az vm list",
        "gcloud secrets versions access 1 --secret s",
    ] {
        env.claude_pre(line);
        assert_eq!(event(&env)["class"], "none", "{line}");
    }
    assert_eq!(env.read("calls"), before);
    // A configuration that the command brings along may run programs.
    env.claude_pre("AZURE_CONFIG_DIR=$PWD/evil az vm delete -g rg -n vm2 --yes");
    assert_eq!(env.read("calls"), before);
    let shown = env.fr(&["show", &event(&env)["id"].to_string()]).stdout;
    assert!(shown.contains("is not allowed yet"), "{shown}");
    // One that it cannot describe is said.
    env.claude_pre("gcloud storage rm gs://b/o");
    let shown = env.fr(&["show", &event(&env)["id"].to_string()]).stdout;
    assert!(shown.contains("was not captured"), "{shown}");
}

/// What the pages say of each service: the step names its way back, and nothing is written to the cloud.
#[test]
fn each_way_back_that_the_pages_name_is_named_by_the_step() {
    let env = world();
    let gone = |text: &str| env.write("things/x", text);
    for (line, way) in [
        ("gcloud projects delete x", "gcloud projects undelete x (30 days)"),
        ("gcloud resource-manager folders delete x", "gcloud resource-manager folders undelete x (30 days)"),
        ("gcloud iam roles delete x --project p", "gcloud iam roles undelete x (7 days)"),
        (
            "gcloud iam workload-identity-pools delete x --location global",
            "gcloud iam workload-identity-pools undelete x",
        ),
        ("gcloud logging buckets delete x --location global", "gcloud logging buckets undelete x (7 days)"),
        ("gcloud services api-keys delete x", "gcloud services api-keys undelete x (30 days)"),
        ("gcloud storage buckets delete x", "gcloud storage restore gs://x (where soft delete is on)"),
        (
            "gcloud sql instances delete x",
            "gcloud sql backups list --instance=x and restore into a new instance",
        ),
        (
            "gcloud compute disks delete x --zone z",
            "gcloud compute disks create x --source-snapshot SNAPSHOT",
        ),
        ("gcloud secrets delete x", "gcloud secrets create x; its versions are gone"),
        ("gcloud bigtable tables delete x --instance i", "gcloud bigtable tables undelete x (7 days)"),
        ("gcloud privateca roots delete x", "gcloud privateca roots undelete x"),
        ("gcloud spanner databases delete x --instance i", "gcloud spanner databases restore from a backup"),
        ("gcloud alloydb clusters delete x --region r", "gcloud alloydb clusters restore from a backup"),
        ("gcloud container clusters delete x --zone z", "nothing brings a cluster back"),
        ("gcloud pubsub topics delete x", "by hand; `fr restore ID --to DIR` has what it was"),
        (
            "az keyvault secret delete --name x --vault-name v",
            "az keyvault secret recover --name x --vault-name VAULT",
        ),
        ("az keyvault key delete --name x --vault-name v", "az keyvault key recover --name x"),
        (
            "az keyvault certificate delete --name x --vault-name v",
            "az keyvault certificate recover --name x",
        ),
        (
            "az storage blob delete -n x -c box --account-name a",
            "az storage blob undelete -n x (where soft delete is on)",
        ),
        ("az storage container delete -n x --account-name a", "az storage container restore -n x"),
        ("az storage account delete -n x -g rg", "Restore deleted account (14 days"),
        ("az sql db delete -n x -s srv -g rg", "az sql db restore --deleted-time TIME --dest-name x"),
        ("az webapp delete -n x -g rg", "az webapp deleted restore"),
        ("az appconfig delete -n x -g rg", "az appconfig recover -n x"),
        ("az lock delete -n x -g rg", "az lock create with what was described"),
        ("az group delete -n x --yes", "nothing brings a resource group back"),
    ] {
        gone(r#"{"name": "x", "uniqueId": "7"}"#);
        env.claude_runs(line).ok();
        assert!(!env.exists("things/x"), "{line}");
        let out = env.fr(&["undo", "--yes", &event(&env)["id"].to_string()]);
        assert!([3, 5].contains(&out.code), "{line}: {out:?}");
        assert!(format!("{out:?}").contains(way), "{line}: {out:?}");
        assert!(!env.exists("things/x"), "{line}: nothing is written to the cloud");
    }
}

#[test]
fn what_each_verb_does_is_told_by_the_words() {
    let env = world();
    for (line, class) in [
        ("gcloud compute firewall-rules delete allow-ssh", "access"),
        ("gcloud projects add-iam-policy-binding p --member user:a --role owner", "access"),
        ("gcloud iam service-accounts delete sa@p.iam.gserviceaccount.com", "access"),
        ("gcloud compute snapshots delete s1", "weaken"),
        ("gcloud sql backups delete 12 --instance i", "weaken"),
        ("gcloud compute instances stop vm1", "disrupt"),
        ("gcloud compute frobnicate vm1", "opaque"),
        ("gcloud compute instances delete --help", "none"),
        ("az lock delete -n l -g rg", "weaken"),
        ("az snapshot delete -n s -g rg", "weaken"),
        ("az backup protection disable --delete-backup-data true -v v -g rg", "weaken"),
        ("az role assignment delete --assignee a --role Owner", "access"),
        ("az ad user delete --id a", "access"),
        ("az deployment group create -g rg --mode Complete -f main.json", "destroy"),
        ("az deployment group what-if -g rg --mode Complete -f main.json", "none"),
        ("az storage blob delete-batch -s box --account-name a --dryrun", "none"),
        ("az vm frobnicate -n vm", "opaque"),
    ] {
        env.claude_pre(line);
        assert_eq!(event(&env)["class"], class, "{line}");
    }
}

#[test]
fn times_and_etags_do_not_count_and_what_cannot_be_described_is_said() {
    let env = world();
    // Rights are read by the command that gives them.
    env.claude_pre("gcloud projects remove-iam-policy-binding vm1 --member user:a --role roles/owner");
    let calls = env.read("calls");
    assert!(calls.contains("gcloud projects get-iam-policy vm1 --format=json"), "{calls}");
    // Somebody only looked at it: it has another fingerprint and is the same.
    env.claude_runs("gcloud compute instances delete vm1 --zone z").ok();
    env.write("things/vm1", r#"{"name": "vm1", "status": "RUNNING", "fingerprint": "b", "etag": "c", "metadata": {"key": "cloud-secret-value"}}"#);
    let said = format!("{:?}", env.fr(&["undo", "--yes", &event(&env)["id"].to_string()]));
    assert!(said.contains("as it was before") || said.contains("is back"), "{said}");
    let before = env.read("calls");
    for line in [
        "gsutil rm -r gs://bucket",
        "gcloud compute instances delete $(cat name)",
        "gcloud compute instances delete vm1 --flags-file f.yaml",
        "CLOUDSDK_CONFIG=$PWD/evil gcloud compute instances delete vm1",
        "az role assignment delete --assignee a --role Owner",
    ] {
        env.claude_pre(line);
        let shown = env.fr(&["show", &event(&env)["id"].to_string()]).stdout;
        assert!(shown.contains("was not captured") || shown.contains("not captured"), "{line}: {shown}");
    }
    assert_eq!(env.read("calls"), before, "and nothing is run");
}
