//! Which reader understands which program.

use super::super::AssessCx;
use super::{bq, daemons, forge, oci, platforms, pulumi, sql, stores, terragrunt};
use crate::model::{Effect, Invocation, Word};
use crate::systems::words::Reader;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &both::<{ OWN.len() + daemons::PROGRAMS.len() }>(OWN, daemons::PROGRAMS);

/// Those that are not in the table of services.
const OWN: &[&str] = &[
    "terragrunt",
    "pulumi",
    "bq",
    "clickhouse-client",
    "clickhouse",
    "cqlsh",
    "cockroach",
    "duckdb",
    "mongosh",
    "mongo",
    "mongodump",
    "mongorestore",
    "mongoexport",
    "mongoimport",
    "crane",
    "gcrane",
    "skopeo",
    "oras",
    "regctl",
    "twine",
    "heroku",
    "flyctl",
    "fly",
    "vercel",
    "netlify",
    "cdk",
    "sam",
    "serverless",
    "sls",
    "eksctl",
    "doctl",
    "kind",
    "minikube",
    "k3d",
    "argocd",
    "flux",
    "velero",
    "vault",
    "etcdctl",
    "wrangler",
    "firebase",
    "supabase",
    "cdktf",
    "istioctl",
    "kubeadm",
    "linkerd",
    "skaffold",
    "tilt",
    "devspace",
    "kops",
    "talosctl",
    "atmos",
    "consul",
    "nomad",
    "k3s-uninstall.sh",
    "k3s-agent-uninstall.sh",
];

/// Two lists as one.
const fn both<const N: usize>(first: &[&'static str], then: &[&'static str]) -> [&'static str; N] {
    let mut out = [""; N];
    let mut at = 0;
    while at < N {
        out[at] = if at < first.len() { first[at] } else { then[at - first.len()] };
        at += 1;
    }
    out
}

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    if asks(inv.args()) {
        return Vec::new();
    }
    let system = system(program);
    let mut out = Reader::new(inv, system);
    match system {
        "terragrunt" => terragrunt::read(&mut out, cx),
        "pulumi" => pulumi::read(&mut out),
        "gcloud" => bq::bq(&mut out),
        "sql" => sql::read(program, &mut out),
        "mongo" => stores::mongo(program, &mut out),
        "registry" if matches!(program, "crane" | "gcrane" | "skopeo" | "oras" | "regctl") => {
            oci::read(program, &mut out)
        }
        "registry" => forge::registry(program, &mut out),
        "platform" => platforms::read(program, &mut out),
        _ => out.opaque(program),
    }
    out.effects
}

fn system(program: &str) -> &'static str {
    match program {
        "terragrunt" => "terragrunt",
        "pulumi" => "pulumi",
        "bq" => "gcloud",
        "clickhouse-client" | "clickhouse" | "cqlsh" | "cockroach" | "duckdb" => "sql",
        "mongosh" | "mongo" | "mongodump" | "mongorestore" | "mongoexport" | "mongoimport" => "mongo",
        "cdk" | "sam" | "serverless" | "sls" | "eksctl" | "doctl" | "kind" | "minikube" | "k3d"
        | "argocd" | "flux" | "velero" | "vault" | "etcdctl" | "wrangler" | "firebase" | "supabase" => {
            "platform"
        }
        one if platforms::IN_CLUSTERS.contains(&one) || daemons::PROGRAMS.contains(&one) => "platform",
        "crane" | "gcrane" | "skopeo" | "oras" | "regctl" | "twine" | "heroku" | "flyctl" | "fly"
        | "vercel" | "netlify" => "registry",
        _ => "system",
    }
}

/// Help and version change nothing.
fn asks(args: &[Word]) -> bool {
    let before = args.iter().take_while(|w| w.as_str() != Some("--"));
    let help = before.filter_map(Word::as_str).any(|w| w == "--help" || w == "-help");
    help || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "--version" | "-version" | "-V")))
        || args.first().and_then(Word::as_str) == Some("help")
}
