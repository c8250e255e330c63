//! The machine itself: services, packages, processes, users, devices, network.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// One of the host's tools.
pub fn read(program: &str, out: &mut Reader<'_>) {
    match program {
        "systemctl" | "service" | "launchctl" => services(program, out),
        "crontab" => crontab(out),
        "at" => out.add(C::Create, "dyn:at job", R::Exact),
        "atrm" => {
            let words = Words::split(out.inv.args(), Takes::One(&[]));
            out.each(C::Destroy, "cron:at ", words.from(0), R::Exact);
        }
        "apt" | "apt-get" | "aptitude" | "yum" | "dnf" | "apk" | "pacman" | "zypper" | "snap" | "brew"
        | "dpkg" | "rpm" => packages(program, out),
        "kill" | "killall" | "pkill" | "fuser" => processes(program, out),
        "shutdown" | "reboot" | "halt" | "poweroff" | "init" => {
            if !out.inv.args().iter().any(|w| matches!(w.as_str(), Some("-c" | "-k" | "--show"))) {
                out.add(C::Disrupt, "host", R::Irreversible);
            }
        }
        "passwd" | "useradd" | "adduser" | "userdel" | "deluser" | "usermod" | "groupadd" | "groupdel"
        | "groupmod" | "chpasswd" => users(program, out),
        "iptables" | "ip6tables" | "nft" | "ufw" | "firewall-cmd" | "ip" | "ifconfig" => {
            network(program, out)
        }
        "ssh-keygen" | "gpg" | "ssh-add" | "ssh-copy-id" => keys(program, out),
        "sysctl" | "journalctl" | "dmesg" | "modprobe" | "rmmod" | "insmod" | "timedatectl"
        | "hostnamectl" | "loginctl" | "mount" | "umount" | "swapon" | "swapoff" | "logrotate" => {
            settings(program, out)
        }
        "zfs" | "zpool" | "btrfs" | "lvremove" | "vgremove" | "pvremove" | "lvreduce" => {
            volumes(program, out)
        }
        // A scan of ports sends nothing.
        "nc" if out.inv.args().iter().any(|w| {
            w.as_str().is_some_and(|t| t.starts_with('-') && !t.starts_with("--") && t.contains('z'))
        }) => {}
        "tmux" | "screen" => terminals(program, out),
        "mail" | "sendmail" | "nc" | "telnet" => {
            out.add(C::Publish, format!("dyn:{program}"), R::Irreversible)
        }
        _ => devices(program, out),
    }
}

fn services(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-p",
            "--property",
            "-t",
            "--type",
            "-H",
            "--host",
            "-M",
            "-n",
            "-o",
            "-s",
            "--signal",
            "--state",
        ]),
    );
    let (verb, names) = if program == "service" {
        let name: Vec<&Word> = words.operands.first().copied().into_iter().collect();
        (words.operand(1).to_owned(), name)
    } else {
        (words.operand(0).to_owned(), words.from(1).to_vec())
    };
    let bare = |w: &&Word| {
        let text = w.text.lossy().into_owned();
        let text = text
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".plist")
            .trim_end_matches(".service")
            .to_owned();
        Word { text: text.into(), ..(**w).clone() }
    };
    let named: Vec<Word> = names.iter().map(bare).collect();
    let named: Vec<&Word> = named.iter().collect();
    match verb.as_str() {
        "stop" | "restart" | "reload" | "kill" | "mask" | "disable" | "try-restart" | "unload"
        | "bootout" | "remove" | "isolate" | "condrestart" | "reload-or-restart" => {
            out.each(C::Disrupt, "svc:", &named, R::Exact);
        }
        "start" | "enable" | "unmask" | "load" | "bootstrap" | "kickstart" | "reset-failed"
        | "set-property" | "edit" | "revert" | "preset" => {
            out.each(C::Mutate, "svc:", &named, R::Exact);
        }
        "poweroff" | "reboot" | "halt" | "suspend" | "hibernate" | "rescue" | "emergency" | "kexec" => {
            out.add(C::Disrupt, "host", R::Irreversible)
        }
        "daemon-reload" | "daemon-reexec" => out.add(C::Mutate, "svc:systemd", R::Exact),
        "set-default" => out.add(C::Mutate, "host:default target", R::Exact),
        verb if verb.starts_with("list")
            || verb.starts_with("is-")
            || matches!(
                verb,
                "" | "status"
                    | "show"
                    | "cat"
                    | "help"
                    | "get-default"
                    | "print"
                    | "--status-all"
                    | "show-environment"
                    | "blame"
            ) => {}
        other => out.opaque(&format!("{program} {other}")),
    }
}

fn crontab(out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-u"]));
    let who = words.text(&["-u"]).unwrap_or_else(|| "user".to_owned());
    if words.has(&["-l"]) {
    } else if words.has(&["-r"]) {
        out.add(C::Destroy, format!("cron:{who}"), R::Exact);
    } else if words.has(&["-e"]) {
        out.add(C::Opaque, format!("cron:{who}"), R::Exact);
    } else {
        out.add(C::Overwrite, format!("cron:{who}"), R::Exact);
    }
}

fn packages(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-o", "-t", "--target-release", "-c"]));
    if words.has(&[
        "-s",
        "--simulate",
        "--dry-run",
        "--just-print",
        "--no-act",
        "--recon",
        "-n",
        "--assumeno",
    ]) {
        return;
    }
    let mut verb = words.operand(0).to_owned();
    let mut names = words.from(1).to_vec();
    match program {
        "dpkg" | "rpm" | "pacman" => {
            names = words.from(0).to_vec();
            let flags = |f: &[&str]| words.has(f);
            verb = match program {
                "dpkg" if flags(&["-r", "--remove", "-P", "--purge"]) => "remove",
                "dpkg" if flags(&["-i", "--install", "--configure"]) => "install",
                "rpm" if flags(&["-q", "--query", "-V", "--verify"]) => "list",
                "rpm" if flags(&["-e", "--erase"]) => "remove",
                "rpm" if flags(&["-i", "-U", "-F", "--install", "--upgrade"]) => "install",
                "pacman" if flags(&["-R"]) => "remove",
                "pacman" if flags(&["-Q", "-F", "-T"]) || flags(&["-S"]) && flags(&["-s", "-i", "-l"]) => {
                    "list"
                }
                "pacman" if flags(&["-S", "-U"]) => "install",
                _ => "list",
            }
            .to_owned();
        }
        "brew" if verb == "services" => {
            return match words.operand(1) {
                "stop" | "restart" => out.each(C::Disrupt, "svc:", words.from(2), R::Exact),
                "start" | "run" => out.each(C::Mutate, "svc:", words.from(2), R::Exact),
                _ => {}
            };
        }
        _ => {}
    }
    match verb.as_str() {
        "autoremove" | "autopurge" | "cleanup" => {
            out.add(C::Destroy, "dyn:packages that a simulation lists", R::Recreate)
        }
        "clean" | "autoclean" => out.add(C::Destroy, "dyn:cached packages", R::Recreate),
        "remove" | "purge" | "uninstall" | "erase" | "del" | "rm" | "zap" => {
            out.each(C::Destroy, "pkg:", &names, R::Recreate)
        }
        "install" | "add" | "reinstall" | "in" => {
            out.each(C::Create, "pkg:", &names, R::Compensating);
            if program.starts_with("apt") || matches!(program, "yum" | "dnf") {
                out.add(C::Create, "dyn:dependencies", R::Compensating);
            }
        }
        "upgrade" | "dist-upgrade" | "full-upgrade" | "update"
            if verb != "update" || !matches!(program, "apt" | "apt-get" | "aptitude" | "brew" | "apk") =>
        {
            if names.is_empty() {
                out.add(C::Overwrite, "dyn:packages that a simulation lists", R::Compensating);
            } else {
                out.each(C::Overwrite, "pkg:", &names, R::Compensating);
            }
        }
        "update" | "refresh" | "makecache" => out.add(C::Mutate, "dyn:package lists", R::Recreate),
        "list" | "show" | "search" | "policy" | "depends" | "rdepends" | "info" | "check" | "changelog"
        | "cache" | "madison" | "deps" | "uses" | "outdated" | "config" | "doctor" | "leaves" | "home"
        | "desc" | "log" | "--prefix" | "provides" | "repolist" | "find" | "" | "source" | "download"
        | "cat" | "commands" | "se" => {}
        other => out.opaque(&format!("{program} {other}")),
    }
}

fn processes(program: &str, out: &mut Reader<'_>) {
    // `-KILL`, `-SIGTERM`, `-9` are signals, not bundles of options.
    let is_signal = |w: &&Word| {
        let name = w.as_str().and_then(|t| t.strip_prefix('-'));
        name.is_some_and(|n| n.len() > 1 && n.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
            || name.is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit() && c != b'0'))
    };
    let args: Vec<Word> = out.inv.args().iter().filter(|w| !is_signal(w)).cloned().collect();
    let words =
        Words::split(&args, Takes::One(&["-s", "-n", "-u", "-U", "-g", "-t", "-P", "--signal", "--user"]));
    if program == "fuser" {
        // Without `-k` it lists.
        if words.options.iter().any(|(n, _)| n == "--kill" || !n.starts_with("--") && n.contains('k')) {
            out.add(C::Disrupt, "dyn:processes that fuser lists", R::Irreversible);
        }
        return;
    }
    if words.has(&["-l", "-L", "--list", "-0"]) && program != "pkill"
        || words.has(&["-0"])
        || words.text(&["-s"]).as_deref() == Some("0")
    {
        return;
    }
    let names: Vec<Word> = words.from(0).iter().map(|w| (*w).clone()).collect();
    let names: Vec<&Word> = names.iter().collect();
    if program == "pkill" {
        let pattern = names.first().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
        out.add(C::Disrupt, format!("dyn:pgrep {pattern}"), R::Irreversible);
        return;
    }
    out.each(C::Disrupt, "proc:", &names, R::Irreversible);
}

fn users(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-s", "-d", "-g", "-G", "-u", "-c", "-e", "-p", "--shell", "--home", "--uid", "--gid", "-n",
            "-x", "-w", "-i",
        ]),
    );
    if program == "passwd" && words.has(&["-S", "--status"]) {
        return;
    }
    let last: Vec<&Word> = words.operands.last().copied().into_iter().collect();
    let prefix = if program.starts_with("group") { "group:" } else { "user:" };
    let class = match program {
        "userdel" | "deluser" | "groupdel" => C::Destroy,
        _ => C::Access,
    };
    if last.is_empty() {
        out.add(class, format!("{prefix}self"), R::Compensating);
    }
    let home = words.has(&["-r", "--remove", "--remove-home"]) && class == C::Destroy;
    let named = last.first().map(|w| w.text.lossy().into_owned());
    out.each(class, prefix, &last, R::Exact);
    if let Some(name) = named.filter(|_| home) {
        out.add(C::Destroy, format!("path:/home/{name}"), R::Exact);
    }
}

fn network(program: &str, out: &mut Reader<'_>) {
    let words: Vec<&str> = out.inv.args().iter().filter_map(Word::as_str).collect();
    let any = |names: &[&str]| words.iter().any(|w| names.contains(w));
    match program {
        "iptables" | "ip6tables" => {
            let writes = [
                "-A", "-I", "-D", "-F", "-X", "-P", "-R", "-N", "-Z", "-E", "--append", "--insert",
                "--delete", "--flush", "--policy",
            ];
            if any(&writes) {
                out.add(C::Access, format!("net:{program}"), R::Exact);
            }
        }
        "nft" => {
            if !any(&["list"]) {
                out.add(C::Access, "net:nft", R::Exact);
            }
        }
        "ufw" => {
            if !any(&["status", "version", "show", "--dry-run"]) {
                out.add(C::Access, "net:ufw", R::Exact);
            }
        }
        "firewall-cmd" => {
            if !words.iter().any(|w| {
                w.starts_with("--list")
                    || w.starts_with("--get")
                    || w.starts_with("--query")
                    || *w == "--state"
            }) {
                out.add(C::Access, "net:firewalld", R::Exact);
            }
        }
        "ip" => {
            if any(&["add", "del", "delete", "set", "flush", "change", "replace", "append"]) {
                let name = words
                    .iter()
                    .position(|w| *w == "dev")
                    .and_then(|i| words.get(i + 1))
                    .or_else(|| words.iter().skip_while(|w| **w != "set").nth(1));
                let name = name.copied().unwrap_or("routes").to_owned();
                out.add(C::Disrupt, format!("net:{name}"), R::Exact);
            }
        }
        _ => {
            if any(&["up", "down"]) || words.len() > 2 {
                let name = words.first().copied().unwrap_or_default().to_owned();
                out.add(C::Disrupt, format!("net:{name}"), R::Exact);
            }
        }
    }
}

/// What gpg appends to the name of a file that it encrypts or signs (gpg(1)).
fn sealed(words: &Words<'_>) -> Option<&'static str> {
    let armor = words.has(&["-a", "--armor"]);
    if words.has(&["-d", "--decrypt", "--verify"]) {
        None
    } else if words.has(&["--clear-sign", "--clearsign"]) {
        Some(".asc")
    } else if words.has(&["-b", "--detach-sign"]) {
        Some(if armor { ".asc" } else { ".sig" })
    } else if words.has(&["-c", "-e", "-s", "--symmetric", "--encrypt", "--sign"]) {
        Some(if armor { ".asc" } else { ".gpg" })
    } else {
        None
    }
}

fn keys(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-f", "-t", "-b", "-C", "-N", "-R", "-F", "-o", "--output", "-i", "-r", "-u", "-p", "-P",
        ]),
    );
    match program {
        "ssh-keygen" => {
            if words.has(&["-l", "-F", "-y", "-B", "-L"]) {
            } else if words.has(&["-R"]) {
                out.add(C::Mutate, "path:~/.ssh/known_hosts", R::Exact);
            } else {
                let file = words.text(&["-f"]).unwrap_or_else(|| "~/.ssh/id_ed25519".to_owned());
                out.add(C::Overwrite, format!("path:{file}"), R::Exact);
                // A new key is a pair; with `-p` and `-c` only the private half is written again.
                if !words.has(&["-p", "-c"]) {
                    out.add(C::Overwrite, format!("path:{file}.pub"), R::Exact);
                }
            }
        }
        "gpg" => {
            let writes = words.options.iter().any(|(n, _)| {
                n.starts_with("--delete")
                    || n.starts_with("--import")
                    || n.contains("-key") && !n.starts_with("--list") && !n.starts_with("--export")
            });
            if let Some(file) = words.value(&["-o", "--output"]).cloned() {
                out.word(C::Overwrite, "path:", &file, R::Exact);
            } else if writes {
                out.add(C::Access, "path:~/.gnupg", R::Exact);
            } else if let Some(suffix) = sealed(&words) {
                for file in words.from(0).iter().filter(|w| w.certain) {
                    out.add(C::Overwrite, format!("path:{}{suffix}", file.text.lossy()), R::Exact);
                }
            }
        }
        "ssh-add" => {
            if !words.has(&["-l", "-L"]) {
                out.add(C::Access, "dyn:ssh agent", R::Exact);
            }
        }
        _ => {
            let last: Vec<&Word> = words.operands.last().copied().into_iter().collect();
            out.each(C::Access, "ssh:", &last, R::Compensating);
        }
    }
}

fn settings(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&["-t", "-o", "-u", "-n", "--unit", "-S", "-U", "--since", "--until", "-p"]),
    );
    match program {
        "sysctl" => {
            for word in out.inv.args().iter().filter(|w| !w.text.as_slice().starts_with(b"-")) {
                if let Some((name, _)) = word.text.as_str().and_then(|t| t.split_once('=')) {
                    out.add(C::Mutate, format!("host:sysctl {name}"), R::Exact);
                }
            }
            if words.has(&["-p", "--system"]) {
                out.add(C::Mutate, "dyn:sysctl settings", R::Exact);
            }
        }
        "journalctl" => {
            if words.options.iter().any(|(n, _)| n.starts_with("--vacuum") || n == "--rotate") {
                out.add(C::Weaken, "dyn:journal", R::Irreversible);
            }
        }
        "dmesg" => {
            if words.has(&["-C", "-c", "--clear", "--read-clear"]) {
                out.add(C::Weaken, "dyn:kernel log", R::Irreversible);
            }
        }
        "timedatectl" | "hostnamectl" | "loginctl" => {
            let verb = words.operand(0);
            if verb.starts_with("set-")
                || matches!(verb, "terminate-user" | "kill-session" | "terminate-session")
            {
                out.add(C::Mutate, format!("host:{verb}"), R::Exact);
            }
        }
        "mount" if words.operands.is_empty() || words.has(&["-l"]) => {}
        "swapon" if words.has(&["-s", "--show"]) => {}
        "logrotate" if words.has(&["-d", "--debug"]) => {}
        "logrotate" => out.add(C::Overwrite, "dyn:logs of its configuration", R::Exact),
        "umount" | "swapoff" => out.each(C::Disrupt, "dev:", words.from(0), R::Exact),
        "mount" | "swapon" => {
            let last: Vec<&Word> = words.operands.last().copied().into_iter().collect();
            out.each(C::Mutate, "dev:", &last, R::Exact);
        }
        _ => out.each(C::Disrupt, "host:module ", words.from(0), R::Exact),
    }
}

fn volumes(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-o", "-t", "-L", "-l"]));
    if words.has(&["-n", "--test"]) {
        return;
    }
    match program {
        "zfs" | "zpool" => match words.operand(0) {
            "destroy" => {
                let weak = words.operand(1).contains('@');
                out.each(if weak { C::Weaken } else { C::Destroy }, "dev:", words.from(1), R::Irreversible);
            }
            "rollback" => out.each(C::Overwrite, "dev:", words.from(1), R::Irreversible),
            "create" | "snapshot" | "clone" => out.each(C::Create, "dev:", words.from(1), R::Exact),
            "set" | "mount" | "unmount" | "rename" | "export" | "import" | "inherit" => {
                out.add(C::Mutate, format!("dyn:{program}"), R::Exact)
            }
            "list" | "get" | "status" | "history" | "iostat" | "diff" | "" => {}
            verb => out.opaque(&format!("{program} {verb}")),
        },
        "btrfs" => match (words.operand(0), words.operand(1)) {
            ("subvolume", "delete") => out.each(C::Destroy, "path:", words.from(2), R::Irreversible),
            ("subvolume", "snapshot" | "create") => out.add(C::Create, "dyn:subvolume", R::Exact),
            (_, "show" | "list" | "df" | "usage" | "status") | ("", _) => {}
            _ => out.opaque("btrfs"),
        },
        _ => out.each(C::Destroy, "dev:", words.from(0), R::Irreversible),
    }
}

/// What writes to block devices.
fn devices(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&["-t", "-L", "-U", "-b", "-N", "-i", "-I", "-m", "-o", "-O", "-E", "-s"]),
    );
    let asks = match program {
        "fdisk" | "sfdisk" | "sgdisk" | "parted" => {
            words.has(&["-l", "--list", "-d", "--dump", "-p", "--print"])
                || words.operands.iter().any(|w| w.as_str() == Some("print"))
        }
        "wipefs" => words.has(&["-n", "--no-act"]) || !words.has(&["-a", "--all", "-o", "--offset"]),
        "cryptsetup" => !matches!(
            words.operand(0),
            "luksFormat" | "erase" | "luksErase" | "luksKillSlot" | "luksRemoveKey" | "reencrypt"
        ),
        name => name.starts_with("mkfs") && words.has(&["-n", "-N"]) && name != "mkfs.vfat",
    };
    if asks {
        return;
    }
    let devices: Vec<&Word> = words
        .operands
        .iter()
        .copied()
        .filter(|w| w.text.as_slice().starts_with(b"/dev/") || !w.certain)
        .collect();
    if devices.is_empty() {
        out.each(
            C::Destroy,
            "path:",
            words.operands.last().copied().into_iter().collect::<Vec<_>>().as_slice(),
            R::Irreversible,
        );
    }
    out.each(C::Destroy, "dev:", &devices, R::Irreversible);
}

/// What the shell room left of `tmux` and `screen`: commands on running sessions.
fn terminals(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-t", "-s", "-S", "-X"]));
    let ends = words.operand(0).starts_with("kill-")
        || words.value(&["-X"]).is_some_and(|w| matches!(w.as_str(), Some("quit" | "kill")));
    match words.text(&["-t", "-S"]) {
        Some(session) if ends => out.add(C::Disrupt, format!("proc:{program} {session}"), R::Irreversible),
        None if ends => out.add(C::Disrupt, format!("dyn:{program} sessions"), R::Irreversible),
        _ => out.opaque(program),
    }
}
