//! What is known by hand of the things of AWS, as data: one file per service. A kind says which operations change it, how
//! it is named and read, what of it counts, and which operations bring it back.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::snapshot::{Key, Snapshot};
use crate::model::Reversibility;

/// The files, in the order in which things are made anew.
const FILES: &[&str] = &[
    include_str!("s3.toml"),
    include_str!("ec2.toml"),
    include_str!("iam.toml"),
    include_str!("kms.toml"),
    include_str!("secretsmanager.toml"),
    include_str!("ssm.toml"),
    include_str!("dynamodb.toml"),
    include_str!("rds.toml"),
    include_str!("route53.toml"),
    include_str!("lambda.toml"),
    include_str!("messages.toml"),
    include_str!("watch.toml"),
    include_str!("compute.toml"),
    include_str!("efs.toml"),
    include_str!("cloudformation.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<Kind>,
}

/// A kind of thing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Kind {
    /// As the command line names its service.
    pub service: String,
    /// What it is called: `role`. With the service it is unique.
    pub name: String,
    /// The operations that change it.
    pub ops: Vec<String>,
    /// The parameters that name it: `RoleName`; `A|B` where operations differ, the first is what reading takes; `?` behind
    /// one that need not be there; `<` behind a name whose value is within what is meant (`SubscriptionArn<`); `:json` behind one that is a document.
    pub ids: Vec<String>,
    /// The operation that reads it.
    pub read: String,
    /// The parameter of that by which it is named, where it takes a list; `-` where only `input` names it.
    pub by: String,
    /// More parameters of that; a text `$Id` in it stands for an id.
    pub input: BTreeMap<String, Value>,
    /// Where in the answer it is (RFC 6901).
    pub at: String,
    /// Where the answer is a list of all: the field that is its id, in the list at `at`.
    pub pick: String,
    /// Codes by which the service says that it is not there.
    pub absent: Vec<String>,
    /// `/State=gone`: it is told of still, and is not there any more.
    pub gone: Vec<String>,
    /// Fields that do not count where two states are compared, at any depth.
    pub ignore: Vec<String>,
    /// Only these count.
    pub only: Vec<String>,
    /// Values that count as others: `pending=running`.
    pub same: Vec<String>,
    /// A normal form in code: `ip-permissions` (a rule per source), `newest` (a list, the newest first), `permissions` (the
    /// statements of a policy of Lambda as the calls that made them), `association` (of a table of routes, the association that
    /// the key names).
    pub normal: String,
    /// Makes it anew.
    pub make: Vec<Act>,
    /// Gives it its old values.
    pub put: Vec<Act>,
    /// Removes it.
    pub remove: Vec<Act>,
    /// It is a list, of which some are added and some are dropped.
    pub each: Option<Each>,
    /// Kinds that are read with it: they go where it goes.
    pub with: Vec<With>,
    /// What making it anew promises; giving it its old values is exact.
    pub promise: Option<Reversibility>,
    /// Why making it anew is done only where it is asked for by name.
    pub asks: String,
    /// What does not come back where it is made anew.
    pub lost: Vec<String>,
    /// Why it cannot be brought back by us, and what a person can do.
    pub by_hand: String,
    /// The resource type of EC2's tags, where it gets another id when it is made anew.
    pub tag: String,
    /// Where in its values its own id is.
    pub own: String,
    /// How it is called in the record.
    pub shown: String,
    /// What of it is another where it is made anew, for people.
    pub fresh: String,
    /// It is a part of another and comes with it: kept, and not brought back by itself.
    pub carried: bool,
    /// The service gives it to what it belongs to: that it is there although it was not is no surprise.
    pub comes: bool,
    /// What making it anew cannot do without: `kind/pointer` of what was read with it.
    pub needs: String,
    /// Makes it anew where `unless` was not kept and there is a `saved`.
    pub rescue: Vec<Act>,
    /// The kind without which it comes back empty.
    pub unless: String,
    /// The kind of what was made to save it, and what is lost then.
    pub saved: String,
    /// What does not come back where it was saved.
    pub lost_saved: Vec<String>,
    /// Parts of it that outlive it and that nothing puts back by itself.
    pub stays: Option<Stays>,
    /// What no reading shows, where an operation removes or replaces it.
    pub misses: Vec<String>,
    /// Of a list, those that count: `/Port=80`, `/Id=$InstanceId`, `/State!=gone`.
    pub which: Vec<String>,
    /// It hangs on the instance that its first id names, or on the one that was started in its place.
    pub of_instance: bool,
    /// What putting its entries back does, for people: `attach the volumes again:`.
    pub does: String,
}

/// An operation that writes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Act {
    /// The operation.
    pub op: String,
    /// Its parameters, besides the ids: `Name` (the field of that name), `Name=/pointer`, `Name=.` (all), `Name=$Id` (an id),
    /// `Name=!json` (a constant), `Name=%json` (a document in which texts are read in these ways), `Name=@kind/pointer` (of
    /// what was read with it), `Name=^/pointer` (of what is there now). Behind it `{A,B}` (only these fields), `:json` (as text), `:list` (in a list), `:counted` (only
    /// what counts), `:base64`, `:unbase64` (where it is text), `:positive` (not 0), `:name` (behind the last `/` or `:`).
    pub take: Vec<String>,
    /// Without the ids.
    pub bare: bool,
    /// Only where its old value has this: `/pointer=text`.
    pub old: String,
    /// Only where its present value has this.
    pub now: String,
    /// Only where this part of it differs.
    pub changed: String,
    /// Codes that mean that it is done already.
    pub fine: Vec<String>,
    /// Waits until its present value has this.
    pub until: String,
    /// Parameters without which it is tried once more where the service refuses: an address that is not free.
    pub spare: Vec<String>,
}

/// How the parts of a list come and go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Each {
    /// Where the list is.
    pub at: String,
    /// Adds one of them; pointers are within it.
    pub add: Act,
    /// Drops one of them.
    pub drop: Act,
    /// The fields by which two parts are one and the same.
    pub key: Vec<String>,
    /// Writes one over another that is the same; without it, adding does.
    pub over: Option<Act>,
}

/// Parts of a thing that are there still when it is gone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Stays {
    /// The list that they are in.
    pub at: String,
    /// Those of them that stay: `/Ebs/DeleteOnTermination=false`.
    pub which: Vec<String>,
    /// Where in the part and where in the thing the same has to stand.
    pub same: (String, String),
    /// Where its id is.
    pub id: String,
    /// For people; `{}` is the id.
    pub says: String,
}

impl Stays {
    /// Those of a thing, for people.
    pub fn of(&self, thing: &Value) -> Vec<String> {
        let parts = thing.pointer(&self.at).and_then(Value::as_array);
        let stays = |part: &&Value| {
            self.which.iter().all(|condition| super::shape::holds(Some(part), condition))
                && part.pointer(&self.same.0) == thing.pointer(&self.same.1)
        };
        let ids =
            parts.into_iter().flatten().filter(stays).filter_map(|part| part.pointer(&self.id)?.as_str());
        ids.map(|id| self.says.replace("{}", id)).collect()
    }
}

/// A kind that is read with another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct With {
    /// Its name: `iam:role-policies`.
    pub kind: String,
    /// Its ids: `$Id` (the other's), or a pointer into the other's values, in which `*` stands for each of a list.
    pub ids: Vec<String>,
    /// Only where the other is removed.
    pub removed: bool,
}

impl Kind {
    /// `iam:role`
    pub fn id(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// What makes the thing that is named by `key` anew.
    pub fn making(&self, before: &Snapshot, key: &Key) -> &[Act] {
        let of = |kind: &str| Key::new(kind, &[key.id(0)]);
        let is_saved = !self.saved.is_empty() && before.part(&of(&self.saved)).is_some();
        match () {
            () if is_saved && !self.rescue.is_empty() && !before.covers(&of(&self.unless)) => &self.rescue,
            () if self.make.is_empty() => &self.put,
            () => &self.make,
        }
    }

    /// What does not come back where it is made anew.
    pub fn losing(&self, before: &Snapshot, key: &Key) -> &[String] {
        let is_saved = !self.saved.is_empty() && before.part(&Key::new(&self.saved, &[key.id(0)])).is_some();
        if is_saved && !self.lost_saved.is_empty() { &self.lost_saved } else { &self.lost }
    }

    /// Its ids: the names that a parameter may have, whether it must be there, whether it is a document.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.ids.iter().map(|text| {
            let (text, is_json) = text.strip_suffix(":json").map_or((text.as_str(), false), |t| (t, true));
            let (text, is_optional) = text.strip_suffix('?').map_or((text, false), |t| (t, true));
            Parameter { names: text.split('|').collect(), is_optional, is_json }
        })
    }
}

/// A parameter that names something.
pub struct Parameter<'k> {
    /// What it is called, by operation; the first is what reading takes.
    pub names: Vec<&'k str>,
    /// It need not be there.
    pub is_optional: bool,
    /// It is a document.
    pub is_json: bool,
}

/// All kinds, in the order in which things are made anew.
pub fn all() -> &'static [Kind] {
    static ALL: OnceLock<Vec<Kind>> = OnceLock::new();
    // The files are read by a test, so none of them fails here.
    ALL.get_or_init(|| FILES.iter().filter_map(|text| read(text).ok()).flatten().collect())
}

fn read(text: &str) -> Result<Vec<Kind>, toml::de::Error> {
    toml::from_str::<File>(text).map(|file| file.kind)
}

/// A kind by its id.
pub fn by_id(id: &str) -> Option<&'static Kind> {
    all().iter().find(|kind| kind.id() == id)
}

/// Where a kind stands in the order in which things are made anew.
pub fn rank(id: &str) -> usize {
    all().iter().position(|kind| kind.id() == id).unwrap_or(usize::MAX)
}

/// The kinds that an operation changes.
pub fn of_operation(service: &str, op: &str) -> Vec<&'static Kind> {
    let is_it = |kind: &&Kind| kind.service == service && kind.ops.iter().any(|known| known == op);
    all().iter().filter(is_it).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_can_be_read_and_every_kind_is_whole() {
        let mut seen = BTreeSet::new();
        for text in FILES {
            for kind in read(text).unwrap_or_else(|e| panic!("{e}")) {
                assert!(seen.insert(kind.id()), "{} is there twice", kind.id());
                assert!(
                    !kind.ids.is_empty() && (!kind.read.is_empty() || kind.name == "object"),
                    "{}",
                    kind.id()
                );
                let acts =
                    kind.make.len() + kind.put.len() + kind.remove.len() + usize::from(kind.each.is_some());
                assert!(acts > 0 || !kind.by_hand.is_empty(), "{}", kind.id());
            }
        }
        for with in all().iter().flat_map(|kind| &kind.with) {
            assert!(by_id(&with.kind).is_some(), "{} is no kind", with.kind);
        }
    }
}
