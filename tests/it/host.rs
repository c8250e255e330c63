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
        "#!/bin/sh\nt={}\n[ $1 = -u ] && t=$t.$2 && shift 2\ncase $1 in\n-e) $EDITOR $t;;\n-l) [ -f $t ] && cat $t || {{ echo no crontab for tester >&2; exit 1; }};;\n\
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
fn a_crontab_that_an_editor_changes_or_that_is_another_users_is_back() {
    let env = with_crontab();
    env.write("old", "0 3 * * * /usr/local/bin/backup\n");
    env.sh("crontab old; crontab -u postgres old").ok();
    env.claude_runs("EDITOR='sed -i s/3/4/' crontab -e").ok();
    assert!(env.sh("crontab -l").stdout.starts_with("0 4"), "an editor wrote it");
    let out = undo(&env);
    assert_eq!((out.code, env.sh("crontab -l").stdout), (0, env.read("old")), "{out:?}");
    // sudo would find the machine's own crontab(1): what it is told to do is done by hand.
    for line in ["sudo -u postgres crontab -r", "sudo -n --user=postgres crontab -r"] {
        let call = env.claude_pre(line);
        env.sh("crontab -u postgres -r").ok();
        env.claude_post(&call);
        let out = undo(&env);
        assert_eq!(
            (out.code, env.sh("crontab -u postgres -l").stdout),
            (0, env.read("old")),
            "{line}: {out:?}"
        );
    }
    let call = env.claude_pre("su - postgres -c 'crontab -r'");
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""));
    assert!(event(&env).to_string().contains("as whom"), "{:#}", event(&env));
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
        (
            "iptables",
            "iptables-save | grep -v '^#' | sed 's/\\[.*//'",
            "iptables --flu INPUT && iptables --delete-chain LOGGED",
        ),
        (
            "iptables",
            "iptables-save -t filter | sed '/^#/d; s/\\[.*//'; iptables-save | grep '^-A\\|^:.* [-D]' | sed 's/\\[.*//'",
            "iptables -t nat -A POSTROUTING -j MASQUERADE && iptables -F && iptables -t mangle -N OWN",
        ),
        (
            "iptables",
            "iptables-save | grep -v '^#' | sed 's/\\[.*//'",
            "iptables-restore < /dev/null; iptables-restore < empty",
        ),
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
            "printf '*filter\\nCOMMIT\\n' >empty\n{fill}\n{look} >before\nfr exec -c '{line}'\n{look} >after\ncmp -s before after && exit 9\n\
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
    let look = "grep -h 'frtest\\|other' /etc/passwd /etc/group; grep 'frtest\\|other' /etc/shadow";
    for line in [
        "userdel frtest",
        "usermod -s /bin/sh -G '' -L frtest",
        "passwd -l frtest",
        "groupdel frtestgroup",
        "usermod -l other frtest",
        "groupmod -n frtestother frtestgroup",
        "gpasswd -d frtest frtestgroup",
        "deluser --quiet frtest frtestgroup",
        "chage -E 2030-01-01 -d 0 frtest",
        "chsh -s /bin/sh frtest",
        "usermod -l other -u 4242 -d /srv/other frtest",
        "userdel frtest && groupdel frtestgroup",
        "userdel frtest && useradd -M -N -u 4242 -g daemon frtest",
        "usermod -aG adm frtest && passwd -d frtest",
        "usermod -s /bin/sh frtest && gpasswd -d frtest frtestgroup",
        "gpasswd -d frtest frtestgroup; usermod -s /bin/sh -G adm frtest; gpasswd -a frtest frtestgroup",
        "gpasswd -M frtest,frtestmate frtestgroup && usermod -L -G '' frtest",
        "usermod -l other frtest && gpasswd -d other frtestgroup",
        "gpasswd -a frtestmate frtestgroup && userdel frtest",
    ] {
        let tool = line.split(' ').next().unwrap();
        if env.sh(&format!("PATH=$PATH:/usr/sbin command -v {tool}")).code != 0 {
            continue;
        }
        let script = format!(
            "groupadd frtestgroup; useradd -M -N frtestmate; useradd -M -d /srv/frtest -c 'A tester' -s /bin/bash -G frtestgroup,daemon frtest\n\
             echo 'frtest:$6$salt$hash' | chpasswd -e\n({look}) | sort >before\nfr exec -c \"{line}\"\n({look}) | sort >after\n\
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
        "#!/bin/sh\ns={}\n[ $1 = --user ] && s=$s.user && shift\n. $s\ncase $1 in\nshow) printf 'LoadState=loaded\\nActiveState=%s\\nUnitFileState=%s\\n' $a $e;;\n\
         start) a=active;; stop) a=inactive;; enable) e=enabled;; disable) e=disabled;; mask) e=masked;; unmask) e=disabled;;\nesac\n\
         [ \"$2\" = --now ] && case $1 in disable|mask) a=inactive;; enable) a=active;; esac\necho \"a=$a e=$e\" >$s\n",
        state.display()
    );
    std::fs::write(bin.join("systemctl"), script).unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.sh("chmod +x ../bin/systemctl; echo 'a=active e=enabled' | tee ../state ../state.user").ok();
    for line in [
        "systemctl stop db",
        "systemctl disable --now db",
        "systemctl mask db",
        "sudo -n true; systemctl disable db",
        "systemctl --user stop db",
        "systemctl --user disable --now db && systemctl stop db",
    ] {
        let both = || env.read("../state") + &env.read("../state.user");
        env.claude_runs(line);
        assert_ne!(both(), "a=active e=enabled\na=active e=enabled\n", "{line}");
        let out = undo(&env);
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(both(), "a=active e=enabled\na=active e=enabled\n", "{line}");
    }
    for line in [
        "systemctl -M box stop db",
        "systemctl set-property db CPUQuota=1%",
        "systemctl --root=/mnt disable db",
    ] {
        env.claude_pre(line);
        assert!(event(&env).to_string().contains("was not captured"), "{line}: {:#}", event(&env));
    }
}
