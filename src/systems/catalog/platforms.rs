//! Tools around clusters and clouds: what each of their verbs does. One table; the first line that fits counts.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// Nothing changes.
const NONE: Option<C> = None;

/// Tools that share a line, the words that begin the command (`*` is any one word), and the class. What no line
/// names is opaque.
type Line = (&'static [&'static str], &'static [&'static str], Option<C>);

const CDK: &[&str] = &["cdk"];
const SLS: &[&str] = &["serverless", "sls"];
const LOCAL: &[&str] = &["kind", "minikube", "k3d"];

const LINES: &[Line] = &[
    (CDK, &["diff"], NONE),
    (CDK, &["ls"], NONE),
    (CDK, &["list"], NONE),
    (CDK, &["doctor"], NONE),
    (CDK, &["docs"], NONE),
    (CDK, &["notices"], NONE),
    (CDK, &["metadata"], NONE),
    (CDK, &["synth"], Some(C::Create)),
    (CDK, &["synthesize"], Some(C::Create)),
    (CDK, &["deploy"], Some(C::Mutate)),
    (CDK, &["bootstrap"], Some(C::Mutate)),
    (CDK, &["import"], Some(C::Mutate)),
    (CDK, &["destroy"], Some(C::Destroy)),
    (&["sam"], &["delete"], Some(C::Destroy)),
    (&["sam"], &["deploy"], Some(C::Mutate)),
    (&["sam"], &["sync"], Some(C::Mutate)),
    (&["sam"], &["validate"], NONE),
    (&["sam"], &["logs"], NONE),
    (&["sam"], &["list"], NONE),
    (SLS, &["remove"], Some(C::Destroy)),
    (SLS, &["deploy"], Some(C::Mutate)),
    (SLS, &["rollback"], Some(C::Overwrite)),
    (SLS, &["info"], NONE),
    (SLS, &["print"], NONE),
    (SLS, &["logs"], NONE),
    (&["eksctl"], &["delete"], Some(C::Destroy)),
    (&["eksctl"], &["drain"], Some(C::Disrupt)),
    (&["eksctl"], &["create"], Some(C::Create)),
    (&["eksctl"], &["scale"], Some(C::Mutate)),
    (&["eksctl"], &["upgrade"], Some(C::Mutate)),
    (&["eksctl"], &["get"], NONE),
    (&["eksctl"], &["info"], NONE),
    (&["doctl"], &["*", "delete"], Some(C::Destroy)),
    (&["doctl"], &["*", "*", "delete"], Some(C::Destroy)),
    (&["doctl"], &["*", "create"], Some(C::Create)),
    (&["doctl"], &["*", "*", "create"], Some(C::Create)),
    (&["doctl"], &["*", "list"], NONE),
    (&["doctl"], &["*", "get"], NONE),
    (&["doctl"], &["*", "*", "list"], NONE),
    (&["doctl"], &["*", "*", "get"], NONE),
    (LOCAL, &["delete"], Some(C::Destroy)),
    (LOCAL, &["*", "delete"], Some(C::Destroy)),
    (LOCAL, &["create"], Some(C::Create)),
    (LOCAL, &["*", "create"], Some(C::Create)),
    (LOCAL, &["start"], Some(C::Create)),
    (LOCAL, &["stop"], Some(C::Disrupt)),
    (LOCAL, &["*", "stop"], Some(C::Disrupt)),
    (LOCAL, &["status"], NONE),
    (LOCAL, &["get"], NONE),
    (LOCAL, &["ip"], NONE),
    (LOCAL, &["logs"], NONE),
    (LOCAL, &["profile", "list"], NONE),
    (LOCAL, &["*", "list"], NONE),
    (&["argocd"], &["*", "delete"], Some(C::Destroy)),
    (&["argocd"], &["*", "rm"], Some(C::Destroy)),
    (&["argocd"], &["app", "sync"], Some(C::Mutate)),
    (&["argocd"], &["app", "rollback"], Some(C::Mutate)),
    (&["argocd"], &["app", "set"], Some(C::Mutate)),
    (&["argocd"], &["*", "create"], Some(C::Create)),
    (&["argocd"], &["*", "get"], NONE),
    (&["argocd"], &["*", "list"], NONE),
    (&["argocd"], &["app", "diff"], NONE),
    (&["argocd"], &["app", "history"], NONE),
    (&["argocd"], &["app", "manifests"], NONE),
    (&["flux"], &["delete"], Some(C::Destroy)),
    (&["flux"], &["uninstall"], Some(C::Destroy)),
    (&["flux"], &["reconcile"], Some(C::Mutate)),
    (&["flux"], &["suspend"], Some(C::Disrupt)),
    (&["flux"], &["resume"], Some(C::Mutate)),
    (&["flux"], &["get"], NONE),
    (&["flux"], &["check"], NONE),
    (&["flux"], &["logs"], NONE),
    (&["flux"], &["tree"], NONE),
    (&["velero"], &["backup", "delete"], Some(C::Weaken)),
    (&["velero"], &["delete", "backup"], Some(C::Weaken)),
    (&["velero"], &["*", "delete"], Some(C::Destroy)),
    (&["velero"], &["*", "create"], Some(C::Create)),
    (&["velero"], &["*", "get"], NONE),
    (&["velero"], &["get"], NONE),
    (&["velero"], &["*", "describe"], NONE),
    (&["velero"], &["*", "logs"], NONE),
    (&["vault"], &["delete"], Some(C::Destroy)),
    (&["vault"], &["kv", "delete"], Some(C::Destroy)),
    (&["vault"], &["kv", "destroy"], Some(C::Destroy)),
    (&["vault"], &["kv", "metadata", "delete"], Some(C::Destroy)),
    (&["vault"], &["secrets", "disable"], Some(C::Destroy)),
    (&["vault"], &["kv", "put"], Some(C::Overwrite)),
    (&["vault"], &["kv", "patch"], Some(C::Mutate)),
    (&["vault"], &["write"], Some(C::Overwrite)),
    (&["vault"], &["policy", "delete"], Some(C::Access)),
    (&["vault"], &["policy", "write"], Some(C::Access)),
    (&["vault"], &["token", "revoke"], Some(C::Access)),
    (&["vault"], &["kv", "get"], NONE),
    (&["vault"], &["kv", "list"], NONE),
    (&["vault"], &["read"], NONE),
    (&["vault"], &["list"], NONE),
    (&["vault"], &["status"], NONE),
    (&["vault"], &["*", "list"], NONE),
    (&["vault"], &["*", "read"], NONE),
    (&["vault"], &["token", "lookup"], NONE),
    (&["etcdctl"], &["del"], Some(C::Destroy)),
    (&["etcdctl"], &["put"], Some(C::Overwrite)),
    (&["etcdctl"], &["get"], NONE),
    (&["etcdctl"], &["member", "list"], NONE),
    (&["etcdctl"], &["endpoint"], NONE),
    (&["etcdctl"], &["snapshot", "save"], Some(C::Create)),
    (&["wrangler"], &["deploy"], Some(C::Publish)),
    (&["wrangler"], &["delete"], Some(C::Destroy)),
    (&["wrangler"], &["rollback"], Some(C::Overwrite)),
    (&["wrangler"], &["tail"], NONE),
    (&["wrangler"], &["whoami"], NONE),
    (&["firebase"], &["deploy"], Some(C::Publish)),
    (&["firebase"], &["firestore:delete"], Some(C::Destroy)),
    (&["firebase"], &["hosting:disable"], Some(C::Disrupt)),
    (&["firebase"], &["projects:list"], NONE),
    (&["firebase"], &["apps:list"], NONE),
    (&["supabase"], &["db", "reset"], Some(C::Destroy)),
    (&["supabase"], &["db", "push"], Some(C::Mutate)),
    (&["supabase"], &["projects", "delete"], Some(C::Destroy)),
    (&["supabase"], &["stop"], Some(C::Disrupt)),
    (&["supabase"], &["start"], Some(C::Create)),
    (&["supabase"], &["status"], NONE),
    (&["supabase"], &["projects", "list"], NONE),
];

/// One of these tools.
pub fn read(program: &str, out: &mut Reader<'_>) {
    let takes = Takes::One(&[
        "--profile",
        "--region",
        "--stack-name",
        "--name",
        "-p",
        "-n",
        "--namespace",
        "--context",
        "--app",
        "-a",
        "--cluster",
        "--config",
        "-c",
        "--project",
        "--stage",
        "-s",
        "--server",
        "--address",
        "--endpoints",
    ]);
    let words = Words::split(out.inv.args(), takes);
    if words.operands.is_empty() || words.has(&["--dry-run", "--help", "-h"]) {
        return;
    }
    let fits = |line: &&Line| line.0.contains(&program) && begins(&words.operands, line.1);
    match LINES.iter().find(fits) {
        Some((_, _, None)) => {}
        Some((_, start, Some(class))) => {
            let rest: Vec<&Word> = words.from(start.len()).to_vec();
            let what = rest.iter().map(|w| w.text.lossy()).collect::<Vec<_>>().join(" ");
            let verb = words.operands.iter().take(start.len()).map(|w| w.text.lossy()).collect::<Vec<_>>();
            let certain = !what.is_empty() && rest.iter().all(|w| w.certain);
            let front = if certain { String::new() } else { "dyn:".to_owned() };
            out.add(*class, format!("{front}{program}:{} {what}", verb.join(" ")).trim_end(), R::Recreate);
        }
        None => out.opaque(&format!("{program} {}", words.operand(0))),
    }
}

fn begins(operands: &[&Word], start: &[&str]) -> bool {
    start
        .iter()
        .enumerate()
        .all(|(at, word)| operands.get(at).is_some_and(|w| *word == "*" || w.as_str() == Some(word)))
}
