//! From what a script does to what has to be read before it may: tables, rows, what goes with them by foreign keys and by
//! dependence, definitions, databases.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog;
use super::query::Queries;
use super::session::Psql;
use crate::error::Result;
use crate::model::{Bytes, EffectClass, Missing};
use crate::sql::{Act, Dialect, Name, Touch};
use crate::systems::tables::{How, Number, Reach, Relation, Wish, closure};

/// What has to be read.
#[derive(Default)]
pub struct Want {
    /// Tables.
    pub tables: BTreeMap<Number, Wish>,
    /// Those that go or change as wholes: no trigger fires for their rows.
    pub quiet: BTreeSet<Number>,
    /// Names that are not there yet.
    pub absent: BTreeSet<String>,
    /// The definitions of all objects.
    pub definitions: bool,
    /// Counters by themselves.
    pub sequences: BTreeSet<Number>,
    /// Databases as wholes: name, and whether it goes.
    pub databases: Vec<(String, bool)>,
    /// What nobody reads.
    pub missing: Vec<Missing>,
    /// What is known of the tables.
    pub relations: BTreeMap<Number, Relation>,
}

struct Finder<'a> {
    psql: &'a mut Psql,
    names: catalog::Found,
    reach: Reach<'a>,
    want: Want,
    /// The largest size that is read on suspicion.
    most: u64,
}

/// Finds out.
pub fn want(psql: &mut Psql, acts: &[Act], most: u64) -> Result<Want> {
    let names: BTreeSet<String> = acts.iter().filter_map(named).map(|n| n.sql(Dialect::Postgres)).collect();
    let names = catalog::resolve(psql, &names)?;
    let touched =
        acts.iter().filter_map(named).filter_map(|n| names.get(&n.sql(Dialect::Postgres)).cloned().flatten());
    let mut uses: BTreeMap<Number, usize> = BTreeMap::new();
    touched.for_each(|(oid, _, _)| *uses.entry(oid).or_default() += 1);
    let moves_rows = |a: &Act| matches!(a.touch, Touch::Rows(_) | Touch::Table { .. } | Touch::Anything(_));
    let references = if acts.iter().any(moves_rows) { catalog::references(psql)? } else { Vec::new() };
    let relations = catalog::relations(psql, &closure(uses.keys().copied(), &references))?;
    let reach = Reach { select: &Queries, relations, references, uses, tables: BTreeMap::new() };
    let mut finder = Finder { psql, names, reach, want: Want::default(), most };
    for act in acts {
        finder.act(act)?;
    }
    finder.finish()
}

fn named(act: &Act) -> Option<&Name> {
    match &act.touch {
        Touch::Rows(rows) => Some(&rows.table),
        Touch::Table { name, .. } | Touch::Added { name, .. } | Touch::Object { name, .. }
            if !name.is_empty() =>
        {
            Some(name)
        }
        _ => None,
    }
}

impl Finder<'_> {
    fn act(&mut self, act: &Act) -> Result<()> {
        match &act.touch {
            Touch::Nothing => {}
            Touch::Rows(rows) => {
                if let Some(oid) = self.table(&rows.table) {
                    self.reach.rows(oid, rows);
                }
            }
            Touch::Table { name, cascade } => {
                let adds = (act.class == EffectClass::Overwrite).then_some(None);
                if let Some(oid) = self.table(name) {
                    self.reach.whole(oid, adds, None);
                    self.reach.follow_all(oid, *cascade);
                }
            }
            Touch::Added { name, count } => {
                if let Some(oid) = self.table(name) {
                    self.reach.add(oid, Wish { how: How::Since, adds: Some(*count), most: None });
                }
            }
            Touch::Object { kind, name, dropped, cascade } => {
                self.object(act, kind, name, *dropped, *cascade)?
            }
            Touch::Database { name, dropped } => self.want.databases.push((name.clone(), *dropped)),
            Touch::Server => {
                self.miss(&act.resource, "roles and settings belong to the server and are not kept")
            }
            Touch::Anything(why) => self.anything(&act.resource, why)?,
            Touch::Elsewhere(why) => self.miss(&act.resource, why),
        }
        Ok(())
    }

    fn miss(&mut self, what: &str, why: &str) {
        self.want.missing.push(Missing { what: Bytes::from(what), why: why.to_owned() });
    }

    /// A table whose rows can be read and put back.
    fn table(&mut self, name: &Name) -> Option<Number> {
        let (oid, kind, full) = self.names.get(&name.sql(Dialect::Postgres)).cloned().flatten()?;
        match kind {
            'r' | 'p' => Some(oid),
            'v' => {
                self.miss(
                    &format!("sql:view:{full}"),
                    "it is a view: what changing it changes is not followed",
                );
                None
            }
            _ => {
                self.miss(&format!("sql:table:{full}"), "its rows are not in this server");
                None
            }
        }
    }

    fn object(&mut self, act: &Act, kind: &str, name: &Name, dropped: bool, cascade: bool) -> Result<()> {
        self.want.definitions = true;
        let known = self.names.get(&name.sql(Dialect::Postgres)).cloned().flatten();
        match (kind, &known) {
            ("table", Some((oid, 'r' | 'p', _))) => {
                let destroys = dropped || matches!(act.class, EffectClass::Destroy | EffectClass::Overwrite);
                let most = (!destroys).then_some(self.most);
                self.reach.whole(*oid, None, most);
                self.want.quiet.insert(*oid);
                for heir in catalog::heirs(self.psql, &BTreeSet::from([*oid]))? {
                    self.reach.whole(heir, None, most);
                }
            }
            ("table", None) if !dropped => {
                let name = catalog::new_name(self.psql, &name.exact(Dialect::Postgres))?;
                self.want.absent.insert(name);
            }
            ("sequence", Some((oid, 'S', _))) => drop(self.want.sequences.insert(*oid)),
            _ => {}
        }
        if dropped
            && (cascade || kind == "schema")
            && matches!(
                kind,
                "table"
                    | "schema"
                    | "type"
                    | "domain"
                    | "extension"
                    | "function"
                    | "sequence"
                    | "procedure"
                    | "collation"
            )
        {
            let root = match kind {
                "schema" | "extension" => name.last(Dialect::Postgres),
                _ => name.sql(Dialect::Postgres),
            };
            if kind == "schema" {
                self.want.sequences.extend(catalog::sequences_of(self.psql, &root)?);
            }
            for oid in catalog::dependents(self.psql, &[(kind, root)])? {
                self.reach.whole(oid, None, None);
                self.want.quiet.insert(oid);
            }
        }
        Ok(())
    }

    fn anything(&mut self, what: &str, why: &str) -> Result<()> {
        let all = catalog::everything(self.psql)?;
        let bytes: u64 = all.values().sum();
        if bytes > self.most {
            let mib = |bytes: u64| bytes >> 20;
            self.miss(what, &format!("{why}: what it does is not known, and the database is larger ({} MiB) than what is kept on suspicion ({} MiB)", mib(bytes), mib(self.most)));
            return Ok(());
        }
        self.want.definitions = true;
        all.into_keys().for_each(|oid| self.reach.whole(oid, Some(None), None));
        Ok(())
    }

    fn finish(self) -> Result<Want> {
        let Finder { psql, mut want, mut reach, .. } = self;
        let unknown: BTreeSet<Number> =
            reach.tables.keys().filter(|oid| !reach.relations.contains_key(oid)).copied().collect();
        reach.relations.extend(catalog::relations(psql, &unknown)?);
        for relation in reach.drop_too_large() {
            let why = format!(
                "its rows ({} MiB) are not kept for a change of its definition",
                relation.bytes >> 20
            );
            want.missing.push(Missing { what: Bytes::from(format!("sql:table:{}", relation.name)), why });
        }
        (want.tables, want.relations) = (reach.tables, reach.relations);
        let tables = &want.tables;
        want.relations.retain(|oid, _| tables.contains_key(oid));
        Ok(want)
    }
}
