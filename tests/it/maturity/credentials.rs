//! Whose credentials agents use, what those may do, and with which rights agents run: by the real aws, the real gh, and as another
//! user of this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{next, of, recorded, report, standing};
use crate::env::{TestEnv, run};
use crate::{aws, github};

/// IAM's simulation on loopback, which is all that moto lacks of it: what was asked, and what is answered.
#[derive(Default)]
struct Simulation {
    /// The body of the latest request.
    asked: String,
    /// Actions with their decisions.
    decisions: Vec<(&'static str, &'static str)>,
}

impl Simulation {
    /// Serves until the process ends; its port.
    fn serve(of: &Arc<Mutex<Simulation>>) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let of = Arc::clone(of);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = Simulation::answer(&of, stream);
            }
        });
        port
    }

    fn answer(of: &Mutex<Simulation>, mut stream: TcpStream) -> std::io::Result<()> {
        let (mut got, mut piece) = (Vec::new(), [0u8; 4096]);
        let body = loop {
            let n = stream.read(&mut piece)?;
            if n == 0 {
                return Ok(());
            }
            got.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&got).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                break body.to_owned();
            }
        };
        let mut simulation = of.lock().unwrap();
        simulation.asked = body;
        let members: String = simulation
            .decisions
            .iter()
            .map(|(action, decision)| {
                format!(
                    "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>\
                     <EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
                )
            })
            .collect();
        let xml = format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult>\
             <IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
        );
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{xml}",
            xml.len()
        )
    }
}

const ACTIONS: [&str; 5] = [
    "ec2:TerminateInstances",
    "rds:DeleteDBInstance",
    "s3:DeleteBucket",
    "dynamodb:DeleteTable",
    "iam:DeleteRole",
];

/// An agent has worked with a role of its own in the shared account.
fn with_a_role() -> Option<(aws::scene::Scene, String)> {
    let mut scene = aws::scene::Scene::new()?;
    let script = "import boto3\nrole = c('iam').create_role(RoleName='agent-NS', AssumeRolePolicyDocument='{}')['Role']['Arn']\n\
                  out = [role, c('sts').assume_role(RoleArn=role, RoleSessionName='fr')['Credentials']]";
    let made = scene.python(script);
    let key = |name: &str| made[1][name].as_str().unwrap().to_owned();
    let person = scene.env.vars.clone();
    for (name, field) in [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ] {
        scene.env.vars.push((name.to_owned(), key(field)));
    }
    scene.python("c('s3').create_bucket(Bucket='b-NS')");
    scene.agent("aws s3api put-bucket-tagging --bucket b-NS --tagging TagSet=[]").ok();
    scene.env.vars = person;
    Some((scene, made[0].as_str().unwrap().to_owned()))
}

#[test]
fn a_service_that_cannot_simulate_leaves_the_rights_of_agents_unknown() {
    let Some((scene, role)) = with_a_role() else { return };
    // moto knows no such operation: it answers with an error of its own.
    let report = report(&scene.env, &["--system", "aws"]);
    let least = of(&report, "least-privilege");
    assert_eq!(least["standing"], "unknown", "{least:#}");
    let told = least.to_string();
    assert!(told.contains(&role) && told.contains("simulate"), "whose, and why not: {told}");
    assert!(least["figure"].is_null(), "{least:#}");
}

#[test]
fn what_agents_may_destroy_is_told_by_the_simulation_of_their_own_role() {
    let Some((mut scene, role)) = with_a_role() else { return };
    let simulation = Arc::new(Mutex::new(Simulation::default()));
    let port = Simulation::serve(&simulation);
    scene.env.vars.push(("AWS_ENDPOINT_URL_IAM".to_owned(), format!("http://127.0.0.1:{port}")));
    let ask = |decisions: Vec<(&'static str, &'static str)>| {
        simulation.lock().unwrap().decisions = decisions;
        let least = of(&report(&scene.env, &["--system", "aws"]), "least-privilege");
        (least["standing"].as_str().unwrap().to_owned(), least.to_string())
    };
    let denied = || ACTIONS.map(|action| (action, "implicitDeny")).to_vec();
    let (word, told) = ask(denied());
    assert!(word == "met" && told.contains(&role), "{told}");
    // It was asked about the agents' role, and about everything that an agent should not do at large.
    let asked = simulation.lock().unwrap().asked.clone();
    assert!(asked.contains("Action=SimulatePrincipalPolicy"), "{asked}");
    for word in ACTIONS.iter().copied().chain([role.as_str()]) {
        let encoded = word.replace(':', "%3A").replace('/', "%2F");
        assert!(asked.contains(&encoded), "{word}: {asked}");
    }
    let mut one = denied();
    one[0].1 = "allowed";
    let (word, told) = ask(one);
    assert!(word == "not-met" && told.contains("may ec2:TerminateInstances"), "{told}");
    assert!(!told.contains("may ec2:TerminateInstances, "), "{told}");
    let (word, told) = ask(denied()[..2].to_vec());
    assert!(word == "unknown" && told.contains("did not answer for all actions"), "{told}");
    let (word, told) = ask(Vec::new());
    assert!(word == "unknown" && told.contains("did not answer"), "{told}");
}

/// A directory with a login to the double of GitHub.
fn login(scene: &github::scene::Scene, dir: &str, token: Option<&str>) -> String {
    let path = scene.env.root().join(dir);
    std::fs::create_dir(&path).unwrap();
    std::fs::copy(scene.env.root().join("gh/config.yml"), path.join("config.yml")).unwrap();
    if let Some(token) = token {
        let hosts =
            format!("github.com:\n    oauth_token: {token}\n    user: somebody\n    git_protocol: https\n");
        std::fs::write(path.join("hosts.yml"), hosts).unwrap();
    }
    path.display().to_string()
}

#[test]
fn on_github_an_agents_login_is_told_from_mine_by_asking_whose_it_is() {
    let Some(mut scene) = github::scene::Scene::new() else { return };
    let mine = login(&scene, "mine", Some("tok-of-ada-secret4711"));
    let robots = login(&scene, "robots", Some("tok-of-robot-secret4711"));
    let copied = login(&scene, "copied", Some("tok-of-ada-secret4711"));
    let nobodys = login(&scene, "nobodys", None);
    scene.sh("gh label create old --repo R").ok();
    let set = |env: &mut TestEnv, name: &str, value: &str| env.vars.push((name.to_owned(), value.to_owned()));
    let token = scene.env.vars.iter().position(|(name, _)| name == "GH_TOKEN").unwrap();
    let token = scene.env.vars.remove(token);
    set(&mut scene.env, "GH_CONFIG_DIR", &mine);
    let separate = |env: &TestEnv| {
        let one = of(&report(env, &["--system", "gh"]), "separate-identity");
        assert!(!one.to_string().contains("secret4711"), "no token is told: {one:#}");
        (one["standing"].as_str().unwrap().to_owned(), one.to_string())
    };
    assert_eq!(separate(&scene.env).0, "unknown", "no agent is on record");

    // With a login of its own.
    scene.agent(&format!("GH_CONFIG_DIR={robots} gh label delete old --yes --repo R")).ok();
    let (word, told) = separate(&scene.env);
    assert!(word == "met" && told.contains("agents are robot, you are ada"), "{told}");
    // A token of mine, which the agent may have been given as well, would be stronger than any file.
    scene.env.vars.push(token);
    let (word, told) = separate(&scene.env);
    assert!(word == "unknown" && told.contains("you have a GH_TOKEN"), "{told}");
    scene.env.vars.pop();
    // Nobody is logged in there.
    scene.agent(&format!("GH_CONFIG_DIR={nobodys} gh label delete old --yes --repo R"));
    let (word, told) = separate(&scene.env);
    assert!(word == "unknown" && told.contains("whose the agents' login is"), "{told}");
    // Another directory, with my own login in it: that the files differ means nothing.
    scene.agent(&format!("GH_CONFIG_DIR={copied} gh label delete old --yes --repo R"));
    let (word, told) = separate(&scene.env);
    assert!(word == "not-met" && told.contains("agents are ada, you are ada"), "{told}");
    assert!(next(&scene.env, "separate-identity").contains("GH_CONFIG_DIR"));
}

#[test]
fn agents_that_use_my_configuration_of_gh_are_not_known_to_be_somebody_else() {
    let Some(scene) = github::scene::Scene::new() else { return };
    scene.sh("gh label create old --repo R").ok();
    scene.agent("gh label delete old --yes --repo R").ok();
    let one = of(&report(&scene.env, &["--system", "gh"]), "separate-identity");
    assert_eq!(one["standing"], "unknown", "{one:#}");
    assert!(one.to_string().contains("a GH_TOKEN of their own is not on record"), "{one:#}");
}

/// Runs `fr` as the user 65534, who owns everything of this world.
fn as_nobody(env: &TestEnv, args: &[&str], stdin: &[u8]) -> crate::env::Output {
    let mut command = env.command(env.root().join("bin/fr"));
    command.args(args).uid(65534).gid(65534);
    run(command, stdin)
}

#[test]
fn agents_that_work_as_root_are_told_from_those_that_do_not() {
    let env = recorded();
    env.claude_runs("ls");
    let is_root = rustix::process::geteuid().is_root();
    let (word, told) = standing(&env, "no-root");
    if !is_root {
        assert!(word == "met" && told.contains("100 % (1 of 1)"), "{told}");
        return;
    }
    assert!(
        word == "not-met" && told.contains("0 % (0 of 1)") && told.contains("this store is root's"),
        "{told}"
    );

    // The same for a user without rights, in a world that is that user's.
    let env = TestEnv::with_git();
    std::fs::create_dir(env.root().join("bin")).unwrap();
    std::fs::copy(TestEnv::binary(), env.root().join("bin/fr")).unwrap();
    let mut own = Command::new("chown");
    run(
        {
            own.args(["-R", "65534:65534"]).arg(env.root());
            own
        },
        b"",
    )
    .ok();
    let announce = |line: &str, id: &str| {
        let payload = json!({
            "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": id, "cwd": env.project.to_str(),
            "session_id": crate::env::SESSION, "tool_input": {"command": line},
        });
        let answer = as_nobody(&env, &["hook", "claude"], payload.to_string().as_bytes());
        assert_eq!(answer.code, 0, "{answer:?}");
    };
    let no_root = || {
        let out = as_nobody(&env, &["maturity", "--json"], b"").ok();
        let one = of(&crate::json::fits(&out, "maturity"), "no-root");
        (one["standing"].as_str().unwrap().to_owned(), one.to_string())
    };
    announce("ls -la", "a");
    announce("echo sudo make me a sandwich", "b");
    let (word, told) = no_root();
    assert!(word == "met" && told.contains("100 % (2 of 2)"), "{told}");
    announce("cd /srv && sudo rm -rf cache", "c");
    let (word, told) = no_root();
    assert!(
        word == "not-met" && told.contains("66.6 % (2 of 3)") && told.contains("sudo rm -rf cache"),
        "{told}"
    );
}
