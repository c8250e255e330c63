//! Which reader understands which program.

use super::super::AssessCx;
use super::words::Reader;
use super::{aws, clouds, docker, forge, host, platforms, sql, stores, terraform};
use crate::model::{Effect, Invocation, Word};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "terragrunt",
    "pulumi",
    "aws",
    "gcloud",
    "gsutil",
    "bq",
    "az",
    "mysql",
    "mariadb",
    "mysqldump",
    "mariadb-dump",
    "mysqladmin",
    "mariadb-admin",
    "redis-cli",
    "valkey-cli",
    "mongosh",
    "mongo",
    "mongodump",
    "mongorestore",
    "mongoexport",
    "mongoimport",
    "docker",
    "podman",
    "docker-compose",
    "podman-compose",
    "nerdctl",
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
    "gh",
    "glab",
    "twine",
    "heroku",
    "flyctl",
    "fly",
    "vercel",
    "netlify",
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
];

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    if asks(inv.args()) {
        return Vec::new();
    }
    let system = system(program);
    let mut out = Reader::new(inv, system);
    match system {
        "terragrunt" | "pulumi" => terraform::read(program, &mut out, cx),
        "aws" => aws::read(&mut out),
        "gcloud" => clouds::gcloud(program, &mut out),
        "az" => clouds::az(&mut out),
        "sql" => sql::read(program, &mut out),
        "redis" => stores::redis(&mut out),
        "mongo" => stores::mongo(program, &mut out),
        "docker" => docker::read(program, &mut out),
        "gh" => forge::gh(&mut out),
        "registry" => forge::registry(program, &mut out),
        "platform" => platforms::read(program, &mut out),
        _ => host::read(program, &mut out),
    }
    out.effects
}

fn system(program: &str) -> &'static str {
    match program {
        "terragrunt" => "terragrunt",
        "pulumi" => "pulumi",
        "aws" => "aws",
        "gcloud" | "gsutil" | "bq" => "gcloud",
        "az" => "az",
        "mysql" | "mariadb" | "mysqldump" | "mariadb-dump" | "mysqladmin" | "mariadb-admin" => "sql",
        "redis-cli" | "valkey-cli" => "redis",
        "mongosh" | "mongo" | "mongodump" | "mongorestore" | "mongoexport" | "mongoimport" => "mongo",
        "docker" | "podman" | "docker-compose" | "podman-compose" | "nerdctl" => "docker",
        "gh" | "glab" => "gh",
        "cdk" | "sam" | "serverless" | "sls" | "eksctl" | "doctl" | "kind" | "minikube" | "k3d"
        | "argocd" | "flux" | "velero" | "vault" | "etcdctl" | "wrangler" | "firebase" | "supabase" => {
            "platform"
        }
        "twine" | "heroku" | "flyctl" | "fly" | "vercel" | "netlify" => "registry",
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
