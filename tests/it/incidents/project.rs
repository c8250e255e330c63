//! The project of the table: all at once that a real one may hold and that is lost in other ways than a plain file is.

use std::os::unix::net::UnixListener;

use crate::env::TestEnv;

/// Files of every kind. Names are bytes: a newline, a name in latin-1, a leading dash, what a shell would expand, 240 bytes.
const FILES: &str = r#"
    mkdir -p src/deep docs old images 'odd names' web
    for n in $(seq 150); do printf 'pub fn f%d() {}\n' $n > src/deep/gen_$n.rs; done
    printf 'one\ntwo\nthree\n' > src/main.rs; printf 'lib\n' > src/lib.rs; printf 'guide\n' > docs/guide.md
    printf 'faq\n' > docs/faq.md; printf 'a=1\nb=2\n' > config.yml; printf 'x\n' > old/x; ln old/x old/hard; ln old/x old/third
    printf 'never write here\r\nCRLF\r\n' > docs/crlf.txt; head -c 70000 /dev/urandom > images/logo.bin
    : > docs/nothing; printf 'no newline at the end' > docs/unended
    for name in 'with space' $'new\nline' $'caf\xe9' -rf "quo'te\"s" '$(touch pwned)' '*' 'back\slash' $'\ttab' '~' "$(printf 'n%.0s' $(seq 240))"
    do printf '%s\n' "$name" > "odd names/$name"; done
    printf 'odd\n' > -rf; printf 'odd\n' > $'top\nnew\xff.txt'; printf 'odd\n' > 'a note.txt'
    ln -s src current; ln -s docs/guide.md readme; ln -s nowhere/at/all dangling; ln -s "$PWD/../outside/keep" away
    ln -s $'caf\xe9' 'odd names/link to latin'
    printf 'all:\n\t@echo built\nclean:\n\trm -rf src docs/guide.md && echo cleaned > config.yml\n' > Makefile
    printf '#!/bin/sh\nset -e\nrm -rf web docs\nmkdir web\necho new > web/index.html\ntar cf release.tar web\n' > deploy.sh
    printf '<p>old</p>\n' > web/index.html; chmod 755 deploy.sh; printf '.env\nbuild/\n*.log\n' > .gitignore
    printf '{"name":"p","scripts":{"deploy":"./deploy.sh"}}\n' > package.json
"#;

/// Three branches, tags of both kinds, a note, a hook, a remote in which a colleague has pushed what nobody here has fetched.
const HISTORY: &str = r#"
    git init -q; git config core.quotePath true; git add .; git commit -qm one
    printf 'four\n' >> src/main.rs; git commit -qam two; git tag light; git tag -a v1 -m 'first release'
    git init -q --bare ../remote.git; git remote add origin "$(cd ..; pwd)/remote.git"; git push -q -u origin main
    git branch topic; git checkout -q -b feature HEAD~1; printf 'f\n' > src/feature.rs; git add .; git commit -qm feature
    printf 'g\n' >> src/feature.rs; git commit -qam 'feature, more'; git push -q -u origin feature; git checkout -q main
    git notes add -m 'looked at by a person' HEAD; printf '#!/bin/sh\nexit 0\n' > .git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit
    git clone -q ../remote.git ../colleague; (cd ../colleague; printf 'c\n' > theirs.txt; git add .; git commit -qm 'only on the remote'; git push -q)
    rm -rf ../colleague; git config alias.st status; printf '*.swp\n' >> .git/info/exclude
    printf 'stashed first\n' >> docs/guide.md; git stash push -q -m older
    printf 'stashed second\n' >> config.yml; printf 'u\n' > untracked-in-stash; git stash push -q -u -m newer
"#;

/// Changes in all the places that git knows: staged, staged and changed again, taken out of the index, a mode, untracked, ignored.
const DIRTY: &str = r#"
    printf 'staged\n' > staged.txt; git add staged.txt; printf 'staged\n' >> src/main.rs; git add src/main.rs
    printf 'and not staged\n' >> src/main.rs; git rm -q --cached docs/faq.md; git update-index --chmod=+x docs/guide.md
    printf 'c=3\n' >> config.yml; git update-index --assume-unchanged src/lib.rs
    printf 'SECRET=1\n' > .env; mkdir build; printf 'obj\n' > build/out.o; printf 'log\n' > debug.log; printf 'mine\n' > untracked.txt
    git rm -q --cached $'odd names/caf\xe9' $'top\nnew\xff.txt' ./-rf; printf 'u\n' > $'odd names/\xfe\xff untracked'
"#;

/// What is beside the bytes: holes, FIFO, modes, attributes, ACLs, times in nanoseconds. Then a place outside of the project.
const METADATA: &str = r#"
    mkdir -p run secrets shared empty/nested/deeper build/cache; truncate -s 64M images/disk.img; printf 'head' | dd of=images/disk.img conv=notrunc status=none
    printf 'tail' | dd of=images/disk.img bs=1M seek=40 conv=notrunc status=none
    mkfifo run/pipe; printf 'key\n' > secrets/key; chmod 400 secrets/key; chmod 700 secrets; chmod 2775 shared; chmod 640 docs/guide.md
    printf 's\n' > shared/file; chmod 1777 empty/nested
    setfattr -n user.note -v 'kept by a person' config.yml; setfattr -n user.raw -v 0x00ff0a docs; setfattr -n user.note -v x images/disk.img
    setfacl -m u:1234:rw docs/guide.md; setfacl -d -m g:1234:rx shared
    mkdir -p ../outside/keep/deep "../outside/odd"$'\n'"caf"$'\xe9'; printf 'precious\n' > ../outside/keep/deep/file; printf 'data\n' > ../outside/keep/data.db
    printf 'o\n' > "../outside/odd"$'\n'"caf"$'\xe9/-f'; for n in $(seq 40); do printf '%d\n' $n > ../outside/keep/row_$n; done
    ln ../outside/keep/data.db ../outside/keep/data.same; chmod 600 ../outside/keep/data.db
    printf '%s\n' ../outside/keep/deep ../outside/keep/row_9 > list.txt
    [ "$(id -u)" != 0 ] || chown 1234:5678 old/x images/logo.bin ../outside/keep/row_7
    touch -h -d '2001-02-03 04:05:06.123456789' src/lib.rs images/disk.img current dangling run/pipe ../outside/keep/row_9
    touch -d '1999-12-31 23:59:59.999999999' empty/nested/deeper docs/guide.md
    touch -d '2010-01-01 00:00:00.5' images docs src/deep empty ../outside/keep
"#;

/// A fresh world whose project holds all of it. A harmless command has made the store already.
pub fn project() -> TestEnv {
    project_with("")
}

/// The same with more in it.
pub fn project_with(more: &str) -> TestEnv {
    let env = TestEnv::new();
    for part in [FILES, HISTORY, DIRTY, METADATA, more] {
        env.sh(&format!("set -e\n{part}")).ok();
    }
    // Closed at once: what a killed server leaves behind.
    drop(UnixListener::bind(env.project.join("run/agent.sock")).unwrap());
    env.sh("touch -d '2010-01-01 00:00:00.5' run").ok();
    env.claude_runs("ls").ok();
    env
}
