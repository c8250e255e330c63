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
