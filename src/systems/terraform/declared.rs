//! What a configuration says of addresses: that something is only forgotten (`removed`, `lifecycle { destroy = false }`),
//! was there before and is taken over (`import`), or is called otherwise from now on (`moved`). A state alone tells none of
//! it: what was forgotten looks as if it were destroyed, what was taken over as if the command had made it.

use std::path::PathBuf;

use serde_json::Value;

use super::fetched;
use super::hcl::{self, Block};
use super::modules;
use super::place::is_configuration;
use super::state::RootState;
use crate::error::Result;
use crate::model::ObjectSource;

/// Addresses, as the blocks of a file have them: seen from the module that the file belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Blocks {
    forgotten: Vec<String>,
    taken_over: Vec<String>,
    renamed: Vec<(String, String)>,
}

/// The names of the modules around something: `["net", "sub"]`; none for the root module.
type Path = Vec<String>;

/// What the blocks of all files say, each where it counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Declared {
    said: Vec<(Path, Blocks)>,
}

impl Declared {
    /// What the recorded configuration says.
    ///
    /// # Errors
    /// Where a recorded file cannot be read.
    pub fn of(state: &RootState, source: &dyn ObjectSource) -> Result<Declared> {
        let mut texts = Vec::new();
        for (path, id) in state.files.iter().filter(|(path, _)| is_configuration(path.as_ref())) {
            texts.push((PathBuf::from(path), String::from_utf8_lossy(&source.get(id)?).into_owned()));
        }
        let called = modules::called(&state.root(), &texts);
        let mut out = Declared::default();
        for (file, text) in &texts {
            for path in file.parent().and_then(|dir| called.get(dir)).into_iter().flatten() {
                out.said.push((path.clone(), Blocks::of(file, text, state.program == "tofu")));
            }
        }
        for file in &state.fetched {
            let text = String::from_utf8_lossy(&source.get(&file.object)?).into_owned();
            let blocks = Blocks::of(file.path.as_ref(), &text, state.program == "tofu");
            out.said.push((path_of(&file.module), blocks));
        }
        out.said.extend(renamed_by_now(state));
        Ok(out)
    }

    /// It leaves the state and goes on to exist.
    pub fn forgets(&self, address: &str) -> bool {
        let says =
            |blocks: &Blocks, own: &str| blocks.forgotten.iter().any(|named| rest(named, own).is_some());
        self.any(address, |blocks, _, own| says(blocks, own))
    }

    /// It was there before the state knew it.
    pub fn takes_over(&self, address: &str) -> bool {
        let is = |named: &String, own: &str| rest(literal(named), own).is_some();
        self.any(address, |blocks, _, own| blocks.taken_over.iter().any(|named| is(named, own)))
    }

    /// The first is called like the second from then on. A resource that gets a `count` keeps its place without a word.
    pub fn renames(&self, from: &str, to: &str) -> bool {
        let counted = |one: &str, other: &str| one.strip_suffix("[0]") == Some(other);
        let moved = |blocks: &Blocks, module: &str, own: &str| {
            let leads = |(old, new): &(String, String)| {
                rest(old, own).is_some_and(|rest| format!("{module}{new}{rest}") == to)
            };
            blocks.renamed.iter().any(leads)
        };
        counted(from, to) || counted(to, from) || self.any(from, moved)
    }

    /// True where a module around an address says something of it: of the module's part of the address, and the rest.
    fn any(&self, address: &str, says: impl Fn(&Blocks, &str, &str) -> bool) -> bool {
        let parts = parts(address);
        self.said.iter().any(|(path, blocks)| {
            parts.iter().any(|(module, own)| names_in(module) == *path && says(blocks, module, own))
        })
    }
}

/// What modules that were fetched since say of names: `terraform init -upgrade && terraform apply` fetches them only as it
/// runs. Only names: a name counts for one and the same resource, by its id; what they say of others is of no earlier command.
fn renamed_by_now(state: &RootState) -> Vec<(Path, Blocks)> {
    let files = fetched::files(&state.root(), state.data_dir.as_path()).into_iter();
    let names = |file: fetched::File| {
        let renamed = Blocks::of(&file.path, &file.text, state.program == "tofu").renamed;
        (path_of(&file.module), Blocks { renamed, ..Blocks::default() })
    };
    files.map(names).collect()
}

fn path_of(module: &str) -> Path {
    module.split('.').map(str::to_owned).collect()
}

impl Blocks {
    fn of(file: &std::path::Path, text: &str, is_tofu: bool) -> Blocks {
        let mut out = Blocks::default();
        match file.extension().is_some_and(|end| end == "json") {
            true => out.json(&serde_json::from_str(text).unwrap_or_default(), is_tofu),
            false => out.text(text, is_tofu),
        }
        out
    }

    fn text(&mut self, text: &str, is_tofu: bool) {
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

/// The names of the modules in the front of an address: `module.net["a"].module.sub.` leads through `net` and `sub`.
fn names_in(module: &str) -> Path {
    let (mut names, mut rest) = (Path::new(), module);
    while let Some(inside) = rest.strip_prefix("module.") {
        let Some(end) = end_of_name(inside) else { break };
        let (name, after) = inside.split_at(end);
        names.push(name.split('[').next().unwrap_or_default().to_owned());
        rest = after.get(1..).unwrap_or_default();
    }
    names
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

    fn at(path: &[&str], text: &str, is_tofu: bool) -> Declared {
        let mut blocks = Blocks::default();
        blocks.text(text, is_tofu);
        Declared { said: vec![(path.iter().map(|name| (*name).to_owned()).collect(), blocks)] }
    }

    /// A block speaks of its own module: what has the same name elsewhere is another resource. (Terraform took `import`
    /// blocks in the root module only until 1.11; later ones take them in others, too.)
    #[test]
    fn a_block_counts_in_the_module_that_it_stands_in() {
        let inside = at(&["m", "n"], TEXT, false);
        let there = |own: &str| format!("module.m[\"x.y\"].module.n[0].{own}");
        assert!(
            inside.forgets(&there("aws_kms_key.kept")) && inside.takes_over(&there("aws_s3_bucket.b[\"a\"]"))
        );
        assert!(inside.renames(&there("aws_x.one[\"k\"]"), &there("aws_x.two[\"k\"]")));
        assert!(inside.renames(&there("module.a.x.y"), &there("module.b.x.y")));
        for own in ["aws_kms_key.kept", "module.m.aws_kms_key.kept", "module.n.aws_kms_key.kept"] {
            assert!(!inside.forgets(own) && !at(&["o"], TEXT, false).forgets(&there(own)), "{own}");
        }
        let root = at(&[], TEXT, false);
        assert!(
            !root.forgets("module.m.aws_instance.old") && !root.takes_over("module.m.aws_s3_bucket.b[\"a\"]")
        );
        assert!(!root.renames("module.m.aws_x.one", "module.m.aws_x.two"));
    }

    #[test]
    fn blocks_say_what_becomes_of_addresses() {
        let declared = at(&[], TEXT, false);
        for forgotten in ["aws_instance.old", "aws_instance.old[0]", "aws_kms_key.kept[\"x.y\"]"] {
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
            ("aws_x.one[\"k\"]", "aws_x.two[\"k\"]"),
            ("aws_y.z", "aws_y.z[0]"),
        ] {
            assert!(declared.renames(from, to), "{from} {to}");
        }
        assert!(
            !declared.renames("aws_x.one", "aws_x.three")
                && !declared.renames("module.aa.x.y", "module.b.x.y")
        );
        let tofu = at(&[], TEXT, true);
        assert!(tofu.forgets("aws_instance.destroyed"), "OpenTofu forgets unless it is told to destroy");
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"{"removed": {"from": "a.b", "lifecycle": {"destroy": false}},
            "import": [{"to": "c.d", "id": "x"}], "moved": {"from": "e.f", "to": "e.g"}}"#;
        let mut blocks = Blocks::default();
        blocks.json(&serde_json::from_str(text).unwrap(), false);
        let declared = Declared { said: vec![(Path::new(), blocks)] };
        assert!(declared.forgets("a.b") && declared.takes_over("c.d") && declared.renames("e.f", "e.g"));
    }
}
