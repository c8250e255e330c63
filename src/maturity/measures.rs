//! The table of measures: each looks at one thing and says what it saw, how, and what would be the next step.

use super::scene::Scene;
use super::{conduct, copied, held, history, incidents, practice, reach, safety, settings};
use crate::systems::Safety;

/// What a measure yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// So many of so many, in per cent.
    Share,
    /// A number.
    Number,
    /// Yes or no.
    Truth,
}

/// What a measure saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// So many of so many.
    Share {
        /// How many are as they should be.
        good: u64,
        /// Of how many.
        of: u64,
    },
    /// A number.
    Number(f64),
    /// Yes or no.
    Truth(bool),
    /// There is nothing of it here.
    Nothing(String),
    /// It could not be found out: why.
    Unknown(String),
}

/// A reading with its evidence.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was seen.
    pub reading: Reading,
    /// The numbers, events and files that it rests on.
    pub evidence: Vec<String>,
    /// A better next step than the table's.
    pub next: Option<String>,
}

impl Measured {
    /// A reading without evidence yet.
    pub fn of(reading: Reading) -> Measured {
        Measured { reading, evidence: Vec::new(), next: None }
    }

    /// So many of so many; nothing of it here where there are none.
    pub fn share(good: usize, of: usize, none: &str) -> Measured {
        Measured::of(match of {
            0 => Reading::Nothing(none.to_owned()),
            _ => Reading::Share { good: good as u64, of: of as u64 },
        })
    }

    /// It could not be found out.
    pub fn unknown(why: impl Into<String>) -> Measured {
        Measured::of(Reading::Unknown(why.into()))
    }

    /// With a line of evidence.
    pub fn with(mut self, evidence: impl Into<String>) -> Measured {
        self.evidence.push(evidence.into());
        self
    }

    /// With a next step.
    pub fn next(mut self, next: impl Into<String>) -> Measured {
        self.next = Some(next.into());
        self
    }
}

/// A measure.
pub struct Measure {
    /// The word in the table of criteria.
    pub name: &'static str,
    /// What it yields.
    pub yields: Yields,
    /// The unit of its figure.
    pub unit: &'static str,
    /// How it is measured, for people.
    pub how: &'static str,
    /// It can be told for one system alone.
    pub by_system: bool,
    /// Takes it.
    pub take: fn(&Scene<'_>) -> Measured,
}

const fn share(name: &'static str, how: &'static str, take: fn(&Scene<'_>) -> Measured) -> Measure {
    Measure { name, yields: Yields::Share, unit: "%", how, by_system: false, take }
}

const fn by_system(name: &'static str, how: &'static str, take: fn(&Scene<'_>) -> Measured) -> Measure {
    Measure { by_system: true, ..share(name, how, take) }
}

const fn number(
    name: &'static str,
    unit: &'static str,
    how: &'static str,
    take: fn(&Scene<'_>) -> Measured,
) -> Measure {
    Measure { name, yields: Yields::Number, unit, how, by_system: false, take }
}

const fn truth(name: &'static str, how: &'static str, take: fn(&Scene<'_>) -> Measured) -> Measure {
    Measure { name, yields: Yields::Truth, unit: "", how, by_system: false, take }
}

/// All of them.
pub const ALL: &[Measure] = &[
    share("hooks", "the agents found on this machine, as `fr doctor` looks at them", settings::hooks),
    number("agent-commands", "", "the journal: commands by agents", history::agent_commands),
    share(
        "attributed",
        "the journal: agents' and CI's commands known with high confidence, people's with medium",
        history::attributed,
    ),
    truth("store", "the store at a glance, as `fr doctor` looks at it", settings::store),
    number(
        "copy-age",
        "days",
        "the copy that the settings name (copy.to), listed and read: what it lacks of the journal, and whether what was kept is in it",
        copied::age,
    ),
    by_system(
        "captured",
        "the journal: events that destroy, overwrite or weaken, with a complete capture of each system that they touch",
        history::captured,
    ),
    share(
        "captures-whole",
        "the latest captures, every object of them read and hashed",
        history::captures_whole,
    ),
    by_system(
        "resolved",
        "the journal: effects of agents' commands that change something, known from their words or from a capture",
        history::resolved,
    ),
    number("gaps", "%", "the journal: commands lost in gaps, of all commands", history::gaps),
    truth(
        "chain",
        "every frame of the journal read, its hash and the hash of the one before it compared",
        history::chain,
    ),
    by_system(
        "force-push",
        "the configuration of remotes in files; GitHub's branch protection and rules, by `gh api`",
        |s| safety::of(s, Safety::ForcePush),
    ),
    share(
        "drill-success",
        "the journal: the latest drill of each system in the time looked at",
        practice::drill_success,
    ),
    by_system(
        "separate-identity",
        "who the agents' credentials are, and who yours are: `aws sts get-caller-identity`, `kubectl auth whoami`, `gh api user`",
        |s| safety::of(s, Safety::SeparateIdentity),
    ),
    by_system(
        "least-privilege",
        "what the agents' credentials may: `aws iam simulate-principal-policy`, `kubectl auth can-i`",
        |s| safety::of(s, Safety::LeastPrivilege),
    ),
    number(
        "production-reachable",
        "",
        "contexts of the kubeconfigs and profiles of the AWS configuration that agents can read, against what is marked as production",
        reach::reachable,
    ),
    truth("production-marked", "the settings: [production]", settings::production_marked),
    truth("guard-mode", "the settings: mode", settings::guard_mode),
    share(
        "looked-first",
        "the journal: agents' destructive terraform, kubectl, aws and git commands that follow a plan, diff or dry-run of the same tool in the same session within an hour",
        conduct::looked_first,
    ),
    share(
        "inside",
        "the journal: files that agents destroy, against the project that they were started in and the directories for temporary files",
        conduct::inside,
    ),
    share(
        "no-root",
        "the journal: agents' commands by sudo, doas or su; and whether this store is root's",
        conduct::no_root,
    ),
    by_system(
        "prevent-destroy",
        "the configuration files of the root modules that agents worked in, read as HCL",
        |s| safety::of(s, Safety::PreventDestroy),
    ),
    by_system("remote-state", "what `terraform init` wrote down of the backend", |s| {
        safety::of(s, Safety::RemoteState)
    }),
    by_system(
        "bucket-versioning",
        "`aws s3api get-bucket-versioning` of every bucket of the accounts that agents used",
        |s| safety::of(s, Safety::BucketVersioning),
    ),
    by_system(
        "deletion-protection",
        "`aws` read calls: RDS, DynamoDB, EC2, in the accounts and regions that agents used",
        |s| safety::of(s, Safety::DeletionProtection),
    ),
    by_system("point-in-time", "`aws` read calls: backups of RDS, point-in-time recovery of DynamoDB", |s| {
        safety::of(s, Safety::PointInTime)
    }),
    by_system("volumes-retained", "`kubectl get pv` in the clusters that agents used", |s| {
        safety::of(s, Safety::VolumesRetained)
    }),
    by_system(
        "drilled",
        "the journal: systems in which agents destroyed something, and passed drills of them",
        practice::drilled,
    ),
    number("contained", "", "the journal: orders of containment given by people", incidents::contained),
    share(
        "undo-whole",
        "the journal: undos that took everything back, of those that ran",
        practice::undo_whole,
    ),
    number(
        "undo-time",
        "s",
        "the journal: how long undos and the slowest undo of each drill took, 95th percentile",
        practice::undo_time,
    ),
    number(
        "production-hit",
        "",
        "the journal: agents' destructive events on what is marked as production",
        reach::hit,
    ),
    number("playbooks-run", "", "the journal: playbooks that were run to their end", incidents::exercised),
    number(
        "contain-time",
        "min",
        "the journal: from the opening of an incident to the first order of containment, nine in ten",
        incidents::contain_time,
    ),
    number(
        "recover-time",
        "min",
        "the journal: from the first damage of an incident that is over until all that it hit was back, nine in ten",
        incidents::recover_time,
    ),
    share(
        "incidents-closed",
        "the journal: incidents closed, of those that are closed or older than five days",
        incidents::closed,
    ),
    number(
        "held",
        "days",
        "kept measurements (`fr maturity --save`), at least one every 31 days, all at level 3 or above",
        held::held,
    ),
];

/// One by its name.
pub fn find(name: &str) -> Option<&'static Measure> {
    ALL.iter().find(|measure| measure.name == name)
}
