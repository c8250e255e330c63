//! The machine itself: services, packages, processes, users, devices, network.

mod devices;
mod network;
mod packages;
mod processes;
mod services;
mod settings;
mod users;

use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::words::{Reader, Takes, Words};

/// One of the host's tools.
pub fn read(program: &str, out: &mut Reader<'_>) {
    match program {
        "systemctl" | "service" | "launchctl" => services::services(program, out),
        "crontab" => services::crontab(out),
        "at" if out.inv.args().iter().any(|w| matches!(w.as_str(), Some("-l" | "-c" | "-V"))) => {}
        "at" if out.inv.args().iter().any(|w| matches!(w.as_str(), Some("-r" | "-d"))) => {
            let words = Words::split(out.inv.args(), Takes::One(&[]));
            out.each(C::Destroy, "cron:at ", words.from(0), R::Exact);
        }
        "at" => out.add(C::Create, "dyn:at job", R::Exact),
        "atrm" => {
            let words = Words::split(out.inv.args(), Takes::One(&[]));
            out.each(C::Destroy, "cron:at ", words.from(0), R::Exact);
        }
        "apt" | "apt-get" | "aptitude" | "yum" | "dnf" | "apk" | "pacman" | "zypper" | "snap" | "brew"
        | "dpkg" | "rpm" => packages::packages(program, out),
        "kill" | "killall" | "pkill" | "fuser" => processes::processes(program, out),
        "shutdown" | "reboot" | "halt" | "poweroff" | "init" | "telinit" => {
            if !out.inv.args().iter().any(|w| matches!(w.as_str(), Some("-c" | "-k" | "--show"))) {
                out.add(C::Disrupt, "host", R::Irreversible);
            }
        }
        "passwd" | "useradd" | "adduser" | "userdel" | "deluser" | "usermod" | "groupadd" | "groupdel"
        | "groupmod" | "chpasswd" | "gpasswd" | "chsh" | "chfn" | "chage" => users::users(program, out),
        "iptables" | "ip6tables" | "iptables-restore" | "ip6tables-restore" | "iptables-save"
        | "ip6tables-save" | "iptables-legacy" | "iptables-nft" | "nft" | "ufw" | "firewall-cmd" | "ip"
        | "ifconfig" => network::network(program, out),
        "ssh-keygen" | "gpg" | "ssh-add" | "ssh-copy-id" => users::keys(program, out),
        "sysctl" | "journalctl" | "dmesg" | "modprobe" | "rmmod" | "insmod" | "timedatectl"
        | "hostnamectl" | "loginctl" | "mount" | "umount" | "swapon" | "swapoff" | "logrotate" => {
            settings::settings(program, out)
        }
        "zfs" | "zpool" | "btrfs" | "lvremove" | "vgremove" | "pvremove" | "lvreduce" => {
            devices::volumes(program, out)
        }
        "hdparm" | "nvme" | "mdadm" => devices::drives(program, out),
        // A scan of ports sends nothing.
        "nc" if out.inv.args().iter().any(|w| {
            w.as_str().is_some_and(|t| t.starts_with('-') && !t.starts_with("--") && t.contains('z'))
        }) => {}
        "tmux" | "screen" => processes::terminals(program, out),
        "mail" | "sendmail" | "nc" | "telnet" => {
            out.add(C::Publish, format!("dyn:{program}"), R::Irreversible)
        }
        _ => devices::devices(program, out),
    }
}
