//! Where a webhook may go: to this machine, or to a host that the user's settings name. A playbook alone cannot send
//! anything out.

use crate::error::{Error, Result};

/// The host of a URL that a message may be posted to.
///
/// # Errors
/// Where it is no plain URL, or of a host that is not allowed.
pub fn host<'u>(url: &'u str, allowed: &[String]) -> Result<&'u str> {
    let wrong = |why: &str| Error::failure(format!("this webhook is not used: {why}"));
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or_else(|| wrong("its URL begins with neither http:// nor https://"))?;
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"\\'<>`{}".contains(&b);
    if !url.bytes().all(is_plain) {
        return Err(wrong("there are other signs in its URL than a URL has"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map(|(host, _)| host).unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    // With a name before an @, what stands there looks like the host.
    if authority.contains('@') || host.is_empty() {
        return Err(wrong("its URL names no host, or a user"));
    }
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "::1");
    if is_here || allowed.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return Ok(host);
    }
    Err(wrong(&format!("{host} is neither this machine nor in the settings"))
        .hint(format!("`fr config set playbook.webhook-hosts {host}` allows it")))
}

/// What curl reads as its settings, so that neither URL nor text stands in a process list (curl(1), --config).
pub fn settings(url: &str, body: &str, seconds: u64) -> String {
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c => out.push(c),
            }
        }
        out.push('"');
        out
    };
    format!(
        "url = {}\nheader = \"Content-Type: application/json\"\ndata-raw = {}\nmax-time = {seconds}\nsilent\nshow-error\n\
         fail\ngloboff\nproto = \"=http,https\"\n",
        quoted(url),
        quoted(body)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_here_unless_the_settings_say_so() {
        let allowed = ["hooks.example.org".to_owned()];
        for good in [
            "http://127.0.0.1:8080/x",
            "http://localhost/",
            "http://[::1]:1/x",
            "https://hooks.example.org/T/B?x=1",
        ] {
            assert!(host(good, &allowed).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org/",
            "http://127.0.0.1@example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost\\@example.org/",
            "http://localhost\n/",
            "file:///etc/passwd",
            "ftp://localhost/",
            "http://",
            "https://[::2]/",
            "http://localhost/{a,b}",
            "http://хук/",
        ] {
            assert!(host(bad, &allowed).is_err(), "{bad}");
        }
    }
}
