//! Package managers of the system.

use crate::model::{EffectClass as C, Reversibility as R};
use crate::systems::words::{Reader, Takes, Words};

/// One of their commands.
pub fn packages(program: &str, out: &mut Reader<'_>) {
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
