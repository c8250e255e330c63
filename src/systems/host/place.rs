//! Which of the host's commands are understood, and which things have to be read before they may run.

use super::managers;
use crate::model::{Bytes, Effect, EffectClass as C, Invocation, Locator, Reversibility as R, Word};
use crate::systems::things::locator_of;
use crate::systems::words::Reader;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "systemctl",
    "service",
    "crontab",
    "at",
    "atrm",
    "apt",
    "apt-get",
    "aptitude",
    "dpkg",
    "yum",
    "dnf",
    "rpm",
    "apk",
    "pacman",
    "zypper",
    "snap",
    "brew",
    "kill",
    "killall",
    "pkill",
    "fuser",
    "mkfs",
    "mkfs.ext4",
    "mkfs.ext3",
    "mkfs.xfs",
    "mkfs.btrfs",
    "mkfs.vfat",
    "mkswap",
    "wipefs",
    "fdisk",
    "sfdisk",
    "parted",
    "sgdisk",
    "lvremove",
    "vgremove",
    "pvremove",
    "lvreduce",
    "cryptsetup",
    "blkdiscard",
    "hdparm",
    "nvme",
    "mdadm",
    "mount",
    "umount",
    "swapoff",
    "swapon",
    "shutdown",
    "reboot",
    "halt",
    "poweroff",
    "init",
    "telinit",
    "passwd",
    "useradd",
    "userdel",
    "usermod",
    "groupadd",
    "groupdel",
    "groupmod",
    "adduser",
    "deluser",
    "chpasswd",
    "gpasswd",
    "chsh",
    "chfn",
    "chage",
    "iptables",
    "ip6tables",
    "iptables-restore",
    "ip6tables-restore",
    "iptables-save",
    "ip6tables-save",
    "iptables-legacy",
    "iptables-nft",
    "nft",
    "ufw",
    "firewall-cmd",
    "ip",
    "ifconfig",
    "sysctl",
    "launchctl",
    "journalctl",
    "dmesg",
    "modprobe",
    "rmmod",
    "insmod",
    "timedatectl",
    "hostnamectl",
    "loginctl",
    "logrotate",
    "zfs",
    "zpool",
    "btrfs",
    "mail",
    "sendmail",
    "ssh-keygen",
    "gpg",
    "ssh-add",
    "ssh-copy-id",
    "nc",
    "telnet",
    "tmux",
    "screen",
];

/// Why nothing is read.
pub const NOT_KEPT: &str = "not-kept";

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    if asks(inv.args()) {
        return Vec::new();
    }
    let mut out = Reader::new(inv, super::ID);
    super::assess::read(program, &mut out);
    let mut effects = out.effects;
    let is_read = |e: &Effect| e.class != C::Opaque || e.resource.as_slice().starts_with(b"cron:");
    for effect in effects.iter_mut().filter(|e| e.system.0 == super::ID && e.locator.is_none() && is_read(e))
    {
        effect.locator = locator(program, effect, inv);
    }
    effects
}

/// Help and version change nothing.
fn asks(args: &[Word]) -> bool {
    let before = args.iter().take_while(|w| w.as_str() != Some("--"));
    let help = before.filter_map(Word::as_str).any(|w| w == "--help" || w == "-help");
    help || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "--version" | "-version" | "-V")))
        || args.first().and_then(Word::as_str) == Some("help")
}

fn locator(program: &str, effect: &Effect, inv: &Invocation) -> Option<Locator> {
    let place = Locator { at: inv.cwd.clone().unwrap_or_else(|| Bytes::from("/")), ..Locator::default() };
    let because = |why: &str| {
        let mut place = place.clone();
        place.opts.insert(NOT_KEPT.to_owned(), why.into());
        Some(place)
    };
    let text = effect.resource.lossy().into_owned();
    let (kind, name) = text.split_once(':').unwrap_or((text.as_str(), ""));
    let thing = match (kind, program) {
        ("cron", "crontab") => match crontab_of(name, inv) {
            Ok(who) => format!("crontab/{who}"),
            Err(why) => return because(why),
        },
        ("svc", "systemctl" | "service") if effect.certain => match managed(inv) {
            Ok(kind) => format!("{kind}/{name}"),
            Err(why) => return because(why),
        },
        ("host", "sysctl") => format!("sysctl/{}", name.trim_start_matches("sysctl ")),
        ("net", _) if name.starts_with("iptables") || name.starts_with("ip6tables") || name == "nft" => {
            format!("rules/{name}")
        }
        ("user", "chpasswd") => return because("fr does not read it before it runs"),
        ("user", _) if name != "self" => format!("user/{name}"),
        ("group", _) => format!("group/{name}"),
        ("pkg", "apt" | "apt-get" | "aptitude" | "dpkg") if effect.certain => format!("package/{name}"),
        ("pkg" | "dyn", _) if is_of_packages(&text) => match manager_of(program) {
            Some(manager) => return Some(managers::place(manager, &[], inv)),
            None => return because("fr does not read it before it runs"),
        },
        ("path" | "ssh" | "git", _) => return None,
        _ if effect.reversibility == R::Irreversible => return because("nothing can bring it back"),
        _ if effect.class.is_destructive() || matches!(effect.class, C::Mutate | C::Access | C::Disrupt) => {
            return because("fr does not read it before it runs");
        }
        _ => return None,
    };
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    let needs_root = matches!(thing.split('/').next(), Some("crontab" | "rules" | "user" | "user-unit"));
    if needs_root && inv.wrappers.iter().any(other_user) && !rustix::process::geteuid().is_root() {
        return because("it runs as another user, who may see what we may not");
    }
    Some(locator_of(place, std::iter::once(thing.as_str())))
}

/// The effect is on what a package manager has installed.
fn is_of_packages(resource: &str) -> bool {
    resource.starts_with("pkg:") || resource == "dyn:packages that a simulation lists"
}

/// The manager whose list tells what a program of the system installs and removes.
fn manager_of(program: &str) -> Option<&'static str> {
    match program {
        "apt" | "apt-get" | "aptitude" | "dpkg" => Some("dpkg"),
        "rpm" | "dnf" | "yum" | "zypper" => Some("rpm"),
        "pacman" => Some("pacman"),
        "brew" => Some("brew"),
        "snap" => Some("snap"),
        _ => None,
    }
}

/// Whose table it is. `user`: that of whoever runs the command.
fn crontab_of(named: &str, inv: &Invocation) -> Result<String, &'static str> {
    const UNKNOWN: &str = "it runs as another user, and the words do not say as whom";
    let has = |names: &[&str]| inv.wrappers.iter().any(|wrapper| names.contains(&wrapper.as_str()));
    if named != "user" {
        return Ok(named.to_owned());
    }
    if has(&["su", "runuser"]) {
        return Err(UNKNOWN);
    }
    match &inv.user {
        Some(user) => user.as_str().map(str::to_owned).ok_or(UNKNOWN),
        None if has(&["sudo", "doas", "pkexec"]) => Ok("root".to_owned()),
        None => Ok(named.to_owned()),
    }
}

/// Whose units a command of systemctl is about: the system's, or a user's own.
fn managed(inv: &Invocation) -> Result<&'static str, &'static str> {
    let words: Vec<&str> = inv.args().iter().filter_map(Word::as_str).collect();
    let any = |fronts: &[&str]| words.iter().any(|word| fronts.iter().any(|front| word.starts_with(front)));
    if any(&["-H", "--host", "-M", "--machine", "--root", "--image", "--global"]) {
        return Err("it is about another machine or another root directory");
    }
    let verbs = ["isolate", "set-property", "edit", "revert", "preset", "set-default"];
    if words.iter().any(|word| verbs.contains(word)) {
        return Err("fr reads whether a unit is enabled and active, and this changes more");
    }
    if !words.contains(&"--user") {
        return Ok("unit");
    }
    match inv.wrappers.iter().any(|wrapper| matches!(wrapper.as_str(), "sudo" | "su" | "runuser" | "doas")) {
        true => Err("it is about the units of another user"),
        false => Ok("user-unit"),
    }
}
