//! What a configuration says of addresses: that something is only forgotten (`removed`, `lifecycle { destroy = false }`),
//! was there before and is taken over (`import`), or is called otherwise from now on (`moved`). A state alone tells none of
//! it: what was forgotten looks as if it were destroyed, what was taken over as if the command had made it.

use serde_json::Value;

use super::hcl::{self, Block};
use super::state::RootState;
use crate::error::Result;
use crate::model::ObjectSource;

/// Addresses, as the blocks have them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Declared {
    forgotten: Vec<String>,
    taken_over: Vec<String>,
    renamed: Vec<(String, String)>,
}

impl Declared {
    /// What the recorded configuration says.
    ///
    /// # Errors
    /// Where a recorded file cannot be read.
    pub fn of(state: &RootState, source: &dyn ObjectSource) -> Result<Declared> {
        let mut out = Declared::default();
        let is_tofu = state.program == "tofu";
        for (path, id) in &state.files {
            let is_json = path.ends_with(".tf.json") || path.ends_with(".tofu.json");
            if !is_json && !path.ends_with(".tf") && !path.ends_with(".tofu") {
                continue;
            }
            let bytes = source.get(id)?;
            match is_json {
                true => out.json(&serde_json::from_slice(&bytes).unwrap_or_default(), is_tofu),
                false => out.blocks(&String::from_utf8_lossy(&bytes), is_tofu),
            }
        }
        Ok(out)
    }

    fn blocks(&mut self, text: &str, is_tofu: bool) {
        for Block { kind, labels, body } in hcl::blocks(text) {
            let at = |name: &str| hcl::attribute(body, name);
            let inner = hcl::blocks(body);
            let lifecycle = inner.iter().find(|inner| inner.kind == "lifecycle");
            let destroy = lifecycle.and_then(|lifecycle| hcl::attribute(lifecycle.body, "destroy"));
            match (kind.as_str(), labels.as_slice()) {
                ("import", []) => self.taken_over.extend(at("to")),
                ("moved", []) => self.renamed.extend(at("from").zip(at("to"))),
                ("removed", []) => self.removed(at("from"), destroy.as_deref(), is_tofu),
                ("resource", [kind, name]) if destroy.as_deref() == Some("false") => {
                    self.forgotten.push(format!("{kind}.{name}"));
                }
                _ => {}
            }
        }
    }

    fn json(&mut self, configuration: &Value, is_tofu: bool) {
        let each = |name: &str| -> Vec<&Value> {
            match configuration.get(name) {
                Some(Value::Array(all)) => all.iter().collect(),
                Some(one) => vec![one],
                None => Vec::new(),
            }
        };
        let text = |value: &Value, at: &str| value.get(at).and_then(Value::as_str).map(str::to_owned);
        self.taken_over.extend(each("import").into_iter().filter_map(|one| text(one, "to")));
        self.renamed
            .extend(each("moved").into_iter().filter_map(|one| text(one, "from").zip(text(one, "to"))));
        for one in each("removed") {
            let lifecycle = one.get("lifecycle").map(|l| l.get(0).unwrap_or(l));
            let destroy = lifecycle.and_then(|l| l.get("destroy")).map(Value::to_string);
            self.removed(text(one, "from"), destroy.as_deref(), is_tofu);
        }
    }

    /// Terraform destroys unless it is told not to (developer.hashicorp.com, "Remove a resource from state"), OpenTofu
    /// forgets unless it is told to destroy (opentofu.org, "Removing Resources").
    fn removed(&mut self, from: Option<String>, destroy: Option<&str>, is_tofu: bool) {
        if destroy == Some("false") || (is_tofu && destroy.is_none()) {
            self.forgotten.extend(from);
        }
    }

    /// It leaves the state and goes on to exist.
    pub fn forgets(&self, address: &str) -> bool {
        self.forgotten.iter().any(|named| parts(address).iter().any(|(_, own)| rest(named, own).is_some()))
    }

    /// It was there before the state knew it.
    pub fn takes_over(&self, address: &str) -> bool {
        self.taken_over.iter().any(|named| rest(literal(named), address).is_some())
    }

    /// The first is called like the second from then on. A resource that gets a `count` keeps its place without a word.
    pub fn renames(&self, from: &str, to: &str) -> bool {
        let says = |(old, new): &(String, String)| {
            let moved = |(module, own): &(&str, &str)| {
                rest(old, own).is_some_and(|rest| format!("{module}{new}{rest}") == to)
            };
            parts(from).iter().any(moved)
        };
        let counted = |one: &str, other: &str| one.strip_suffix("[0]") == Some(other);
        counted(from, to) || counted(to, from) || self.renamed.iter().any(says)
    }
}

/// What follows after a name in the address of something that is in it.
fn rest<'a>(named: &str, address: &'a str) -> Option<&'a str> {
    address.strip_prefix(named).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// An address without an index that is only known when it runs: `aws_s3_bucket.b[each.key]`.
fn literal(named: &str) -> &str {
    let Some((front, index)) = named.split_once('[') else { return named };
    let is_literal =
        index.starts_with('"') && !index.contains("${") || index.starts_with(|c: char| c.is_ascii_digit());
    if is_literal { named } else { front }
}

/// An address as each of the modules around it has it: the part that leads there, and the rest.
fn parts(address: &str) -> Vec<(&str, &str)> {
    let mut all = vec![("", address)];
    let (mut at, mut own) = (0, address);
    while let Some(inside) = own.strip_prefix("module.") {
        let Some(end) = end_of_name(inside) else { break };
        at += "module.".len() + end + 1;
        let (Some(module), Some(rest)) = (address.get(..at), address.get(at..)) else { break };
        all.push((module, rest));
        own = rest;
    }
    all
}

/// Where `net["a.b"].` has its dot.
fn end_of_name(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"
# removed { from = no.comment }
removed {
  from = aws_instance.old // why
  lifecycle { destroy = false }
}
removed {
  from = aws_instance.destroyed
}
import {
  to = module.db.aws_db_instance.main["eu"]
  id = "prod"
}
import {
  for_each = toset(["a"])
  to       = aws_s3_bucket.b[each.key]
  id       = each.key
}
moved {
  from = module.a
  to   = module.b
}
moved {
  from = aws_x.one
  to   = aws_x.two
}
resource "aws_kms_key" "kept" {
  description = <<-EOT
    removed { from = no.text }
    lifecycle { destroy = true }
  EOT
  policy = "{ \" } ${jsonencode({ "a" = "}" })}"
  lifecycle {
    destroy = false
  }
}
"##;

    #[test]
    fn blocks_say_what_becomes_of_addresses() {
        let mut declared = Declared::default();
        declared.blocks(TEXT, false);
        for forgotten in ["aws_instance.old", "aws_instance.old[0]", "module.m[\"x.y\"].aws_kms_key.kept"] {
            assert!(declared.forgets(forgotten), "{forgotten}");
        }
        for destroyed in ["aws_instance.destroyed", "aws_instance.older", "no.comment", "no.text"] {
            assert!(!declared.forgets(destroyed), "{destroyed}");
        }
        assert!(declared.takes_over("module.db.aws_db_instance.main[\"eu\"]"));
        assert!(declared.takes_over("aws_s3_bucket.b[\"a\"]") && !declared.takes_over("aws_s3_bucket.bb"));
        assert!(!declared.takes_over("module.db.aws_db_instance.main[\"us\"]"));
        for (from, to) in [
            ("module.a.x.y[0]", "module.b.x.y[0]"),
            ("aws_x.one", "aws_x.two"),
            ("module.m.aws_x.one[\"k\"]", "module.m.aws_x.two[\"k\"]"),
            ("aws_y.z", "aws_y.z[0]"),
        ] {
            assert!(declared.renames(from, to), "{from} {to}");
        }
        assert!(
            !declared.renames("aws_x.one", "aws_x.three")
                && !declared.renames("module.aa.x.y", "module.b.x.y")
        );
        let mut tofu = Declared::default();
        tofu.blocks(TEXT, true);
        assert!(tofu.forgets("aws_instance.destroyed"), "OpenTofu forgets unless it is told to destroy");
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"{"removed": {"from": "a.b", "lifecycle": {"destroy": false}},
            "import": [{"to": "c.d", "id": "x"}], "moved": {"from": "e.f", "to": "e.g"}}"#;
        let mut declared = Declared::default();
        declared.json(&serde_json::from_str(text).unwrap(), false);
        assert!(declared.forgets("a.b") && declared.takes_over("c.d") && declared.renames("e.f", "e.g"));
    }
}
