//! Block devices and volumes.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// What writes to block devices.
pub fn devices(program: &str, out: &mut Reader<'_>) {
    // parted's `-s` asks nothing and takes nothing.
    let takes: &[&str] = match program {
        "parted" => &["-a", "--align", "-u", "--unit"],
        _ => &["-t", "-L", "-U", "-b", "-N", "-i", "-I", "-m", "-o", "-O", "-E", "-s"],
    };
    let words = Words::split(out.inv.args(), Takes::One(takes));
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
        // An image of a disk is a file like others.
        if let Some(word) = words.operands.last() {
            out.file(C::Destroy, word, "node");
        }
    }
    out.each(C::Destroy, "dev:", &devices, R::Irreversible);
}

/// The tools of single kinds of drives, which erase by an option or a word among many that only ask.
pub fn drives(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-s", "--ses", "-n", "--namespace-id"]));
    let begins = |fronts: &[&str]| {
        words.options.iter().any(|(name, _)| fronts.iter().any(|front| name.starts_with(front)))
    };
    let (first, rest) = (words.operand(0), words.from(1));
    let is_device = |w: &&&Word| w.text.as_slice().starts_with(b"/dev/") || !w.certain;
    let devices: Vec<&Word> = words.from(0).iter().filter(is_device).copied().collect();
    let destroys = match program {
        "nvme" => matches!(first, "format" | "sanitize" | "write-zeroes" | "write" | "dsm" | "delete-ns"),
        "hdparm" => begins(&["--security-erase", "--write-sector", "--make-bad-sector", "--trim-sector"]),
        _ => begins(&["--zero-superblock", "--create", "-C"]),
    };
    let asks = match program {
        "nvme" => first.ends_with("-log") || first.starts_with("list") || first.starts_with("id-"),
        "hdparm" => begins(&["-I", "-i", "-t", "-T", "-C", "-g"]),
        _ => begins(&["--detail", "-D", "--examine", "-E", "--query", "-Q"]),
    };
    match (destroys, asks) {
        (true, _) if devices.is_empty() => out.each(C::Destroy, "dev:", rest, R::Irreversible),
        (true, _) => out.each(C::Destroy, "dev:", &devices, R::Irreversible),
        (false, true) => {}
        (false, false) if begins(&["--stop", "-S"]) => {
            out.each(C::Disrupt, "dev:", &devices, R::Compensating)
        }
        (false, false) => out.opaque(program),
    }
}

/// One of their commands.
pub fn volumes(program: &str, out: &mut Reader<'_>) {
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
