use super::*;
use crate::platform::home::Home;

fn key() -> (tempfile::TempDir, TagKey) {
    let dir = tempfile::tempdir().unwrap();
    let key = TagKey::load(&Home::at(dir.path()));
    (dir, key)
}

/// Redacts, with the tags blanked: `[REDACTED:flag]`.
fn shown(line: &str) -> String {
    let (_dir, key) = key();
    let text = String::from_utf8(redact(line.as_bytes(), &key)).unwrap();
    regex::Regex::new(r"\[REDACTED:([a-z0-9-]+):[0-9a-f]{8}\]")
        .unwrap()
        .replace_all(&text, "<$1>")
        .into_owned()
}

#[test]
fn structure_tells_where_the_secret_stands() {
    for (line, expected) in [
        ("mysql -uroot -phunter2 shop", "mysql -uroot -p<flag> shop"),
        ("sudo -u app mysqldump -p'hun ter2' shop > d.sql", "sudo -u app mysqldump -p'<flag>' shop > d.sql"),
        ("mysql -p shop", "mysql -p shop"),
        ("PGPASSWORD=hunter2 psql -h db", "PGPASSWORD=<assign> psql -h db"),
        ("PGPASSWORD=\"hunter 2\" psql", "PGPASSWORD=\"<assign>\" psql"),
        ("PGPASSWORD=$(pass show db) psql", "PGPASSWORD=$(pass show db) psql"),
        ("export DB_PASS=hunter2;ls", "export DB_PASS=<assign>;ls"),
        ("curl -u me:hunter2 https://x.org", "curl -u me:<flag> https://x.org"),
        ("curl -ume:hunter2 https://x.org", "curl -ume:<flag> https://x.org"),
        ("curl --user=me:hunter2 x.org", "curl --user=me:<flag> x.org"),
        ("curl -u \"me:$PW\" https://x.org", "curl -u \"me:$PW\" https://x.org"),
        ("curl -H 'Authorization: Bearer abc.def' x", "curl -H 'Authorization: Bearer <header>' x"),
        ("curl -H \"X-Api-Key: abc\" x", "curl -H \"X-Api-Key: <assign>\" x"),
        ("curl -H \"Authorization: token $T\" x", "curl -H \"Authorization: token $T\" x"),
        ("docker login -u me -p hunter2 reg.io", "docker login -u me -p <flag> reg.io"),
        ("docker run -p 80:80 -e API_TOKEN=abc x", "docker run -p 80:80 -e API_TOKEN=<assign> x"),
        ("git clone https://me:hunter2@x.org/r.git", "git clone https://me:<url>@x.org/r.git"),
        ("git clone ssh://git@x.org/r.git", "git clone ssh://git@x.org/r.git"),
        ("psql postgres://app:p%40ss@db:5432/shop", "psql postgres://app:<url>@db:5432/shop"),
        (
            "kubectl create secret generic s --from-literal=user=hunter2",
            "kubectl create secret generic s --from-literal=user=<flag>",
        ),
        (
            "aws configure set aws_secret_access_key hunter2",
            "aws configure set aws_secret_access_key <config>",
        ),
        ("terraform apply -var 'db_password=hunter2'", "terraform apply -var 'db_password=<assign>'"),
        ("mytool --api-key hunter2 --token=abc", "mytool --api-key <flag> --token=<assign>"),
        ("mytool --password-file /run/pw --ask-pass", "mytool --password-file /run/pw --ask-pass"),
        ("ssh h 'mysql -phunter2 -e \"select 1\"'", "ssh h 'mysql -p<flag> -e \"select 1\"'"),
        ("bash -c \"PGPASSWORD=hunter2 psql\"", "bash -c \"PGPASSWORD=<assign> psql\""),
        ("x=$(curl -u me:hunter2 x.org)", "x=$(curl -u me:<flag> x.org)"),
        ("sshpass -p hunter2 ssh h", "sshpass -p <flag> ssh h"),
        ("redis-cli -a hunter2 ping", "redis-cli -a <flag> ping"),
        (
            "echo '{\"user\": \"me\", \"password\": \"hunter2\"}'",
            "echo '{\"user\": \"me\", \"password\": \"<assign>\"}'",
        ),
        (
            "echo \"{\\\"token\\\":\\\"hunter2\\\"}\" | nc h 1",
            "echo \"{\\\"token\\\":\\\"<assign>\\\"}\" | nc h 1",
        ),
        (
            "helm upgrade x . --set db.password=hunter2,a.b=c",
            "helm upgrade x . --set db.password=<assign>,a.b=c",
        ),
        ("vault kv put secret/x user=hunter2 n=abc", "vault kv put secret/x user=<assign> n=<assign>"),
        ("openssl enc -aes256 -pass pass:hunter2 -in x", "openssl enc -aes256 -pass <flag> -in x"),
        ("cat > .env <<E\nTOKEN=hunter2\nE", "cat > .env <<E\nTOKEN=<assign>\nE"),
        ("cat > c.yml <<E\npassword: hunter2\nE", "cat > c.yml <<E\npassword: <assign>\nE"),
        ("echo root:hunter2 | chpasswd", "echo root:<positional> | chpasswd"),
        ("curl 'https://x.org/a?token=hunter2&b=1'", "curl 'https://x.org/a?token=<assign>&b=1'"),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for line in [
        "ls -la",
        "git commit -m 'fix token: handle null'",
        "git log --grep password",
        "kubectl get secret db -o yaml",
        "kubectl delete secret db-password",
        "grep -rn 'password' src/",
        "rm -rf token/ secrets.txt",
        "docker run -p 8080:80 nginx",
        "find . -name mysql -print",
        "cp a.key b.key",
        "ssh-keygen -t ed25519 -f ~/.ssh/id",
        "export SSH_AUTH_SOCK=/tmp/a PATH=/usr/bin",
        "[[ $TOKEN == abc ]]",
        "TOKEN=$OTHER cmd",
        "mytool --token \"$TOKEN\" --key-name ops",
        "npm run build -- --max-tokens=4096",
        "aws s3api put-object --key a/b/c --bucket x",
        "echo https://x.org:8080/a@b",
        "git checkout 3f786850e387550fdab836ed7e6dc881de23001b",
        "docker pull x@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "git push git@github.com:a/b.git",
        "PASSWORD= cmd",
        "ansible-playbook --ask-become-pass x.yml",
        "cargo test redact::tokens::tests",
    ] {
        assert_eq!(shown(line), line);
    }
}

#[test]
fn every_pattern_compiles() {
    for (id, compiles) in patterns::all() {
        assert!(compiles, "{id}");
    }
    assert!(patterns::all().len() >= 60);
}
