//! Secrets, keys and rights in an account of AWS.

use serde_json::json;

use super::{on_record, playbook, ran, step, to_the_end};
use crate::aws::scene::Scene;

const ANSWERS: [&str; 3] =
    ["seen=nobody, CloudTrail is empty", "rotate=nothing to do", "works=the shop answers"];

#[test]
fn a_secret_and_a_key_that_were_deleted() {
    let Some(scene) = Scene::new() else { return };
    let key = scene.python(
        "c('secretsmanager').create_secret(Name='s-NS', SecretString='aws-secret-in-manager')\n\
         out = c('kms').create_key(Description='k-NS')['KeyMetadata']['KeyId']",
    );
    let key = key.as_str().unwrap();
    let look = "s = c('secretsmanager').describe_secret(SecretId='s-NS')\n\
        out = [s.get('DeletedDate'), c('secretsmanager').get_secret_value(SecretId='s-NS')['SecretString'] if not s.get('DeletedDate') else None,\n\
        \x20 c('kms').describe_key(KeyId='KEY')['KeyMetadata']['KeyState']]"
        .replace("KEY", key);
    let before = scene.python(&look);
    assert_eq!(before, json!([null, "aws-secret-in-manager", "Enabled"]));

    scene.agent("aws secretsmanager delete-secret --secret-id s-NS --output text").ok();
    assert_ne!(scene.python(&look), before);
    let fitting = playbook(&scene.env, &["list", "--for"]).ok().stdout;
    assert!(fitting.contains("secrets-kms-iam"), "{fitting}");
    let report = to_the_end(&scene.env, &["secrets-kms-iam"], "undo,learn", &ANSWERS);
    assert_eq!(scene.python(&look), before, "{report:#}");
    assert_eq!(
        (step(&report, "secret-back").0.as_str(), step(&report, "key-back").0.as_str()),
        ("step-done", "step-skipped")
    );
    scene.env.fr(&["release"]).ok();

    scene.agent(&format!("aws kms schedule-key-deletion --key-id {key} --pending-window-in-days 7")).ok();
    assert_ne!(scene.python(&look), before);
    let report = to_the_end(&scene.env, &["secrets-kms-iam"], "undo,learn", &ANSWERS);
    assert_eq!(scene.python(&look), before, "{report:#}");
    assert_eq!(step(&report, "key-back").0, "step-done", "{report:#}");
    let journal = scene.sh("cat $FR_HOME/journal/* | strings").stdout;
    assert!(!journal.contains("aws-secret-in"), "a secret is in the journal");
}

/// Rights are put back as they were; an access key never comes back, and the run says that somebody has to make one.
#[test]
fn rights_that_were_widened_and_a_key_that_is_gone() {
    let Some(scene) = Scene::new() else { return };
    let key = scene.python(
        "i = c('iam'); i.create_role(RoleName='r-NS', AssumeRolePolicyDocument='{}')\n\
         i.create_user(UserName='u-NS'); out = i.create_access_key(UserName='u-NS')['AccessKey']['AccessKeyId']",
    );
    let policies = || scene.python("out = c('iam').list_role_policies(RoleName='r-NS')['PolicyNames']");
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    scene
        .agent(&format!(
            "aws iam put-role-policy --role-name r-NS --policy-name all --policy-document '{all}'"
        ))
        .ok();
    assert_eq!(policies(), json!(["all"]));
    let report = to_the_end(&scene.env, &["secrets-kms-iam"], "undo,learn", &ANSWERS);
    assert_eq!(policies(), json!([]), "{report:#}");
    scene.env.fr(&["release"]).ok();

    let key = key.as_str().unwrap();
    scene.agent(&format!("aws iam delete-access-key --user-name u-NS --access-key-id {key}")).ok();
    let mut args = vec!["run", "secrets-kms-iam", "--confirm", "undo,learn"];
    ANSWERS.iter().for_each(|answer| args.extend(["--answer", answer]));
    let (code, report) = ran(&scene.env, &args);
    assert_eq!((code, &report["at"]), (3, &json!("rest")), "{report:#}");
    let (code, report) = ran(
        &scene.env,
        &[&["resume", "--confirm", "learn", "--answer", "rest=Bob makes a new key"][..], &args[4..]].concat(),
    );
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
    on_record(&scene.env, &report);
}
