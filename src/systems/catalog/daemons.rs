//! Services that are steered by a tool of their own: what each of its verbs does, in the form of `platforms.rs`.

use super::platforms::Line;
use crate::model::EffectClass as C;

/// Nothing changes.
const NONE: Option<C> = None;
const SUPERVISOR: &[&str] = &["supervisorctl"];
const RABBIT: &[&str] = &["rabbitmqctl", "rabbitmqadmin"];
const LXC: &[&str] = &["lxc", "incus"];
const PG: &[&str] = &["pg_ctl", "pg_ctlcluster"];

/// Tools that the table knows.
pub const PROGRAMS: &[&str] = &[
    "supervisorctl",
    "rabbitmqctl",
    "rabbitmqadmin",
    "influx",
    "nats",
    "virsh",
    "crictl",
    "lxc",
    "incus",
    "tailscale",
    "pg_ctl",
    "pg_ctlcluster",
    "pg_dropcluster",
    "nmcli",
    "setenforce",
    "kafka-topics",
    "kafka-topics.sh",
];

/// See [`Line`].
pub const LINES: &[Line] = &[
    (SUPERVISOR, &["status"], NONE),
    (SUPERVISOR, &["tail"], NONE),
    (SUPERVISOR, &["avail"], NONE),
    (SUPERVISOR, &["stop"], Some(C::Disrupt)),
    (SUPERVISOR, &["restart"], Some(C::Disrupt)),
    (SUPERVISOR, &["shutdown"], Some(C::Disrupt)),
    (SUPERVISOR, &["remove"], Some(C::Destroy)),
    (SUPERVISOR, &["start"], Some(C::Mutate)),
    (SUPERVISOR, &["update"], Some(C::Mutate)),
    (SUPERVISOR, &["reread"], Some(C::Mutate)),
    (RABBIT, &["status"], NONE),
    (RABBIT, &["list_*"], NONE),
    (RABBIT, &["list"], NONE),
    (RABBIT, &["cluster_status"], NONE),
    (RABBIT, &["reset"], Some(C::Destroy)),
    (RABBIT, &["force_reset"], Some(C::Destroy)),
    (RABBIT, &["purge_queue"], Some(C::Destroy)),
    (RABBIT, &["purge"], Some(C::Destroy)),
    (RABBIT, &["delete_user"], Some(C::Access)),
    (RABBIT, &["delete_*"], Some(C::Destroy)),
    (RABBIT, &["delete"], Some(C::Destroy)),
    (RABBIT, &["stop"], Some(C::Disrupt)),
    (RABBIT, &["stop_app"], Some(C::Disrupt)),
    (RABBIT, &["change_password"], Some(C::Access)),
    (RABBIT, &["set_permissions"], Some(C::Access)),
    (&["influx"], &["delete"], Some(C::Destroy)),
    (&["influx"], &["*", "delete"], Some(C::Destroy)),
    (&["influx"], &["*", "list"], NONE),
    (&["influx"], &["query"], NONE),
    (&["influx"], &["ping"], NONE),
    (&["influx"], &["write"], Some(C::Create)),
    (&["influx"], &["backup"], Some(C::Create)),
    (&["influx"], &["restore"], Some(C::Overwrite)),
    (&["nats"], &["*", "rm"], Some(C::Destroy)),
    (&["nats"], &["*", "del"], Some(C::Destroy)),
    (&["nats"], &["*", "purge"], Some(C::Destroy)),
    (&["nats"], &["*", "ls"], NONE),
    (&["nats"], &["*", "info"], NONE),
    (&["nats"], &["pub"], Some(C::Publish)),
    (&["virsh"], &["undefine"], Some(C::Destroy)),
    (&["virsh"], &["vol-delete"], Some(C::Destroy)),
    (&["virsh"], &["vol-wipe"], Some(C::Destroy)),
    (&["virsh"], &["pool-delete"], Some(C::Destroy)),
    (&["virsh"], &["snapshot-delete"], Some(C::Weaken)),
    (&["virsh"], &["snapshot-revert"], Some(C::Overwrite)),
    // It only pulls the plug.
    (&["virsh"], &["destroy"], Some(C::Disrupt)),
    (&["virsh"], &["shutdown"], Some(C::Disrupt)),
    (&["virsh"], &["reboot"], Some(C::Disrupt)),
    (&["virsh"], &["start"], Some(C::Mutate)),
    (&["virsh"], &["list"], NONE),
    (&["virsh"], &["dominfo"], NONE),
    (&["virsh"], &["dumpxml"], NONE),
    (&["crictl"], &["rm"], Some(C::Destroy)),
    (&["crictl"], &["rmi"], Some(C::Destroy)),
    (&["crictl"], &["rmp"], Some(C::Destroy)),
    (&["crictl"], &["stop"], Some(C::Disrupt)),
    (&["crictl"], &["stopp"], Some(C::Disrupt)),
    (&["crictl"], &["ps"], NONE),
    (&["crictl"], &["pods"], NONE),
    (&["crictl"], &["images"], NONE),
    (&["crictl"], &["logs"], NONE),
    (&["crictl"], &["inspect"], NONE),
    (LXC, &["delete"], Some(C::Destroy)),
    (LXC, &["*", "delete"], Some(C::Destroy)),
    (LXC, &["restore"], Some(C::Overwrite)),
    (LXC, &["stop"], Some(C::Disrupt)),
    (LXC, &["restart"], Some(C::Disrupt)),
    (LXC, &["start"], Some(C::Mutate)),
    (LXC, &["list"], NONE),
    (LXC, &["info"], NONE),
    (LXC, &["*", "list"], NONE),
    (&["tailscale"], &["down"], Some(C::Disrupt)),
    (&["tailscale"], &["logout"], Some(C::Access)),
    (&["tailscale"], &["up"], Some(C::Mutate)),
    (&["tailscale"], &["set"], Some(C::Mutate)),
    (&["tailscale"], &["status"], NONE),
    (&["tailscale"], &["ip"], NONE),
    (&["tailscale"], &["ping"], NONE),
    (PG, &["stop"], Some(C::Disrupt)),
    (PG, &["restart"], Some(C::Disrupt)),
    (PG, &["promote"], Some(C::Disrupt)),
    (PG, &["*", "*", "stop"], Some(C::Disrupt)),
    (PG, &["*", "*", "restart"], Some(C::Disrupt)),
    (PG, &["*", "*", "start"], Some(C::Mutate)),
    (PG, &["start"], Some(C::Mutate)),
    (PG, &["reload"], Some(C::Mutate)),
    (PG, &["status"], NONE),
    (PG, &["*", "*", "status"], NONE),
    (PG, &["initdb"], Some(C::Create)),
    (&["pg_dropcluster"], &[], Some(C::Destroy)),
    (&["nmcli"], &["*", "delete"], Some(C::Destroy)),
    (&["nmcli"], &["*", "down"], Some(C::Disrupt)),
    (&["nmcli"], &["*", "disconnect"], Some(C::Disrupt)),
    (&["nmcli"], &["networking", "off"], Some(C::Disrupt)),
    (&["nmcli"], &["radio", "*", "off"], Some(C::Disrupt)),
    (&["nmcli"], &["*", "up"], Some(C::Mutate)),
    (&["nmcli"], &["*", "modify"], Some(C::Mutate)),
    (&["nmcli"], &["*", "add"], Some(C::Create)),
    (&["nmcli"], &["*", "show"], NONE),
    (&["nmcli"], &["*", "status"], NONE),
    (&["nmcli"], &["*", "list"], NONE),
    (&["setenforce"], &[], Some(C::Access)),
];

/// Of tools that say it by an option and not by a word: the word it stands for.
pub fn by_option(program: &str, has: impl Fn(&str) -> bool) -> Option<(Option<C>, &'static str)> {
    if !program.starts_with("kafka-topics") {
        return None;
    }
    let verbs = [("--delete", Some(C::Destroy)), ("--alter", Some(C::Mutate)), ("--create", Some(C::Create))];
    let found = verbs.into_iter().find(|(option, _)| has(option));
    Some(found.map_or((None, ""), |(option, class)| (class, option.trim_start_matches('-'))))
}
