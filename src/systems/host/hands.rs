//! What an undo does about each thing, in words.

use super::managers;
use crate::model::{Bytes, Reversibility as R, Step, SystemId};
use crate::systems::things::{self, Deed, Hands, How, Job, Verb};

/// What is known of a host's things.
pub struct HostHands;

/// Puts steps in order. The members of a group that is there are given back before a user is made, who enters it then.
pub fn arrange(steps: &mut [Step]) {
    things::arrange(steps, &HostHands);
    let is_of_members =
        |job: &Job| job.verb == Verb::Change && !job.makes_way && job.name.starts_with("group/");
    steps.sort_by_key(|step| !Job::of(step).is_ok_and(|job| is_of_members(&job)));
}

impl Hands for HostHands {
    fn system(&self) -> SystemId {
        SystemId::new(super::ID)
    }

    fn resource(&self, name: &str) -> Bytes {
        Bytes::from(format!("host:{}", name.replacen('/', " ", 1)))
    }

    fn rank(&self, name: &str) -> u32 {
        // A user is made in groups that are there.
        if name.starts_with("user/") { 2 } else { 1 }
    }

    fn back(&self, name: &str, how: How<'_>) -> Deed {
        let (kind, own) = name.split_once('/').unwrap_or((name, ""));
        match (kind, how) {
            ("crontab", How::Made(_)) => Deed::new(format!("remove the crontab of {own}"), R::Exact),
            ("crontab", _) => Deed::new(format!("write the old crontab of {own}"), R::Exact),
            ("sysctl", How::Changed(..)) => Deed::new(format!("set {own} as before"), R::Exact),
            ("rules", How::Changed(..)) => Deed::new(format!("load the old rules of {own}"), R::Exact),
            ("unit" | "user-unit", How::Changed(before, now)) => {
                let mut doing = Vec::new();
                if before.digest != now.digest {
                    doing.push(format!("{} as it was", before.fact("enabled")));
                }
                if before.state != now.state {
                    doing.push(before.state.clone());
                }
                Deed::new(format!("make the unit {own} {} again", doing.join(" and ")), R::Exact)
            }
            ("user", How::Made(_)) => Deed::new(format!("remove the user {own}; its home stays"), R::Exact),
            ("user", How::Anew(_)) => {
                Deed::new(format!("make the user {own} anew, with its id, groups and password"), R::Exact)
            }
            ("user", _) => {
                Deed::new(format!("give the user {own} its old shell, groups and password"), R::Exact)
            }
            ("group", How::Made(_)) => Deed::new(format!("remove the group {own}"), R::Exact),
            ("group", _) => Deed::new(format!("make the group {own} as it was, with its members"), R::Exact),
            ("package", How::Anew(thing)) => {
                let command = format!("apt-get install {own}={}", thing.fact("version"));
                let why = format!("packages come from outside: `{command}` (its configuration may be gone)");
                Deed::on_request(format!("install {own} again"), R::Recreate, why)
            }
            ("package", How::Made(_)) => {
                let why = format!("others may need it by now: `apt-get remove {own}`");
                Deed::on_request(format!("remove {own}"), R::Compensating, why)
            }
            ("package", How::Changed(before, _)) => {
                let command = format!("apt-get install {own}={}", before.fact("version"));
                let why = format!("packages come from outside: `{command}`");
                Deed::on_request(format!("install the old version of {own}"), R::Recreate, why)
            }
            ("packages", How::Changed(before, now)) => managers::way(own, &before.facts, &now.facts).deed(),
            _ => Deed::impossible(format!("leave {own} as it is"), "fr does not know how to write it"),
        }
    }
}
