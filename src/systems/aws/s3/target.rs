//! Which buckets and objects a command names.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::error::Result;
use crate::model::Word;
use crate::systems::aws::cli::Cli;
use crate::systems::aws::kinds;
use crate::systems::aws::params::Params;
use crate::systems::aws::query::Query;
use crate::systems::aws::snapshot::Key;
use crate::systems::aws::words::Words;

/// Which objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All, or those whose keys begin so.
    Prefix(String),
    /// These.
    Keys(BTreeSet<String>),
    /// These, whose versions are removed with them.
    Versions(BTreeSet<String>),
}

impl Which {
    /// It is one of them.
    pub fn takes(&self, name: &str) -> bool {
        match self {
            Which::Prefix(prefix) => name.starts_with(prefix.as_str()),
            Which::Keys(names) | Which::Versions(names) => names.contains(name),
        }
    }

    /// Their keys, where they are named.
    pub fn names(&self) -> Option<&BTreeSet<String>> {
        match self {
            Which::Prefix(_) => None,
            Which::Keys(names) | Which::Versions(names) => Some(names),
        }
    }

    /// The bucket's own versions do not help.
    pub fn forgets_versions(&self) -> bool {
        matches!(self, Which::Versions(_))
    }
}

/// What a command names.
#[derive(Default)]
pub struct Targets {
    /// Settings and buckets.
    pub keys: Vec<Key>,
    /// Objects, by bucket.
    pub objects: Vec<(String, Which)>,
    /// Versions that are not the latest: bucket, key, version.
    pub versions: Vec<(String, String, String)>,
    /// What could not be found out.
    pub unknown: Vec<(String, String)>,
}

impl Targets {
    /// By the words of the command, or by what its `--dryrun` lists.
    ///
    /// # Errors
    /// Where that cannot be run.
    pub fn of(cli: &Cli, params: &Params, query: &Query) -> Result<Targets> {
        let mut out = Targets::default();
        match params.service.as_str() {
            "s3" => out.of_s3(cli, &params.op, query)?,
            _ => out.of_api(params),
        }
        Ok(out)
    }

    fn of_s3(&mut self, cli: &Cli, op: &str, query: &Query) -> Result<()> {
        let args: Vec<Word> = query.args.iter().map(|text| Word::literal(text.as_str())).collect();
        let words = Words::split(&args);
        let places: Vec<String> = words.from(2).iter().map(|w| w.text.lossy().into_owned()).collect();
        let place = |at: usize| places.get(at).map(String::as_str).unwrap_or_default();
        let recursive = words.has(&["--recursive"]);
        match op {
            "rb" => {
                let (bucket, _) = split(place(0));
                self.bucket(&bucket);
                if words.has(&["--force"]) {
                    self.objects.push((bucket, Which::Prefix(String::new())));
                }
            }
            "mb" => self.keys.push(Key::new("s3api:bucket", &[&split(place(0)).0])),
            "website" => self.keys.push(Key::new("s3api:bucket-website", &[&split(place(0)).0])),
            "rm" if recursive && !words.has(&["--exclude", "--include"]) => {
                let (bucket, prefix) = split(place(0));
                // Like the command itself: `s3://b/logs` means what is below `logs/`.
                let prefix =
                    if prefix.is_empty() || prefix.ends_with('/') { prefix } else { format!("{prefix}/") };
                self.objects.push((bucket, Which::Prefix(prefix)));
            }
            "rm" if !recursive => self.one(split(place(0))),
            "cp" | "mv" if !recursive => {
                if op == "mv" && place(0).starts_with("s3://") {
                    self.one(split(place(0)));
                }
                if place(1).starts_with("s3://") {
                    let base = place(0).rsplit('/').next().unwrap_or_default();
                    self.one(written(place(1), base));
                }
            }
            "rm" | "cp" | "mv" | "sync" => self.by_dry_run(cli, query)?,
            _ => {}
        }
        Ok(())
    }

    fn one(&mut self, (bucket, name): (String, String)) {
        if let Some((_, Which::Keys(names))) =
            self.objects.iter_mut().find(|(b, w)| *b == bucket && matches!(w, Which::Keys(_)))
        {
            names.insert(name);
        } else {
            self.objects.push((bucket, Which::Keys(BTreeSet::from([name]))));
        }
    }

    /// A bucket that goes, with all its settings.
    fn bucket(&mut self, bucket: &str) {
        let of_bucket = kinds::all().iter().filter(|kind| kind.service == "s3api" && kind.ids == ["Bucket"]);
        self.keys.extend(of_bucket.map(|kind| Key::new(&kind.id(), &[bucket])));
    }

    /// `(dryrun) delete: s3://b/k`, `(dryrun) upload: ./f to s3://b/k`, `move:`, `copy:`.
    fn by_dry_run(&mut self, cli: &Cli, query: &Query) -> Result<()> {
        let left_out = ["--quiet", "--only-show-errors", "--no-progress"];
        let mut args: Vec<OsString> =
            query.args.iter().filter(|arg| !left_out.contains(&arg.as_str())).map(OsString::from).collect();
        args.push("--dryrun".into());
        let done = cli.run(&args)?;
        let text = String::from_utf8_lossy(&done.stdout);
        let mut found = false;
        for line in text.lines() {
            let Some(line) = line.strip_prefix("(dryrun) ") else { continue };
            found = true;
            let Some((verb, rest)) = line.split_once(": ") else { continue };
            let (from, to) = match rest.rsplit_once(" to ") {
                Some((from, to)) if verb != "delete" => (from, Some(to)),
                _ => (rest, None),
            };
            if matches!(verb, "delete" | "move") && from.starts_with("s3://") {
                self.one(split(from));
            }
            if let Some(to) = to.filter(|to| to.starts_with("s3://")) {
                self.one(split(to));
            }
        }
        if done.code != 0 && !found {
            let text = String::from_utf8_lossy(&done.stderr);
            let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
            self.unknown.push(("its objects".to_owned(), format!("a dry run failed: {last}")));
        }
        Ok(())
    }

    fn of_api(&mut self, params: &Params) {
        self.keys =
            kinds::of_operation("s3api", &params.op).into_iter().flat_map(|kind| params.keys(kind)).collect();
        let (bucket, name) = (params.texts("Bucket").concat(), params.texts("Key").concat());
        let version = params.texts("VersionId").concat();
        match params.op.as_str() {
            "delete-bucket" => {
                self.keys.clear();
                self.bucket(&bucket);
            }
            "delete-object" => self.removed(&bucket, name, version),
            "delete-objects" => {
                let list =
                    params.value("Delete").and_then(|d| d.get("Objects").and_then(|o| o.as_array().cloned()));
                for object in list.unwrap_or_default() {
                    let text = |field: &str| {
                        object.get(field).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
                    };
                    self.removed(&bucket, text("Key"), text("VersionId"));
                }
                if self.objects.is_empty() {
                    self.unknown.push((
                        "the objects in --delete".to_owned(),
                        "they cannot be read from the words".to_owned(),
                    ));
                }
            }
            "put-object" | "copy-object" | "complete-multipart-upload" => self.one((bucket, name)),
            _ if self.keys.is_empty() => self
                .unknown
                .push((format!("what aws s3api {} changes", params.op), "fr does not know it".to_owned())),
            _ => {}
        }
    }

    fn removed(&mut self, bucket: &str, name: String, version: String) {
        if version.is_empty() {
            return self.one((bucket.to_owned(), name));
        }
        self.versions.push((bucket.to_owned(), name.clone(), version));
        let same = |(b, w): &&mut (String, Which)| b == bucket && matches!(w, Which::Versions(_));
        match self.objects.iter_mut().find(same) {
            Some((_, Which::Versions(names))) => drop(names.insert(name)),
            _ => self.objects.push((bucket.to_owned(), Which::Versions(BTreeSet::from([name])))),
        }
    }
}

/// `s3://bucket/key`
fn split(place: &str) -> (String, String) {
    let place = place.trim_start_matches("s3://");
    let (bucket, name) = place.split_once('/').unwrap_or((place, ""));
    (bucket.to_owned(), name.to_owned())
}

/// What a copy to a place writes: a name is added where the place is a directory.
fn written(place: &str, base: &str) -> (String, String) {
    let (bucket, name) = split(place);
    let name = if name.is_empty() || name.ends_with('/') { format!("{name}{base}") } else { name };
    (bucket, name)
}
