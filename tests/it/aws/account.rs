//! Whose account it is, who answers, and who does not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::scene::Scene;

#[test]
fn an_undo_with_the_credentials_of_another_account_is_refused() {
    let Some(mut scene) = Scene::new() else { return };
    scene.python("c('ssm').put_parameter(Name='/p-NS', Type='String', Value='old')");
    scene.agent("aws ssm put-parameter --name /p-NS --value new --overwrite").ok();
    let event = scene.event();
    let shown = scene.env.fr(&["show", &event["id"].to_string(), "--json"]).ok().stdout;
    assert!(shown.contains("123456789012"), "the account is on record: {shown}");
    let other = scene.python(
        "k = c('sts').assume_role(RoleArn='arn:aws:iam::111122223333:role/x', RoleSessionName='other')['Credentials']\n\
         out = [k['AccessKeyId'], k['SecretAccessKey'], k['SessionToken']]",
    );
    let own = scene.env.vars.clone();
    for (name, value) in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        .into_iter()
        .zip(other.as_array().unwrap())
    {
        scene.env.vars.push((name.to_owned(), value.as_str().unwrap().to_owned()));
    }
    let out = scene.undo(&[]);
    assert!(out.code != 0 && out.stderr.contains("111122223333"), "{out:?}");
    scene.env.vars = own;
    scene.undo(&[]).ok();
    let value = scene.python("out = c('ssm').get_parameter(Name='/p-NS')['Parameter']['Value']");
    assert_eq!(value, "old");
}

#[test]
fn a_server_that_never_answers_costs_its_time_and_is_named() {
    let Some(mut scene) = Scene::new() else { return };
    scene.setting("[caps]\naws_seconds = 3\n");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    scene.env.vars.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    let begun = Instant::now();
    let call = scene.env.claude_pre(&format!("aws --endpoint-url {url} iam delete-role --role-name r"));
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""), "{:?}", call.answer);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(shown.contains("AWS was not reached in time"), "{shown}");
}

#[test]
fn a_configuration_that_the_command_brings_along_starts_no_program() {
    let Some(scene) = Scene::new() else { return };
    let mark = scene.env.project.join("started");
    let config = format!("[default]\ncredential_process = touch {}\n", mark.display());
    scene.env.write("evil", config);
    let line = "AWS_CONFIG_FILE=$PWD/evil aws iam delete-role --role-name r";
    let call = scene.env.claude_pre(line);
    assert_eq!(call.answer.code, 0);
    assert!(!mark.exists(), "a command that is not allowed yet started a program");
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(shown.contains("runs a program for credentials"), "{shown}");
}

#[test]
fn reading_costs_no_process_and_an_unknown_operation_is_described_by_its_sibling() {
    let Some(mut scene) = Scene::new() else { return };
    let traps = scene.env.root().join("traps");
    std::fs::create_dir(&traps).unwrap();
    let trap = traps.join("aws");
    std::fs::write(&trap, format!("#!/bin/sh\ntouch {}/started\nexit 1\n", traps.display())).unwrap();
    std::fs::set_permissions(&trap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", traps.display(), scene.env.path());
    scene.env.vars.push(("PATH".to_owned(), path));
    for line in [
        "aws ec2 describe-instances",
        "aws s3 ls",
        "aws ec2 terminate-instances --instance-ids i-1 --dry-run",
    ] {
        scene.env.claude_pre(line);
        assert!(!traps.join("started").exists(), "{line} started aws");
        assert_eq!(scene.event()["class"], "none", "{line}");
    }
    scene.env.claude_pre("aws ec2 delete-volume --volume-id vol-1");
    assert!(traps.join("started").exists(), "the trap works");
    scene.env.vars.pop();
    scene.python("c('rds').create_db_parameter_group(DBParameterGroupName='g-NS', DBParameterGroupFamily='mysql8.0', Description='aws-d')");
    scene.agent("aws --endpoint-url $AWS_ENDPOINT_URL rds delete-db-parameter-group --db-parameter-group-name g-NS").ok();
    let event = scene.event();
    assert_eq!(scene.kept(), "all", "{event:#}");
    let out = scene.undo(&[]);
    assert!(out.code != 0 && format!("{out:?}").contains("no way back"), "{out:?}");
    scene.env.fr(&["restore", &event["id"].to_string(), "--to", "old"]).ok();
    let kept = scene.sh("grep -r aws-d old");
    assert!(kept.code == 0, "{kept:?}");
}

#[test]
fn where_every_operation_is_a_process_the_same_comes_back() {
    let Some(scene) = Scene::new().map(Scene::bundled) else { return };
    scene.python(
        "s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in ('a', 'a/b', 'sp ace/\u{fc} \u{f1}.txt', '-dash'):\n\
         \x20   s.put_object(Bucket='b-NS', Key=k, Body=k.encode(), Tagging='t=v', Metadata={'m': 'x'})\n\
         c('ssm').put_parameter(Name='/p-NS', Type='String', Value='old')",
    );
    let look = "s, out = c('s3'), {}\nfor o in s.list_objects_v2(Bucket='b-NS').get('Contents', []):\n\
        \x20   g = s.get_object(Bucket='b-NS', Key=o['Key'])\n\
        \x20   out[o['Key']] = [g['Body'].read().decode(), g['Metadata'], g['ContentType'], \
        s.get_object_tagging(Bucket='b-NS', Key=o['Key'])['TagSet']]\n\
        out['p'] = c('ssm').get_parameter(Name='/p-NS')['Parameter']['Value']";
    let before = scene.python(look);
    scene
        .agent(
            "aws s3 rm s3://b-NS --recursive && aws ssm put-parameter --name /p-NS --value new --overwrite",
        )
        .ok();
    assert_eq!(scene.kept(), "all", "{:#}", scene.event());
    assert_ne!(scene.python(look), before);
    scene.undo(&[]).ok();
    assert_eq!(scene.python(look), before);
}

/// Debian's version 2.9 knows no `AWS_ENDPOINT_URL`, so the lines name it.
#[test]
fn version_2_of_the_command_line_reads_and_writes_the_same() {
    let Some(scene) = Scene::second() else { return };
    assert!(scene.sh("aws --version").ok().stdout.starts_with("aws-cli/2."));
    scene.python(
        "s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in ('a', 'sp ace/\u{fc}.txt'): s.put_object(Bucket='b-NS', Key=k, Body=k.encode())\n\
         c('ssm').put_parameter(Name='/p-NS', Type='String', Value='old')\nc('iam').create_user(UserName='u-NS')",
    );
    let look = "s, out = c('s3'), {}\nfor o in s.list_objects_v2(Bucket='b-NS').get('Contents', []):\n\
        \x20   out[o['Key']] = s.get_object(Bucket='b-NS', Key=o['Key'])['Body'].read().decode()\n\
        out['p'] = c('ssm').get_parameter(Name='/p-NS')['Parameter']['Value']\n\
        out['u'] = [u['UserName'] for u in c('iam').list_users()['Users'] if u['UserName'] == 'u-NS']";
    let before = scene.python(look);
    let aws = "aws --endpoint-url $AWS_ENDPOINT_URL";
    let line = format!(
        "{aws} s3 rm s3://b-NS --recursive && {aws} ssm put-parameter --name /p-NS --value new --overwrite && {aws} iam delete-user --user-name u-NS"
    );
    scene.agent(&line).ok();
    assert_eq!(scene.kept(), "all", "{:#}", scene.event());
    assert_ne!(scene.python(look), before);
    let out = scene.undo(&[]);
    assert_eq!(scene.python(look), before, "{out:?}");
}
