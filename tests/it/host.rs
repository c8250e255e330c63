//! The machine itself: what is read before it is changed, and what is said where nothing can bring it back. Only the
//! tester's own crontab and one kernel setting that changes nothing are really written.

use serde_json::Value;

use crate::env::{Output, TestEnv};

fn event(env: &TestEnv) -> Value {
    env.fr(&["timeline", "--json", "-n", "1"]).ok().json()[0].clone()
}

fn undo(env: &TestEnv) -> Output {
    env.fr(&["undo", "--yes", &event(env)["id"].to_string()])
}

/// A crontab(1) that keeps its tables in the test's own directory, and knows the real one's words: the machine's are not
/// ours to write.
fn with_crontab() -> TestEnv {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    let table = env.root().join("table");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nt={}\ncase $1 in\n-l) [ -f $t ] && cat $t || {{ echo no crontab for tester >&2; exit 1; }};;\n\
         -r) rm $t;;\n*) cat ${{1:--}} >$t.new && mv $t.new $t;;\nesac\n",
        table.display()
    );
    std::fs::write(bin.join("crontab"), script).unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.sh("chmod +x ../bin/crontab").ok();
    env
}

#[test]
fn a_crontab_that_is_removed_or_replaced_is_back() {
    let env = with_crontab();
    env.write("old", "# backups\n0 3 * * * /usr/local/bin/backup\n");
    env.write("new", "* * * * * true\n");
    env.sh("crontab old").ok();
    for line in ["crontab -r", "crontab new", "crontab - < new"] {
        env.claude_runs(line).ok();
        assert_ne!(env.sh("crontab -l").stdout, env.read("old"), "{line}");
        let out = undo(&env);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(env.sh("crontab -l").ok().stdout, env.read("old"), "{line}");
    }
    env.claude_runs("crontab -r").ok();
    env.sh("crontab new").ok();
    assert_eq!(undo(&env).code, 4, "somebody has written another one since");
    assert_eq!(env.sh("crontab -l").ok().stdout, env.read("new"));
}

#[test]
fn what_nothing_can_bring_back_is_said_before_it_runs() {
    let env = TestEnv::new();
    std::fs::create_dir_all(&env.fr_home).unwrap();
    std::fs::write(env.fr_home.join("config.toml"), "on-incomplete-capture = \"ask\"\n").unwrap();
    for line in ["mkfs.ext4 /dev/nonexistent", "wipefs -a /dev/nonexistent", "zpool destroy tank"] {
        let call = env.claude_pre(line);
        assert!(call.answer.stdout.contains("nothing can bring it back"), "{line}: {:?}", call.answer);
    }
}

/// A script of bash in a network and a file system of its own, where the tester may be root: nothing of the machine changes.
/// `None`: that is not allowed here.
fn apart(env: &TestEnv, script: &str) -> Option<Output> {
    let outer = "mount -t tmpfs none /mnt && cp -a /etc /mnt/etc && mount --bind /mnt/etc /etc && \
                 mkdir /mnt/dpkg && cp -a /var/lib/dpkg/. /mnt/dpkg && mount --bind /mnt/dpkg /var/lib/dpkg && \
                 export PATH=$PATH:/usr/sbin:/sbin && fr=fr && set -e\n";
    if env.sh("unshare -n -m true").code != 0 {
        eprintln!("skipped: no namespaces of our own here");
        return None;
    }
    env.write("script", format!("{outer}{script}"));
    Some(env.sh("unshare -n -m bash --norc script 2>&1"))
}

#[test]
fn a_flushed_packet_filter_is_back_with_all_its_chains() {
    let env = TestEnv::new();
    for (tool, look, line) in [
        ("iptables", "iptables-save | grep -v '^#' | sed 's/\\[.*//'", "iptables -F"),
        ("iptables", "iptables-save | grep -v '^#' | sed 's/\\[.*//'", "iptables -P INPUT ACCEPT"),
        ("ip6tables", "ip6tables-save | grep -v '^#' | sed 's/\\[.*//'", "ip6tables -D INPUT 1"),
        ("nft", "nft -s list ruleset", "nft flush ruleset"),
        ("nft", "nft -s list ruleset", "nft delete table inet own"),
    ] {
        if env.sh(&format!("PATH=$PATH:/usr/sbin command -v {tool}")).code != 0 {
            assert!(std::env::var("CI").is_err(), "tests/run installs {tool}");
            continue;
        }
        let fill = match tool {
            "nft" => "nft 'add table inet own; add chain inet own in { type filter hook input priority 0; policy drop; }; \
                      add rule inet own in tcp dport { 22, 443 } accept; add set inet own bad { type ipv4_addr; elements = { 10.0.0.1 }; }'"
                .to_owned(),
            tool => format!("{tool} -N LOGGED; {tool} -A INPUT -p tcp --dport 22 -j ACCEPT; {tool} -A INPUT -j LOGGED; {tool} -P INPUT DROP"),
        };
        let script = format!(
            "{fill}\n{look} >before\nfr exec -- {line}\n{look} >after\ncmp -s before after && exit 9\n\
             fr undo --yes --last 1 --actor any\n{look} >back\ncmp before back\n"
        );
        let Some(out) = apart(&env, &script) else { return };
        assert_eq!(out.code, 0, "{line}: {out:?}");
    }
}

#[test]
fn a_kernel_setting_is_set_back() {
    let env = TestEnv::new();
    let script = "sysctl -qw net.ipv4.ip_forward=0\nfr exec -- sysctl -w net.ipv4.ip_forward=1\n\
                  [ $(sysctl -n net.ipv4.ip_forward) = 1 ]\nfr undo --yes --last 1 --actor any\n[ $(sysctl -n net.ipv4.ip_forward) = 0 ]\n\
                  fr exec -- sysctl -w net.ipv4.ip_forward=1\nsysctl -qw net.ipv4.ip_forward=0\nfr undo --yes --last 1 --actor any || [ $? != 1 ]\n";
    let Some(out) = apart(&env, script) else { return };
    assert_eq!(out.code, 0, "{out:?}");
}

#[test]
fn a_user_that_is_removed_or_changed_is_back_with_password_and_groups() {
    let env = TestEnv::new();
    let look = "grep -h frtest /etc/passwd /etc/group; grep frtest /etc/shadow | cut -d: -f1-2,4-";
    for line in
        ["userdel frtest", "usermod -s /bin/sh -G '' -L frtest", "passwd -l frtest", "groupdel frtestgroup"]
    {
        let script = format!(
            "groupadd frtestgroup; useradd -M -d /srv/frtest -c 'A tester' -s /bin/bash -G frtestgroup,daemon frtest\n\
             echo 'frtest:$6$salt$hash' | chpasswd -e\n({look}) | sort >before\nfr exec -- {line}\n({look}) | sort >after\n\
             cmp -s before after && exit 9\nfr undo --yes --last 1 --actor any\n({look}) | sort >back\ndiff before back\n\
             fr diff 1 | grep -q 'salt.hash' && exit 8; true\n"
        );
        let Some(out) = apart(&env, &script) else { return };
        assert_eq!(out.code, 0, "{line}: {out:?}");
    }
    // One that the command made goes again, and a home that went with its user is back.
    let script = "fr exec -- useradd -m -d /home/frhome frhome\nfr undo --yes --last 1 --actor any || true\ngrep frhome /etc/passwd && exit 9\n\
                  rm -rf /home/frhome; mkdir -p /home; mount -t tmpfs none /home\nuseradd -m frhome; echo mine >/home/frhome/file\n\
                  fr exec -- userdel -r frhome || true\n[ ! -e /home/frhome ]\nfr undo --yes --last 1 --actor any\ncat /home/frhome/file\n\
                  [ $(stat -c %U /home/frhome) = frhome ]\n";
    let Some(out) = apart(&env, script) else { return };
    assert_eq!(out.code, 0, "{out:?}");
}

#[test]
fn a_removed_package_is_named_with_its_version() {
    let env = TestEnv::new();
    let script = "mkdir -p deb/DEBIAN && printf 'Package: fr-scratch\\nVersion: 1.2-3\\nArchitecture: all\\nMaintainer: t <t@t>\\nDescription: x\\n' >deb/DEBIAN/control\n\
                  dpkg-deb -b deb d.deb >/dev/null; dpkg -i d.deb >/dev/null\nfr exec -- dpkg -r fr-scratch\n\
                  rc=0; fr undo --yes --last 1 --actor any >said 2>&1 || rc=$?\ncat said\n[ $rc = 3 ] && grep -q 'apt-get install fr-scratch=1.2-3' said\n";
    let Some(out) = apart(&env, script) else { return };
    assert_eq!(out.code, 0, "{out:?}");
}

#[test]
fn a_disk_image_that_is_formatted_or_wiped_is_back_byte_for_byte() {
    let mut env = TestEnv::new();
    env.vars.push(("PATH".to_owned(), format!("{}:/usr/sbin:/sbin", env.path())));
    env.sh("mkdir in && head -c 2000000 /dev/urandom >in/data && truncate -s 8M disk.img && mkfs.ext4 -q -F -d in disk.img && sha256sum disk.img >sum").ok();
    for line in ["mkfs.ext4 -q -F disk.img", "wipefs -aq disk.img", "mkswap disk.img"] {
        env.claude_runs(line).ok();
        // To be read is no change, although ext4 tells what was set aside and not written as data from then on.
        env.sh("[ disk.img -nt sum ] && ! sha256sum --quiet -c sum 2>/dev/null").ok();
        let out = undo(&env);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        env.sh("sha256sum -c sum").ok();
    }
}

/// A systemctl(1) with the real one's words for the real one's questions, since no systemd runs here.
#[test]
fn a_unit_is_enabled_and_active_as_before() {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let state = env.root().join("state");
    let script = format!(
        "#!/bin/sh\ns={}\n. $s\ncase $1 in\nshow) printf 'LoadState=loaded\\nActiveState=%s\\nUnitFileState=%s\\n' $a $e;;\n\
         start) a=active;; stop) a=inactive;; enable) e=enabled;; disable) e=disabled;; mask) e=masked;; unmask) e=disabled;;\nesac\n\
         [ \"$2\" = --now ] && case $1 in disable|mask) a=inactive;; enable) a=active;; esac\necho \"a=$a e=$e\" >$s\n",
        state.display()
    );
    std::fs::write(bin.join("systemctl"), script).unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.sh("chmod +x ../bin/systemctl; echo 'a=active e=enabled' >../state").ok();
    for line in [
        "systemctl stop db",
        "systemctl disable --now db",
        "systemctl mask db",
        "sudo -n true; systemctl disable db",
    ] {
        env.claude_runs(line);
        assert_ne!(env.read("../state"), "a=active e=enabled\n", "{line}");
        let out = undo(&env);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(env.read("../state"), "a=active e=enabled\n", "{line}");
    }
}
