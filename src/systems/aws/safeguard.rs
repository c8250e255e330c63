//! Safety nets of the accounts that agents used: versions of buckets, deletion protection, backups, and who the agents are. Only
//! operations that read are asked for, with the options and the environment of the recorded commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::cli::{Call, Cli, DROPPED, Reply};
use super::query::Access;
use super::read::{self, who};
use crate::model::{Bytes, Locator};
use crate::systems::{Safeguard, SafeguardCx, Safety};

/// How many accounts and regions are asked.
const ACCOUNTS: usize = 4;
/// How many things of a kind are asked about one by one, where each question is a process, and where it is not.
const SLOW: usize = 12;
const QUICK: usize = 200;
/// What agents should not be allowed to do at large.
const DESTRUCTIVE: &[&str] = &[
    "ec2:TerminateInstances",
    "rds:DeleteDBInstance",
    "s3:DeleteBucket",
    "dynamodb:DeleteTable",
    "iam:DeleteRole",
];

/// Options and environment of a recorded command, without the region.
type Whose = (Vec<String>, BTreeMap<String, Bytes>);

/// Asks every account that agents used.
pub fn safeguards(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let accesses = accesses(cx.ways);
    if accesses.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Safeguard> = std::thread::scope(|scope| {
        let ask = |access: &Access| of_account(access, cx);
        let threads: Vec<_> =
            accesses.iter().take(ACCOUNTS).map(|access| scope.spawn(move || ask(access))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    // Several regions list the same buckets.
    let mut seen = BTreeSet::new();
    found.retain(|one| seen.insert((one.safety as u8, one.of.clone())));
    found.extend(identities(cx));
    found
}

/// Each account and region once. What a capture pinned to a region is asked there; else the configured one is.
fn accesses(ways: &[Locator]) -> Vec<Access> {
    let mut by_account: BTreeMap<Whose, BTreeSet<Option<String>>> = BTreeMap::new();
    for way in ways.iter().filter(|way| way.opts.contains_key("flags")) {
        let mut access = Access::of(way);
        let region = access.flag("--region").map(str::to_owned);
        while let Some(at) = access.flags.iter().position(|flag| flag == "--region") {
            access.flags.drain(at..(at + 2).min(access.flags.len()));
        }
        by_account.entry((access.flags, access.env)).or_default().insert(region);
    }
    let mut found = Vec::new();
    for ((flags, env), mut regions) in by_account {
        if regions.len() > 1 {
            regions.remove(&None);
        }
        for region in regions {
            let mut flags = flags.clone();
            flags.extend(region.into_iter().flat_map(|region| ["--region".to_owned(), region]));
            let env = env.clone();
            found.push(Access { cwd: Bytes::from("/"), flags, env, secrets: BTreeMap::new() });
        }
    }
    found
}

fn of_account(access: &Access, cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let name = shown(access);
    // What a command names may run programs for credentials; they are not run for a question.
    let cli = match Cli::of(access, cx.until) {
        Ok(cli) => cli,
        Err(e) => return vec![Safeguard::unknown(Safety::DeletionProtection, name, e.what)],
    };
    let calls = [
        Call::new("s3api", "list-buckets", json!({})),
        Call::new("rds", "describe-db-instances", json!({})),
        Call::new("rds", "describe-db-clusters", json!({})),
        Call::new("dynamodb", "list-tables", json!({})),
        Call::new("ec2", "describe-instances", json!({})),
    ];
    let replies = match cli.ask_all(&calls) {
        Ok(answers) => answers.replies,
        Err(e) => {
            let kinds = [Safety::BucketVersioning, Safety::DeletionProtection, Safety::PointInTime];
            return kinds
                .into_iter()
                .map(|kind| Safeguard::unknown(kind, name.clone(), e.what.clone()))
                .collect();
        }
    };
    let [buckets, instances, clusters, tables, machines] = replies.as_slice() else { return Vec::new() };
    let most = if cli.is_quick() { QUICK } else { SLOW };
    let at = Account { cli: &cli, name: &name, most };
    let mut found = at.buckets(buckets);
    found.extend(at.databases(instances, "DBInstances", "DBInstanceIdentifier", "db-instance"));
    found.extend(at.databases(clusters, "DBClusters", "DBClusterIdentifier", "db-cluster"));
    found.extend(at.tables(tables));
    found.extend(at.machines(machines));
    found
}

/// `profile prod, region eu-west-1`.
fn shown(access: &Access) -> String {
    let profile = access.flag("--profile").map(str::to_owned);
    let profile = profile.or_else(|| Some(access.env.get("AWS_PROFILE")?.lossy().into_owned()));
    let region = access.flag("--region").map(|region| format!("region {region}"));
    let parts: Vec<String> = profile.map(|p| format!("profile {p}")).into_iter().chain(region).collect();
    if parts.is_empty() { "AWS".to_owned() } else { format!("AWS, {}", parts.join(", ")) }
}

/// One account as it is asked.
struct Account<'a> {
    cli: &'a Cli,
    name: &'a str,
    most: usize,
}

impl Account<'_> {
    /// The entries of a list, or that it was refused.
    fn list<'r>(&self, safety: Safety, reply: &'r Reply, field: &str) -> Result<Vec<&'r Value>, Safeguard> {
        match reply {
            Ok(answer) => Ok(answer.get(field).and_then(Value::as_array).into_iter().flatten().collect()),
            Err(refusal) => Err(Safeguard::unknown(safety, self.name, refusal.shown())),
        }
    }

    /// One question for each name; those beyond the most are not known.
    fn each(
        &self,
        safety: Safety,
        names: &[String],
        call: impl Fn(&str) -> Call,
    ) -> (Vec<(String, Reply)>, Option<Safeguard>) {
        let asked: Vec<&String> = names.iter().take(self.most).collect();
        let calls: Vec<Call> = asked.iter().map(|name| call(name)).collect();
        let rest = names.len() - asked.len();
        let mut left = (rest > 0)
            .then(|| Safeguard::unknown(safety, self.name, format!("{rest} more were not asked about")));
        match self.cli.ask_all(&calls) {
            Ok(answers) => (asked.into_iter().cloned().zip(answers.replies).collect(), left),
            Err(e) => {
                left = Some(Safeguard::unknown(safety, self.name, e.what));
                (Vec::new(), left)
            }
        }
    }

    fn buckets(&self, reply: &Reply) -> Vec<Safeguard> {
        let safety = Safety::BucketVersioning;
        let names: Vec<String> = match self.list(safety, reply, "Buckets") {
            Ok(list) => list.into_iter().filter_map(|one| text(one, "Name")).collect(),
            Err(refused) => return vec![refused],
        };
        let ask = |name: &str| Call::new("s3api", "get-bucket-versioning", json!({ "Bucket": name }));
        let (answers, left) = self.each(safety, &names, ask);
        let one = |(name, reply): (String, Reply)| {
            let of = format!("s3://{name}");
            match reply {
                Err(refusal) => Safeguard::unknown(safety, of, refusal.shown()),
                Ok(answer) => {
                    let status = text(&answer, "Status").unwrap_or_else(|| "never enabled".to_owned());
                    Safeguard::found(safety, of, status == "Enabled", format!("versioning {status}")).next(format!(
                        "aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled"
                    ))
                }
            }
        };
        answers.into_iter().map(one).chain(left).collect()
    }

    /// Instances and clusters of RDS say both in their description.
    fn databases(&self, reply: &Reply, list: &str, id: &str, word: &str) -> Vec<Safeguard> {
        let all = match self.list(Safety::DeletionProtection, reply, list) {
            Ok(all) => all,
            Err(refused) => return with_backups(refused),
        };
        let mut found = Vec::new();
        for one in all {
            let Some(name) = text(one, id) else { continue };
            // What belongs to a cluster is protected and kept by it.
            if id == "DBInstanceIdentifier" && one.get("DBClusterIdentifier").is_some_and(|c| !c.is_null()) {
                continue;
            }
            let of = format!("rds {word} {name}");
            let on = one.get("DeletionProtection").and_then(Value::as_bool) == Some(true);
            let set = |what: &str| {
                format!("aws rds modify-{word} --{word}-identifier {name} {what} --apply-immediately")
            };
            found.push(
                Safeguard::found(
                    Safety::DeletionProtection,
                    of.clone(),
                    on,
                    format!("deletion protection {on}"),
                )
                .next(set("--deletion-protection")),
            );
            let days = one.get("BackupRetentionPeriod").and_then(Value::as_i64).unwrap_or(0);
            found.push(
                Safeguard::found(Safety::PointInTime, of, days > 0, format!("backups kept for {days} days"))
                    .next(set("--backup-retention-period 7")),
            );
        }
        found
    }

    fn tables(&self, reply: &Reply) -> Vec<Safeguard> {
        let names: Vec<String> = match self.list(Safety::DeletionProtection, reply, "TableNames") {
            Ok(list) => list.into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Err(refused) => return with_backups(refused),
        };
        let describe = |name: &str| Call::new("dynamodb", "describe-table", json!({ "TableName": name }));
        let backups =
            |name: &str| Call::new("dynamodb", "describe-continuous-backups", json!({ "TableName": name }));
        let (tables, left) = self.each(Safety::DeletionProtection, &names, describe);
        let protected = tables.into_iter().map(|(name, reply)| {
            let of = format!("dynamodb {name}");
            let on = |answer: &Value| {
                answer.pointer("/Table/DeletionProtectionEnabled").and_then(Value::as_bool) == Some(true)
            };
            judged(Safety::DeletionProtection, of, &reply, on, "deletion protection")
                .next(format!("aws dynamodb update-table --table-name {name} --deletion-protection-enabled"))
        });
        let mut found: Vec<Safeguard> = protected.chain(left).collect();
        let (tables, left) = self.each(Safety::PointInTime, &names, backups);
        let kept = tables.into_iter().map(|(name, reply)| {
            let of = format!("dynamodb {name}");
            let field =
                "/ContinuousBackupsDescription/PointInTimeRecoveryDescription/PointInTimeRecoveryStatus";
            let on = |answer: &Value| answer.pointer(field).and_then(Value::as_str) == Some("ENABLED");
            judged(Safety::PointInTime, of, &reply, on, "point-in-time recovery").next(format!(
                "aws dynamodb update-continuous-backups --table-name {name} \
                 --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            ))
        });
        found.extend(kept.chain(left));
        found
    }

    /// Instances that are there and that nobody but people keep: groups and spot requests replace theirs.
    fn machines(&self, reply: &Reply) -> Vec<Safeguard> {
        let safety = Safety::DeletionProtection;
        let reservations = match self.list(safety, reply, "Reservations") {
            Ok(list) => list,
            Err(refused) => return vec![refused],
        };
        let all = reservations
            .into_iter()
            .flat_map(|r| r.get("Instances").and_then(Value::as_array).into_iter().flatten());
        let kept = |one: &&Value| {
            let state = one.pointer("/State/Name").and_then(Value::as_str).unwrap_or_default();
            let tags = one.get("Tags").and_then(Value::as_array).into_iter().flatten();
            let grouped = tags
                .into_iter()
                .any(|tag| text(tag, "Key").is_some_and(|key| key == "aws:autoscaling:groupName"));
            matches!(state, "running" | "stopped" | "pending")
                && !grouped
                && one.get("InstanceLifecycle").is_none_or(Value::is_null)
        };
        let names: Vec<String> = all.filter(kept).filter_map(|one| text(one, "InstanceId")).collect();
        let ask = |name: &str| {
            let input = json!({ "InstanceId": name, "Attribute": "disableApiTermination" });
            Call::new("ec2", "describe-instance-attribute", input)
        };
        let (answers, left) = self.each(safety, &names, ask);
        let one = |(name, reply): (String, Reply)| {
            let on = |answer: &Value| {
                answer.pointer("/DisableApiTermination/Value").and_then(Value::as_bool) == Some(true)
            };
            judged(safety, format!("ec2 {name}"), &reply, on, "termination protection").next(format!(
                "aws ec2 modify-instance-attribute --instance-id {name} --disable-api-termination"
            ))
        };
        answers.into_iter().map(one).chain(left).collect()
    }
}

/// Where databases cannot be listed nothing is known of their backups either.
fn with_backups(refused: Safeguard) -> Vec<Safeguard> {
    vec![Safeguard { safety: Safety::PointInTime, ..refused.clone() }, refused]
}

fn judged(safety: Safety, of: String, reply: &Reply, on: impl Fn(&Value) -> bool, what: &str) -> Safeguard {
    match reply {
        Err(refusal) => Safeguard::unknown(safety, of, refusal.shown()),
        Ok(answer) => {
            let is_on = on(answer);
            Safeguard::found(safety, of, is_on, format!("{what} {}", if is_on { "on" } else { "off" }))
        }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Who agents were, as captures recorded it, against who asks now.
fn identities(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    let (same, least) = (Safety::SeparateIdentity, Safety::LeastPrivilege);
    let arns: BTreeSet<String> =
        cx.ways.iter().filter_map(|way| way.opts.get("arn")).map(|arn| principal(&arn.lossy())).collect();
    if arns.is_empty() {
        let why = "no capture says whose credentials agents used";
        return vec![Safeguard::unknown(same, "AWS", why), Safeguard::unknown(least, "AWS", why)];
    }
    let cli = Cli::trusted(&own_access(), cx.until);
    let mine = match cli.ask(who()) {
        Ok(reply) => read::account(Some(&reply), None).arn,
        Err(e) => {
            return vec![
                Safeguard::unknown(same, "AWS", e.what.clone()),
                Safeguard::unknown(least, "AWS", e.what),
            ];
        }
    };
    let mut found = Vec::new();
    for arn in arns {
        found.push(match () {
            () if !cx.person => Safeguard::unknown(
                same,
                arn.clone(),
                "no person asks: which credentials are a person's is not known",
            ),
            () if mine.is_empty() => {
                Safeguard::unknown(same, arn.clone(), "AWS does not say whose your own credentials are")
            }
            () => Safeguard::found(
                same,
                arn.clone(),
                principal(&mine) != arn,
                format!("you are {}", principal(&mine)),
            ),
        });
        found.push(may_destroy(&cli, &arn));
    }
    found
}

/// As we reach AWS ourselves.
fn own_access() -> Access {
    let chooses = |name: &str| DROPPED.contains(&name) || name.starts_with("AWS_ENDPOINT_URL");
    let set = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| chooses(name))?;
        Some((name, Bytes::from(PathBuf::from(value))))
    });
    Access { cwd: Bytes::from("/"), env: set.collect(), ..Access::default() }
}

/// A session of a role is the role: `arn:aws:sts::1:assumed-role/agent/session`.
fn principal(arn: &str) -> String {
    match arn.split_once(":assumed-role/") {
        Some((front, rest)) => {
            let role = rest.split('/').next().unwrap_or_default();
            format!("{}:role/{role}", front.replacen(":sts:", ":iam:", 1))
        }
        None => arn.to_owned(),
    }
}

fn may_destroy(cli: &Cli, arn: &str) -> Safeguard {
    let safety = Safety::LeastPrivilege;
    if arn.ends_with(":root") {
        return Safeguard::found(safety, arn, false, "the root user of an account may do everything");
    }
    let input = json!({ "PolicySourceArn": arn, "ActionNames": DESTRUCTIVE });
    let answer = match cli.ask(Call::new("iam", "simulate-principal-policy", input)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(refusal)) => return Safeguard::unknown(safety, arn, refusal.shown()),
        Err(e) => return Safeguard::unknown(safety, arn, e.what),
    };
    let results = answer.get("EvaluationResults").and_then(Value::as_array).cloned().unwrap_or_default();
    let allowed = |one: &&Value| text(one, "EvalDecision").is_some_and(|decision| decision == "allowed");
    let may: Vec<String> =
        results.iter().filter(allowed).filter_map(|one| text(one, "EvalActionName")).collect();
    match (results.len() == DESTRUCTIVE.len(), may.is_empty()) {
        (_, false) => Safeguard::found(safety, arn, false, format!("may {}", may.join(", "))),
        (true, true) => Safeguard::found(safety, arn, true, "may not terminate or delete at large"),
        (false, true) => Safeguard::unknown(safety, arn, "the simulation did not answer for all actions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_asked_once_for_each_region() {
        let way = |flags: &[&str]| {
            let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            Access { flags, ..Access::default() }.locator()
        };
        let ways = [
            way(&["--profile", "a"]),
            way(&["--profile", "a", "--region", "x"]),
            way(&["--profile", "a", "--region", "y"]),
            way(&["--profile", "b"]),
            super::super::query::not_kept(Bytes::from("/w"), "the words do not tell"),
        ];
        let names: Vec<String> = accesses(&ways).iter().map(shown).collect();
        assert_eq!(names, ["AWS, profile a, region x", "AWS, profile a, region y", "AWS, profile b"]);
    }

    #[test]
    fn a_session_of_a_role_is_the_role() {
        assert_eq!(principal("arn:aws:sts::1:assumed-role/agent/fr-1"), "arn:aws:iam::1:role/agent");
        assert_eq!(principal("arn:aws:iam::1:user/me"), "arn:aws:iam::1:user/me");
    }
}
