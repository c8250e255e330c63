//! Package managers of the system.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// The verb of pacman's bundle of letters: the capital one says what is done, `n` and `s` behind it how.
fn pacman(args: &[Word]) -> &'static str {
    let long = |name: &str| args.iter().any(|word| word.as_str() == Some(name));
    let letters: String = args
        .iter()
        .filter_map(Word::as_str)
        .filter_map(|word| word.strip_prefix('-'))
        .filter(|word| !word.starts_with('-'))
        .collect();
    let has = |letters_of: &str| letters.chars().any(|letter| letters_of.contains(letter));
    match () {
        () if has("p") || long("--print") => "list",
        () if has("R") || long("--remove") => "remove",
        () if has("QFT") || has("S") && has("sil") => "list",
        () if has("S") && has("c") => "clean",
        () if has("S") && has("u") => "upgrade",
        () if has("SU") || long("--sync") || long("--upgrade") => "install",
        () => "list",
    }
}

/// One of their commands.
pub fn packages(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-o", "-t", "--target-release", "-c"]));
    let asks = words.has(&[
        "-s",
        "--simulate",
        "--dry-run",
        "--just-print",
        "--no-act",
        "--recon",
        "-n",
        "--assumeno",
    ]);
    // pacman's `-n` and `-s` remove more, zypper's `-n` asks nobody.
    if asks && !matches!(program, "pacman" | "zypper") || words.has(&["--dry-run"]) {
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
                "pacman" => pacman(out.inv.args()),
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
