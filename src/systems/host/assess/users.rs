//! Users, groups and keys.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// One of their commands.
pub fn users(program: &str, out: &mut Reader<'_>) {
    // passwd's `-d`, `-e`, `-u` are flags (passwd(1)).
    let takes: &[&str] = match program {
        "passwd" => {
            &["-n", "-x", "-w", "-i", "--mindays", "--maxdays", "--warndays", "--inactive", "-R", "--root"]
        }
        "userdel" | "groupdel" => &["-R", "--root", "-P", "--prefix"],
        "gpasswd" => {
            &["-a", "--add", "-d", "--delete", "-M", "--members", "-A", "--administrators", "-Q", "--root"]
        }
        "chage" => &[
            "-d",
            "--lastday",
            "-E",
            "--expiredate",
            "-I",
            "--inactive",
            "-m",
            "--mindays",
            "-M",
            "--maxdays",
            "-W",
            "--warndays",
            "-R",
            "--root",
        ],
        "chfn" => &["-f", "-r", "-w", "-h", "-o"],
        "usermod" => &[
            "-c",
            "--comment",
            "-d",
            "--home",
            "-e",
            "--expiredate",
            "-f",
            "--inactive",
            "-g",
            "--gid",
            "-G",
            "--groups",
            "-l",
            "--login",
            "-p",
            "--password",
            "-R",
            "--root",
            "-P",
            "--prefix",
            "-s",
            "--shell",
            "-u",
            "--uid",
            "-v",
            "--add-subuids",
            "-V",
            "--del-subuids",
            "-w",
            "--add-subgids",
            "-W",
            "--del-subgids",
            "-Z",
            "--selinux-user",
        ],
        "groupmod" => {
            &["-g", "--gid", "-n", "--new-name", "-p", "--password", "-R", "--root", "-P", "--prefix"]
        }
        _ => &[
            "-s", "-d", "-g", "-G", "-u", "-c", "-e", "-p", "--shell", "--home", "--uid", "--gid", "-n",
            "-x", "-w", "-i",
        ],
    };
    let words = Words::split(out.inv.args(), Takes::One(takes));
    if program == "passwd" && words.has(&["-S", "--status"])
        || matches!(program, "chage" | "chsh") && words.has(&["-l", "--list", "--list-shells"])
    {
        return;
    }
    // `adduser USER GROUP`, `deluser USER GROUP` (Debian): the user is in that group or not.
    let of_group = matches!(program, "adduser" | "deluser") && words.operands.len() == 2;
    let last = if of_group { words.operands.first() } else { words.operands.last() };
    let last: Vec<&Word> = last.copied().into_iter().collect();
    let prefix = if program.starts_with("group") || program == "gpasswd" { "group:" } else { "user:" };
    let class = match program {
        "deluser" if of_group => C::Access,
        "userdel" | "deluser" | "groupdel" => C::Destroy,
        _ => C::Access,
    };
    if last.is_empty() {
        out.add(class, format!("{prefix}self"), R::Compensating);
    }
    // One that gets another name is there under that one afterwards.
    let new = match program {
        "usermod" => words.value(&["-l", "--login"]).cloned(),
        "groupmod" => words.value(&["-n", "--new-name"]).cloned(),
        _ => None,
    };
    let home = words.has(&["-r", "--remove", "--remove-home"]) && class == C::Destroy;
    let named = last.first().map(|w| w.text.lossy().into_owned());
    out.each(class, prefix, &last, R::Exact);
    if let Some(new) = &new {
        out.word(class, prefix, new, R::Exact);
    }
    if let Some(name) = named.filter(|_| home) {
        // Where it is only the table of users knows; this is where all distributions make it.
        out.file(C::Destroy, &Word::literal(format!("/home/{name}")), "tree");
    }
}

/// One of their commands.
pub fn keys(program: &str, out: &mut Reader<'_>) {
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
