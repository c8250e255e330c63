//! Well-known token formats, wherever they stand. Each rule has words that every match contains: a text without them
//! costs one search per word and compiles nothing.
//!
//! The formats are the issuers' own: GitHub, GitLab, AWS and others document the prefixes of their tokens so that
//! scanners can find them. Where a format has no prefix of its own, a word near it is required.

use std::sync::OnceLock;

use memchr::memmem;
use regex::bytes::Regex;

use super::Span;

/// One token format.
struct Pattern {
    /// The rule's name in the marker.
    id: &'static str,
    /// One of these stands in every match, exactly so.
    words: &'static [&'static str],
    /// The format; the first group, where there is one, is the secret.
    format: &'static str,
}

const fn pattern(id: &'static str, words: &'static [&'static str], format: &'static str) -> Pattern {
    Pattern { id, words, format }
}

/// A secret of that form has at least this many bytes; shorter texts are not searched.
const SHORTEST: usize = 16;

/// `\b`-like edges are written out: a token must not be the middle of a longer word.
const PATTERNS: &[Pattern] = &[
    pattern(
        "private-key",
        &["PRIVATE KEY"],
        r"(?s)(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z))",
    ),
    pattern("age-key", &["AGE-SECRET-KEY-1"], r"(AGE-SECRET-KEY-1[0-9A-Z]{40,})"),
    pattern("jwt", &["eyJ"], r"\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)"),
    pattern("aws-id", &["AKIA", "ASIA", "ABIA", "ACCA"], r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b"),
    pattern(
        "aws-secret",
        &["aws", "AWS"],
        r#"(?i-u)aws.{0,40}?(?:secret|key).{0,20}?[=:\s"']+([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
    ),
    pattern(
        "aws-bedrock",
        &["ABSK", "bedrock-api-key-"],
        r"\b((?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=]{40,})",
    ),
    pattern("gcp-key", &["AIza"], r"\b(AIza[0-9A-Za-z_-]{35})"),
    pattern("google-oauth", &["ya29."], r"\b(ya29\.[0-9A-Za-z_-]{20,})"),
    pattern("google-refresh", &["1//0"], r"\b(1//0[0-9A-Za-z_-]{30,})"),
    pattern("google-secret", &["GOCSPX-"], r"\b(GOCSPX-[0-9A-Za-z_-]{24,})"),
    pattern(
        "azure-storage",
        &["AccountKey=", "SharedAccessKey="],
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})",
    ),
    pattern("azure-sas", &["sig="], r"[?&]sig=([A-Za-z0-9%+/]{40,}=*)"),
    pattern("azure-client", &["8Q~"], r"\b([A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34})"),
    pattern("azure-devops", &["AZDO"], r"\b([A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4})\b"),
    pattern("github", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"\b(gh[pousr]_[0-9A-Za-z_]{30,})"),
    pattern("github-fine", &["github_pat_"], r"\b(github_pat_[0-9A-Za-z_]{22,})"),
    pattern(
        "gitlab",
        &[
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glcbt-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glsoat-",
            "glft-",
            "GR1348941",
        ],
        r"\b((?:gl(?:pat|dt|rt|ptt|cbt|imt|agent|oas|soat|ft)-|GR1348941)[0-9A-Za-z_.-]{20,})",
    ),
    pattern("bitbucket", &["ATBB", "ATCTT3"], r"\b(AT(?:BB|CTT3)[0-9A-Za-z_=-]{24,})"),
    pattern("atlassian", &["ATATT3"], r"\b(ATATT3[0-9A-Za-z_=-]{30,})"),
    pattern(
        "slack",
        &["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe", "xapp-"],
        r"\b((?:xox[abeprs](?:\.xox[bp])?|xapp)-[0-9A-Za-z-]{10,})",
    ),
    pattern(
        "slack-hook",
        &["hooks.slack.com"],
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/)([0-9A-Za-z/_-]{20,})",
    ),
    pattern(
        "discord",
        &["discord"],
        r"(?i-u)discord(?:app)?\.com/api/webhooks/([0-9]{15,}/[0-9A-Za-z_-]{40,})",
    ),
    pattern(
        "discord-bot",
        &["."],
        r"\b([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})\b",
    ),
    pattern("telegram", &[":AA"], r"\b([0-9]{8,10}:AA[0-9A-Za-z_-]{32,34})"),
    pattern(
        "teams-hook",
        &["webhook.office.com"],
        r"webhook\.office\.com/(?:webhookb2|webhook)/([0-9a-fA-F@/A-Za-z_-]{40,})",
    ),
    pattern("anthropic", &["sk-ant-"], r"\b(sk-ant-[0-9A-Za-z_-]{16,})"),
    pattern("openai", &["sk-"], r"\b(sk-(?:proj-|svcacct-|admin-|None-)?[0-9A-Za-z_-]{32,})"),
    pattern("openrouter", &["sk-or-"], r"\b(sk-or-[0-9A-Za-z_-]{16,})"),
    pattern("huggingface", &["hf_", "api_org_"], r"\b((?:hf|api_org)_[A-Za-z]{30,})"),
    pattern("groq", &["gsk_"], r"\b(gsk_[0-9A-Za-z]{40,})"),
    pattern("xai", &["xai-"], r"\b(xai-[0-9A-Za-z_]{60,})"),
    pattern("replicate", &["r8_"], r"\b(r8_[0-9A-Za-z_-]{37,})"),
    pattern("perplexity", &["pplx-"], r"\b(pplx-[0-9A-Za-z]{40,})"),
    pattern("langsmith", &["lsv2_"], r"\b(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})"),
    pattern("stripe", &["_live_", "_test_"], r"\b((?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{10,})"),
    pattern("stripe-hook", &["whsec_"], r"\b(whsec_[0-9A-Za-z+/=]{20,})"),
    pattern("square", &["sq0", "EAAA"], r"\b(sq0(?:atp|csp|idp)-[0-9A-Za-z_-]{22,}|EAAA[0-9A-Za-z_-]{58,})"),
    pattern(
        "braintree",
        &["access_token$"],
        r"(access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32})",
    ),
    pattern("shopify", &["shpat_", "shpca_", "shppa_", "shpss_"], r"\b(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})"),
    pattern("twilio", &["SK", "AC"], r"\b((?:SK|AC)[0-9a-f]{32})\b"),
    pattern("sendgrid", &["SG."], r"\b(SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,})"),
    pattern("mailgun", &["key-", "pubkey-"], r"\b((?:pub)?key-[0-9a-f]{32})\b"),
    pattern("mailchimp", &["-us"], r"\b([0-9a-f]{32}-us[0-9]{1,2})\b"),
    pattern("brevo", &["xkeysib-", "xsmtpsib-"], r"\b(x(?:key|smtp)sib-[0-9a-f]{64}-[0-9A-Za-z]{16})"),
    pattern("postman", &["PMAK-"], r"\b(PMAK-[0-9a-f]{24}-[0-9a-f]{34})"),
    pattern("npm", &["npm_"], r"\b(npm_[0-9A-Za-z]{36,})"),
    pattern("pypi", &["pypi-"], r"\b(pypi-[0-9A-Za-z_-]{50,})"),
    pattern("rubygems", &["rubygems_"], r"\b(rubygems_[0-9a-f]{48})"),
    pattern("cratesio", &["cio"], r"\b(cio[0-9A-Za-z]{32})\b"),
    pattern("nuget", &["oy2"], r"\b(oy2[a-z0-9]{43})\b"),
    pattern("clojars", &["CLOJARS_"], r"\b(CLOJARS_[0-9a-f]{60})"),
    pattern("docker", &["dckr_pat_", "dckr_oat_"], r"\b(dckr_[po]at_[0-9A-Za-z_-]{20,})"),
    pattern("artifactory", &["AKCp", "cmVmdGtuO"], r"\b(AKCp[0-9A-Za-z]{60,}|cmVmdGtuO[0-9A-Za-z]{50,})"),
    pattern("digitalocean", &["dop_v1_", "doo_v1_", "dor_v1_"], r"\b(do[opr]_v1_[0-9a-f]{64})"),
    pattern("databricks", &["dapi"], r"\b(dapi[0-9a-f]{32}(?:-[0-9]+)?)\b"),
    pattern("vault", &["hvs.", "hvb.", "hvr."], r"\b(hv[sbr]\.[0-9A-Za-z_-]{20,})"),
    pattern("terraform", &[".atlasv1."], r"\b([0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,})"),
    pattern("heroku", &["HRKU-"], r"\b(HRKU-[0-9A-Za-z_-]{36,})"),
    pattern(
        "heroku-uuid",
        &["heroku", "HEROKU"],
        r"(?i-u)heroku.{0,30}?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    ),
    pattern(
        "flyio",
        &["FlyV1 ", "fm1_", "fm2_", "fo1_"],
        r"((?:FlyV1 )?f(?:m[12]|o1)_[0-9A-Za-z+/=_,-]{40,})",
    ),
    pattern("cloudflare-ca", &["v1.0-"], r"\b(v1\.0-[0-9a-f]{24}-[0-9a-f]{146})"),
    pattern(
        "fastly",
        &["Fastly-Key", "fastly", "FASTLY"],
        r#"(?i-u)fastly.{0,20}?[=:\s"']+([0-9A-Za-z_-]{32})\b"#,
    ),
    pattern("netlify", &["nfp_"], r"\b(nfp_[0-9A-Za-z]{36,})"),
    pattern("supabase", &["sbp_", "sb_secret_"], r"\b(sbp_[0-9a-f]{40}|sb_secret_[0-9A-Za-z_-]{20,})"),
    pattern("planetscale", &["pscale_"], r"\b(pscale_(?:tkn|oauth|pw)_[0-9A-Za-z_.=-]{32,})"),
    pattern("doppler", &["dp."], r"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]+\.)?[0-9A-Za-z]{40,44})"),
    pattern("pulumi", &["pul-"], r"\b(pul-[0-9a-f]{40})\b"),
    pattern("linear", &["lin_api_", "lin_oauth_"], r"\b(lin_(?:api|oauth)_[0-9A-Za-z]{32,})"),
    pattern("notion", &["ntn_", "secret_"], r"\b(ntn_[0-9A-Za-z]{40,}|secret_[0-9A-Za-z]{43})\b"),
    pattern("airtable", &["pat"], r"\b(pat[0-9A-Za-z]{14}\.[0-9a-f]{64})"),
    pattern("figma", &["figd_"], r"\b(figd_[0-9A-Za-z_-]{30,})"),
    pattern(
        "grafana",
        &["glc_", "glsa_"],
        r"\b(glc_[0-9A-Za-z+/=]{32,}|glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8})",
    ),
    pattern("newrelic", &["NRAK-", "NRJS-", "NRAL"], r"\b(NR(?:AK|JS)-[0-9A-Za-z]{19,}|[0-9a-f]{36}NRAL)"),
    pattern(
        "datadog",
        &["datadog", "DD_", "DATADOG"],
        r#"(?-u)(?i:datadog|dd_).{0,30}?[=:\s"']+([0-9a-f]{32}(?:[0-9a-f]{8})?)\b"#,
    ),
    pattern("sentry", &["sntrys_", "sntryu_"], r"\b(sntry[su]_[0-9A-Za-z+/=_-]{40,})"),
    pattern("dynatrace", &["dt0"], r"\b(dt0[a-z][0-9]{2}\.[0-9A-Z]{24}\.[0-9A-Z]{64})"),
    pattern("sonar", &["squ_", "sqp_", "sqa_"], r"\b(sq[upa]_[0-9a-f]{40})"),
    pattern("snyk", &["snyk_"], r"\b(snyk_[a-z]+\.[0-9A-Za-z_.-]{30,})"),
    pattern("buildkite", &["bkua_"], r"\b(bkua_[0-9a-f]{40})"),
    pattern("circleci", &["CCIPAT_", "CCIPRJ_"], r"\b(CCIP(?:AT|RJ)_[0-9A-Za-z_]{20,})"),
    pattern("1password", &["ops_eyJ"], r"\b(ops_eyJ[0-9A-Za-z+/=_-]{100,})"),
    pattern("tailscale", &["tskey-"], r"\b(tskey-[a-z]+-[0-9A-Za-z]{8,}-[0-9A-Za-z]{16,})"),
    pattern("ngrok", &["ngrok"], r"(?i-u)ngrok.{0,30}?\b([0-9A-Za-z]{27}_[0-9A-Za-z]{21})\b"),
    pattern("okta", &["SSWS "], r"SSWS ([0-9A-Za-z_-]{30,})"),
    pattern("duffel", &["duffel_"], r"\b(duffel_(?:live|test)_[0-9A-Za-z_=-]{43})"),
    pattern("readme", &["rdme_"], r"\b(rdme_[0-9a-z]{70})"),
    pattern("typeform", &["tfp_"], r"\b(tfp_[0-9A-Za-z_.=-]{59})"),
    pattern("easypost", &["EZAK", "EZTK"], r"\b(EZ[AT]K[0-9A-Za-z]{54})"),
    pattern("contentful", &["CFPAT-"], r"\b(CFPAT-[0-9A-Za-z_-]{43})"),
    pattern("prefect", &["pnu_"], r"\b(pnu_[0-9A-Za-z]{36})"),
    pattern(
        "wireguard",
        &["PrivateKey", "PresharedKey"],
        r"(?:PrivateKey|PresharedKey)\s*=\s*([A-Za-z0-9+/]{43}=)",
    ),
    pattern("basic-auth", &["asic "], r"\b[Bb]asic ([A-Za-z0-9+/]{16,}={0,2})(?:[^A-Za-z0-9+/=]|$)"),
    pattern("bearer", &["earer "], r"\b[Bb]earer ([A-Za-z0-9_.~+/-]{20,}=*)"),
    pattern(
        "unix-hash",
        &["$1$", "$5$", "$6$", "$y$", "$2a$", "$2b$", "$2y$"],
        r"(\$(?:1|5|6|y|2[aby])\$[./0-9A-Za-z$=,]{20,})",
    ),
];

static COMPILED: [OnceLock<Option<Regex>>; PATTERNS.len()] = [const { OnceLock::new() }; PATTERNS.len()];

/// Adds all tokens of known form.
pub fn find(text: &[u8], spans: &mut Vec<Span>) {
    if text.len() < SHORTEST {
        return;
    }
    for (pattern, compiled) in PATTERNS.iter().zip(&COMPILED) {
        if !pattern.words.iter().any(|word| memmem::find(text, word.as_bytes()).is_some()) {
            continue;
        }
        let Some(regex) = compiled.get_or_init(|| compile(pattern.format)) else { continue };
        for found in regex.captures_iter(text) {
            if let Some(secret) = found.get(1) {
                spans.push(Span { start: secret.start(), end: secret.end(), rule: pattern.id });
            }
        }
    }
}

/// The formats are constants; a test compiles every one of them.
fn compile(format: &str) -> Option<Regex> {
    regex::bytes::RegexBuilder::new(format).unicode(false).size_limit(4 << 20).build().ok()
}

/// The names of all rules, and whether each compiles.
#[cfg(test)]
pub fn all() -> Vec<(&'static str, bool)> {
    PATTERNS.iter().map(|pattern| (pattern.id, compile(pattern.format).is_some())).collect()
}
