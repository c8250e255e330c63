//! Which of the host's commands are understood, and which things have to be read before they may run.

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
    "mount",
    "umount",
    "swapoff",
    "swapon",
    "shutdown",
    "reboot",
    "halt",
    "poweroff",
    "init",
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
    "iptables",
    "ip6tables",
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
    for effect in
        effects.iter_mut().filter(|e| e.system.0 == super::ID && e.locator.is_none() && e.class != C::Opaque)
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
        ("cron", "crontab") => format!("crontab/{name}"),
        ("svc", "systemctl" | "service") if effect.certain => format!("unit/{name}"),
        ("host", "sysctl") => format!("sysctl/{}", name.trim_start_matches("sysctl ")),
        ("net", "iptables" | "ip6tables" | "nft") => format!("rules/{name}"),
        ("user", "passwd" | "useradd" | "adduser" | "userdel" | "deluser" | "usermod") if name != "self" => {
            format!("user/{name}")
        }
        ("group", "groupadd" | "groupdel" | "groupmod") => format!("group/{name}"),
        ("pkg", "apt" | "apt-get" | "aptitude" | "dpkg") if effect.certain => format!("package/{name}"),
        ("path" | "ssh" | "git", _) => return None,
        _ if effect.reversibility == R::Irreversible => return because("nothing can bring it back"),
        _ if effect.class.is_destructive() || matches!(effect.class, C::Mutate | C::Access | C::Disrupt) => {
            return because("fr does not read it before it runs");
        }
        _ => return None,
    };
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    let needs_root = matches!(thing.split('/').next(), Some("crontab" | "rules" | "user"));
    if needs_root && inv.wrappers.iter().any(other_user) && !rustix::process::geteuid().is_root() {
        return because("it runs as another user, who may see what we may not");
    }
    Some(locator_of(place, std::iter::once(thing.as_str())))
}
