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

/// The commands of the corpus name no secret; those few that do are listed here.
#[test]
fn the_corpus_stays_as_it_is() {
    let corpus =
        [include_str!("../../../tests/corpus/commands.tsv"), include_str!("../../../tests/corpus/more.tsv")];
    let mut changed = Vec::new();
    for row in corpus.iter().flat_map(|table| table.lines().skip(1)) {
        let Some(line) = row.split('\t').nth(1) else { continue };
        if shown(line) != line {
            changed.push(shown(line));
        }
    }
    assert_eq!(changed, [""; 0]);
}

#[test]
fn every_pattern_compiles() {
    for (id, compiles) in patterns::all() {
        assert!(compiles, "{id}");
    }
    assert!(patterns::all().len() >= 60);
}

/// Letters and digits that look random; `n` picks another stretch.
fn random(n: usize, length: usize) -> String {
    const ALPHABET: &[u8] = b"a1Bc2De3Fg4Hj5Km6Np7Qr8St9UvWxYz0";
    (0..length).map(|at| char::from(ALPHABET[(n * 7 + at * 5 + at * at) % ALPHABET.len()])).collect()
}

fn hex(n: usize, length: usize) -> String {
    (0..length).map(|at| char::from(b"0123456789abcdef"[(n + at * 7 + at * at * 3) % 16])).collect()
}

/// One made-up secret per pattern rule: the rule, what stands before it, the secret. Prefixes are put together here,
/// so that scanners of this repository have nothing to find.
fn canaries() -> Vec<(&'static str, &'static str, String)> {
    let r = random;
    let upper = |n: usize, length: usize| r(n, length).to_ascii_uppercase();
    let letters =
        |length: usize| "QwErTyUiOpAsDfGhJkLzXcVbNm".chars().cycle().take(length).collect::<String>();
    let base32 = |length: usize| "ABCDEFGH234567".chars().cycle().take(length).collect::<String>();
    let uuid = format!("{}-{}-{}-{}-{}", hex(1, 8), hex(2, 4), hex(3, 4), hex(4, 4), hex(5, 12));
    let pem = format!(
        "-----BEGIN RSA {0}-----\n{1}\n-----END RSA {0}-----",
        ["PRIVATE", "KEY"].join(" "),
        r(1, 64)
    );
    vec![
        ("private-key", "echo '", pem),
        ("age-key", "", ["AGE-SECRET-", "KEY-1", &upper(1, 58)].concat()),
        ("jwt", "", format!("eyJ{}.eyJ{}.{}", r(1, 20), r(2, 30), r(3, 40))),
        ("aws-id", "", ["AK", "IA", &base32(16)].concat()),
        ("aws-secret", "aws secret is ", r(1, 40)),
        ("aws-bedrock", "", ["AB", "SK", &r(1, 60)].concat()),
        ("gcp-key", "", ["AI", "za", &r(1, 35)].concat()),
        ("google-oauth", "", ["ya", "29.", &r(1, 60)].concat()),
        ("google-refresh", "", ["1/", "/0", &r(1, 50)].concat()),
        ("google-secret", "", ["GOC", "SPX-", &r(1, 28)].concat()),
        (
            "azure-storage",
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=",
            format!("{}==", r(1, 86)),
        ),
        ("azure-sas", "https://x.blob.core.windows.net/c?sv=1&sig=", r(1, 50)),
        ("azure-client", "", ["abc", "8Q", "~", &r(1, 34)].concat()),
        ("azure-devops", "", [&r(1, 76), "AZ", "DO", "a1b2"].concat()),
        ("github", "", ["gh", "p_", &r(1, 36)].concat()),
        ("github-fine", "", ["github", "_pat_", &r(1, 60)].concat()),
        ("gitlab", "", ["gl", "pat-", &r(1, 20)].concat()),
        ("bitbucket", "", ["AT", "BB", &r(1, 32)].concat()),
        ("atlassian", "", ["ATA", "TT3", &r(1, 60)].concat()),
        ("slack", "", ["xo", "xb-", "123456789012-", &r(1, 24)].concat()),
        ("slack-hook", "https://hooks.slack.com/services/", ["T0", "/B0/", &r(1, 24)].concat()),
        ("discord", "https://discord.com/api/webhooks/", format!("123456789012345678/{}", r(1, 68))),
        ("discord-bot", "", format!("M{}.{}.{}", r(1, 25), r(2, 6), r(3, 30))),
        ("telegram", "", format!("123456789:AA{}", r(1, 33))),
        ("teams-hook", "https://x.webhook.office.com/webhookb2/", format!("{uuid}@{uuid}")),
        ("anthropic", "", ["sk-", "ant-", "api03-", &r(1, 60)].concat()),
        ("openai", "", ["sk-", "proj-", &r(1, 60)].concat()),
        ("openrouter", "", ["sk-", "or-", "v1-", &hex(1, 28)].concat()),
        ("huggingface", "", ["h", "f_", &letters(34)].concat()),
        ("groq", "", ["gs", "k_", &r(1, 52)].concat()),
        ("xai", "", ["xa", "i-", &r(1, 80)].concat()),
        ("replicate", "", ["r", "8_", &r(1, 37)].concat()),
        ("perplexity", "", ["pp", "lx-", &r(1, 48)].concat()),
        ("langsmith", "", ["lsv2", "_pt_", &hex(1, 32), "_", &hex(2, 10)].concat()),
        ("stripe", "", ["sk", "_li", "ve_", &r(1, 24)].concat()),
        ("stripe-hook", "", ["wh", "sec_", &r(1, 32)].concat()),
        ("square", "", ["sq", "0atp-", &r(1, 22)].concat()),
        ("braintree", "", ["access_", "token$", "production$", &hex(1, 16), "$", &hex(2, 32)].concat()),
        ("shopify", "", ["shp", "at_", &hex(1, 32)].concat()),
        ("twilio", "", ["S", "K", &hex(1, 32)].concat()),
        ("sendgrid", "", ["S", "G.", &r(1, 22), ".", &r(2, 43)].concat()),
        ("mailgun", "", ["ke", "y-", &hex(1, 32)].concat()),
        ("mailchimp", "", format!("{}-us12", hex(1, 32))),
        ("brevo", "", ["xkey", "sib-", &hex(1, 64), "-", &r(1, 16)].concat()),
        ("postman", "", ["PM", "AK-", &hex(1, 24), "-", &hex(2, 34)].concat()),
        ("npm", "", ["np", "m_", &r(1, 36)].concat()),
        ("pypi", "", ["py", "pi-", &r(1, 80)].concat()),
        ("rubygems", "", ["ruby", "gems_", &hex(1, 48)].concat()),
        ("cratesio", "", ["ci", "o", &r(1, 32)].concat()),
        ("nuget", "", ["oy", "2", &r(1, 43).to_ascii_lowercase()].concat()),
        ("clojars", "", ["CLO", "JARS_", &hex(1, 60)].concat()),
        ("docker", "", ["dckr", "_pat_", &r(1, 27)].concat()),
        ("artifactory", "", ["AK", "Cp", &r(1, 69)].concat()),
        ("digitalocean", "", ["dop", "_v1_", &hex(1, 64)].concat()),
        ("databricks", "", ["da", "pi", &hex(1, 32)].concat()),
        ("vault", "", ["hv", "s.", &r(1, 90)].concat()),
        ("terraform", "", [&r(1, 14), ".atl", "asv1.", &r(2, 67)].concat()),
        ("heroku", "", ["HR", "KU-", &uuid].concat()),
        ("heroku-uuid", "heroku key ", uuid.clone()),
        ("flyio", "", ["fm", "2_", &r(1, 80)].concat()),
        ("cloudflare-ca", "", ["v1", ".0-", &hex(1, 24), "-", &hex(2, 146)].concat()),
        ("fastly", "curl -H 'Fastly-Key: ", r(1, 32)),
        ("netlify", "", ["nf", "p_", &r(1, 36)].concat()),
        ("supabase", "", ["sb", "p_", &hex(1, 40)].concat()),
        ("planetscale", "", ["pscale", "_tkn_", &r(1, 43)].concat()),
        ("doppler", "", ["dp", ".pt.", &r(1, 43)].concat()),
        ("pulumi", "", ["pu", "l-", &hex(1, 40)].concat()),
        ("linear", "", ["lin", "_api_", &r(1, 40)].concat()),
        ("notion", "", ["nt", "n_", &r(1, 46)].concat()),
        ("airtable", "", ["pa", "t", &r(1, 14), ".", &hex(1, 64)].concat()),
        ("figma", "", ["fi", "gd_", &r(1, 40)].concat()),
        ("grafana", "", ["gl", "sa_", &r(1, 32), "_", &hex(1, 8)].concat()),
        ("newrelic", "", ["NR", "AK-", &upper(1, 27)].concat()),
        ("datadog", "datadog is ", hex(1, 32)),
        ("sentry", "", ["snt", "rys_", &r(1, 80)].concat()),
        ("dynatrace", "", ["dt", "0c01.", &upper(1, 24), ".", &upper(2, 64)].concat()),
        ("sonar", "", ["sq", "p_", &hex(1, 40)].concat()),
        ("snyk", "", ["sn", "yk_", "uat.", &r(1, 40)].concat()),
        ("buildkite", "", ["bk", "ua_", &hex(1, 40)].concat()),
        ("circleci", "", ["CCI", "PAT_", &r(1, 40)].concat()),
        ("1password", "", ["op", "s_", "eyJ", &r(1, 250)].concat()),
        ("tailscale", "", ["ts", "key-", "auth-", &r(1, 12), "-", &r(2, 28)].concat()),
        ("ngrok", "ngrok is ", format!("{}_{}", r(1, 27), r(2, 21))),
        ("okta", "", ["SS", "WS ", &r(1, 42)].concat()),
        ("duffel", "", ["duf", "fel_live_", &r(1, 43)].concat()),
        ("readme", "", ["rd", "me_", &r(1, 70).to_ascii_lowercase()].concat()),
        ("typeform", "", ["tf", "p_", &r(1, 59)].concat()),
        ("easypost", "", ["EZ", "AK", &r(1, 54)].concat()),
        ("contentful", "", ["CF", "PAT-", &r(1, 43)].concat()),
        ("prefect", "", ["pn", "u_", &r(1, 36)].concat()),
        ("wireguard", "echo '[Interface]\nPrivateKey = ", format!("{}=", r(1, 43))),
        ("basic-auth", "send Basic ", format!("{}=", r(1, 39))),
        ("bearer", "send Bearer ", r(1, 40)),
        ("unix-hash", "echo '", ["$6", "$salt$", &r(1, 86)].concat()),
    ]
}

#[test]
fn every_pattern_has_a_canary_and_the_canary_goes() {
    let (_dir, key) = key();
    let canaries = canaries();
    for (id, _) in patterns::all() {
        assert!(canaries.iter().any(|(rule, ..)| *rule == id), "no canary for {id}");
    }
    for (rule, before, secret) in canaries {
        // The scheme word of a header value may stay readable; the rest must not.
        let bare = secret.rsplit(' ').next().unwrap().as_bytes();
        for after in ["", " x", "'", "\"", "\n", ",", ";y", "\\n"] {
            let line = format!("run {before}{secret}{after}");
            let out = redact(line.as_bytes(), &key);
            let shown = String::from_utf8_lossy(&out).into_owned();
            assert!(memchr::memmem::find(&out, bare).is_none(), "{rule} stays: {shown}");
            assert!(shown.contains("[REDACTED:"), "{rule}: {shown}");
            let half = &bare[bare.len() / 2..];
            assert!(memchr::memmem::find(&out, half).is_none(), "half of {rule} stays: {shown}");
            assert_eq!(redact(&out, &key), out, "{rule}: not idempotent: {shown}");
        }
    }
}

#[test]
fn each_canary_is_found_by_its_own_rule() {
    for (rule, before, secret) in canaries() {
        let line = format!("run {before}{secret}");
        let mut spans = Vec::new();
        patterns::find(line.as_bytes(), &mut spans);
        assert!(spans.iter().any(|span| span.rule == rule), "{rule}: {spans:?}");
    }
}

#[test]
fn equal_secrets_share_a_tag() {
    let (_dir, key) = key();
    let out = String::from_utf8(redact(b"A_TOKEN=hunter2 B_TOKEN=hunter2 C_TOKEN=other", &key)).unwrap();
    let tags: Vec<&str> = out.split("[REDACTED:assign:").skip(1).map(|rest| &rest[..8]).collect();
    assert_eq!(tags[0], tags[1]);
    assert_ne!(tags[0], tags[2]);
}

#[test]
fn environment_values_go_by_their_name() {
    let (_dir, key) = key();
    assert!(redact_env("GITHUB_TOKEN", b"anything", &key).starts_with(b"[REDACTED:env:"));
    assert_eq!(redact_env("PATH", b"/bin", &key), b"/bin");
    let again = redact_env("GITHUB_TOKEN", &redact_env("GITHUB_TOKEN", b"anything", &key), &key);
    assert_eq!(again, redact_env("GITHUB_TOKEN", b"anything", &key));
    assert!(!redact_env("DATABASE_URL", b"pg://a:hunter2@h/d", &key).windows(7).any(|w| w == b"hunter2"));
}

#[test]
fn harmless_lines_compile_and_make_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("fr"));
    assert_eq!(redact(b"ls -la && git status", &TagKey::load(&home)), b"ls -la && git status");
    assert!(!home.root.exists(), "no key was made");
}

#[test]
fn hostile_size_takes_linear_time() {
    let (_dir, key) = key();
    let mut worst = (std::time::Duration::ZERO, "");
    for unit in [
        "token='",
        "password=\"",
        "'",
        "\"a ",
        "a=",
        "://x@",
        "[REDACTED:",
        "-p ",
        "key: {",
        "eyJ",
        "`",
        "\\",
    ] {
        let start = std::time::Instant::now();
        let _ = redact(unit.repeat((128 << 10) / unit.len()).as_bytes(), &key);
        worst = worst.max((start.elapsed(), unit));
    }
    // An eighth of a MiB without optimisation; quadratic time would take minutes.
    assert!(worst.0.as_secs() < 8, "{worst:?}");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// One key for all cases: making one waits for the disk.
    static KEY: std::sync::LazyLock<(tempfile::TempDir, TagKey)> = std::sync::LazyLock::new(key);

    /// Pieces that rules react to, so that chance meets them.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..12),
            prop::sample::select(vec![
                "--password",
                "=",
                " ",
                "'",
                "\"",
                "\\",
                "mysql ",
                "-p",
                "curl -u ",
                ":",
                "TOKEN",
                "https://",
                "@",
                "Authorization: ",
                "Bearer ",
                "$",
                "${",
                "}",
                "[REDACTED:",
                "flag:0123abcd]",
                "]",
                "\n",
                "password: ",
                "hunter2",
                ",",
                "&",
                ";",
                "$(",
                "`",
                "eyJabcdefgh",
                ".",
                "secret",
                "\\\"",
                "{",
                "x=",
                "login ",
                "docker login -p ",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ]
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn never_panics_and_is_idempotent(line in line()) {
            let key = &KEY.1;
            let once = redact(&line, key);
            prop_assert_eq!(redact(&once, key), once.clone(), "{}", once.escape_ascii());
        }

        #[test]
        fn a_password_goes_wherever_it_stands(
            before in "[a-z ]{0,20}",
            // A comma before `name=` and the like end an item of a list; a colon is Basic's own separator.
            head in "[A-Za-z0-9!%+/@#^*?_=]{0,9}",
            tail in "[A-Za-z0-9!%+/@#^*?~._=-]{2,9}",
            form in 0usize..8,
            after in "[a-z ]{0,10}",
        ) {
            let password = format!("{head}k7{tail}");
            prop_assume!(![".pem", ".key", ".json", ".txt", ".crt", ".pub"].iter().any(|end| password.ends_with(end)));
            let line = match form {
                0 => format!("{before} ; tool --password={password} {after}"),
                1 => format!("{before} ; tool --password '{password}' {after}"),
                2 => format!("DB_PASSWORD=\"{password}\" {before}"),
                3 => format!("mysql -uroot -p'{password}' {after}"),
                4 => format!("{before} | curl -u 'me:{password}' http://x {after}"),
                5 => format!("echo '{{\"password\": \"{password}\"}}' {after}"),
                6 => format!("bash -c \"DB_TOKEN='{password}' {before}\" {after}"),
                _ => format!("curl -H 'Authorization: Bearer {password}' {after}"),
            };
            let out = redact(line.as_bytes(), &KEY.1);
            prop_assert!(memchr::memmem::find(&out, password.as_bytes()).is_none(), "{}", out.escape_ascii());
        }
    }
}
