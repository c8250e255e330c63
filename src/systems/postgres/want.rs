//! From what a script does to what has to be read before it may: tables, rows, what goes with them by foreign keys and by
//! dependence, definitions, databases.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{self, Oid, Reference, Relation};
use super::query;
use super::session::Psql;
use crate::error::Result;
use crate::model::{Bytes, EffectClass, Missing};
use crate::sql::{Act, Dialect, Name, Rows, Touch};

/// Which rows of a table are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// All.
    All,
    /// What these queries give.
    Rows(Vec<String>),
    /// What comes from now on.
    Since,
}

/// What is wanted of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which rows.
    pub how: How,
    /// The command may add rows: how many, where it is known.
    pub adds: Option<Option<u64>>,
    /// Only where the table is no larger.
    pub most: Option<u64>,
}

/// What has to be read.
#[derive(Default)]
pub struct Want {
    /// Tables.
    pub tables: BTreeMap<Oid, Wish>,
    /// Names that are not there yet.
    pub absent: BTreeSet<String>,
    /// The definitions of all objects.
    pub definitions: bool,
    /// Counters by themselves.
    pub sequences: BTreeSet<Oid>,
    /// Databases as wholes: name, and whether it goes.
    pub databases: Vec<(String, bool)>,
    /// What nobody reads.
    pub missing: Vec<Missing>,
    /// What is known of the tables.
    pub relations: BTreeMap<Oid, Relation>,
}

struct Finder<'a> {
    psql: &'a mut Psql,
    names: catalog::Found,
    references: Vec<Reference>,
    uses: BTreeMap<Oid, usize>,
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
    let mut uses: BTreeMap<Oid, usize> = BTreeMap::new();
    touched.for_each(|(oid, _, _)| *uses.entry(oid).or_default() += 1);
    let moves_rows = |a: &Act| matches!(a.touch, Touch::Rows(_) | Touch::Table { .. } | Touch::Anything(_));
    let references = if acts.iter().any(moves_rows) { catalog::references(psql)? } else { Vec::new() };
    let mut reach: BTreeSet<Oid> = uses.keys().copied().collect();
    loop {
        let more: Vec<Oid> = references
            .iter()
            .filter(|r| reach.contains(&r.parent) && !reach.contains(&r.child))
            .map(|r| r.child)
            .collect();
        if more.is_empty() {
            break;
        }
        reach.extend(more);
    }
    let relations = catalog::relations(psql, &reach)?;
    let want = Want { relations, ..Want::default() };
    let mut finder = Finder { psql, names, references, uses, want, most };
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
            Touch::Rows(rows) => self.rows(rows),
            Touch::Table { name, cascade } => {
                let adds = (act.class == EffectClass::Overwrite).then_some(None);
                if let Some(oid) = self.table(name) {
                    self.whole(oid, adds, None);
                    self.follow_all(oid, *cascade);
                }
            }
            Touch::Added { name, count } => {
                if let Some(oid) = self.table(name) {
                    self.add(oid, Wish { how: How::Since, adds: Some(*count), most: None });
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
    fn table(&mut self, name: &Name) -> Option<Oid> {
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

    fn whole(&mut self, oid: Oid, adds: Option<Option<u64>>, most: Option<u64>) {
        self.add(oid, Wish { how: How::All, adds, most });
    }

    /// Two wishes for one table are one: all rows where either wants all, or where they are of different kinds.
    fn add(&mut self, oid: Oid, wish: Wish) {
        let Some(known) = self.want.tables.get_mut(&oid) else {
            self.want.tables.insert(oid, wish);
            return;
        };
        known.adds = match (known.adds, wish.adds) {
            (Some(Some(a)), Some(Some(b))) => Some(Some(a + b)),
            (Some(a), None) | (None, Some(a)) => Some(a),
            (None, None) => None,
            _ => Some(None),
        };
        known.most = known.most.zip(wish.most).map(|(a, b)| a.max(b));
        match (&mut known.how, wish.how) {
            (How::Since, How::Since) => {}
            (How::Rows(known), How::Rows(more)) => known.extend(more),
            (how, _) => *how = How::All,
        }
    }

    fn rows(&mut self, rows: &Rows) {
        let Some(oid) = self.table(&rows.table) else { return };
        let Some(relation) = self.want.relations.get(&oid).cloned() else { return };
        let key: Vec<&str> =
            relation.key.iter().filter_map(|c| relation.columns.get(*c)).map(|c| c.name.as_str()).collect();
        let moves_key = rows.sets.iter().any(|set| key.contains(&set.as_str()));
        // An earlier statement may change what a later one finds.
        let again = self.uses.get(&oid).is_some_and(|uses| *uses > 1);
        let everything = rows.condition.is_none() && rows.others.is_none();
        if moves_key || again || everything || relation.key.is_empty() {
            self.whole(oid, moves_key.then_some(None), None);
            if rows.deletes {
                self.follow_all(oid, false);
            }
        } else {
            let source = source(&relation, rows);
            let select = format!(
                "SELECT {} FROM {} WHERE {}",
                query::columns(&relation, &source.of),
                source.from,
                source.only
            );
            self.add(oid, Wish { how: How::Rows(vec![select]), adds: None, most: None });
            if rows.deletes {
                self.follow(oid, &source, &mut vec![oid]);
            }
        }
        let set = |r: &Reference| r.parent == oid && r.to_plain.iter().any(|to| rows.sets.contains(to));
        let children: Vec<Oid> = self
            .references
            .iter()
            .filter(|r| set(r) && matches!(r.on_update, 'c' | 'n' | 'd'))
            .map(|r| r.child)
            .collect();
        children.into_iter().for_each(|child| self.whole(child, None, None));
    }

    /// The rows that go, or change, with rows that are deleted.
    fn follow(&mut self, parent: Oid, source: &Source, above: &mut Vec<Oid>) {
        let references: Vec<Reference> = self
            .references
            .iter()
            .filter(|r| r.parent == parent && matches!(r.on_delete, 'c' | 'n' | 'd'))
            .cloned()
            .collect();
        for r in references {
            let Some(child) = self.want.relations.get(&r.child).cloned() else { continue };
            if above.contains(&r.child) || child.key.is_empty() {
                self.whole(r.child, None, None);
                self.follow_all(r.child, false);
                continue;
            }
            let of = format!("c{}", above.len());
            let to: Vec<String> = r.to.iter().map(|column| format!("{}.{column}", source.of)).collect();
            let from: Vec<String> = r.from.iter().map(|column| format!("{of}.{column}")).collect();
            let only = format!(
                "({}) IN (SELECT {} FROM {} WHERE {})",
                from.join(", "),
                to.join(", "),
                source.from,
                source.only
            );
            let inner = Source { from: format!("{} AS {of}", child.from()), only, of };
            let select = format!(
                "SELECT {} FROM {} WHERE {}",
                query::columns(&child, &inner.of),
                inner.from,
                inner.only
            );
            self.add(r.child, Wish { how: How::Rows(vec![select]), adds: None, most: None });
            if r.on_delete == 'c' {
                above.push(r.child);
                self.follow(r.child, &inner, above);
                above.pop();
            }
        }
    }

    /// The same where all rows of a table may go. `truncated`: whatever the foreign keys say.
    fn follow_all(&mut self, parent: Oid, truncated: bool) {
        let (mut todo, mut seen) = (vec![parent], BTreeSet::from([parent]));
        while let Some(oid) = todo.pop() {
            let goes =
                |r: &&Reference| r.parent == oid && (truncated || matches!(r.on_delete, 'c' | 'n' | 'd'));
            let children: Vec<(Oid, bool)> = self
                .references
                .iter()
                .filter(goes)
                .map(|r| (r.child, truncated || r.on_delete == 'c'))
                .collect();
            for (child, deeper) in children {
                self.whole(child, None, None);
                if deeper && seen.insert(child) {
                    todo.push(child);
                }
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
                self.whole(*oid, None, most);
                for heir in catalog::heirs(self.psql, &BTreeSet::from([*oid]))? {
                    self.whole(heir, None, most);
                }
            }
            ("table", None) if !dropped => drop(self.want.absent.insert(name.sql(Dialect::Postgres))),
            ("sequence", Some((oid, 'S', _))) => drop(self.want.sequences.insert(*oid)),
            _ => {}
        }
        if dropped
            && (cascade || kind == "schema")
            && matches!(
                kind,
                "table" | "schema" | "type" | "domain" | "extension" | "function" | "sequence" | "procedure"
            )
        {
            let root = match kind {
                "schema" | "extension" => name.last(Dialect::Postgres),
                _ => name.sql(Dialect::Postgres),
            };
            for oid in catalog::dependents(self.psql, &[(kind, root)])? {
                self.whole(oid, None, None);
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
        all.into_keys().for_each(|oid| self.whole(oid, Some(None), None));
        Ok(())
    }

    fn finish(self) -> Result<Want> {
        let Finder { psql, mut want, .. } = self;
        let unknown: BTreeSet<Oid> =
            want.tables.keys().filter(|oid| !want.relations.contains_key(oid)).copied().collect();
        want.relations.extend(catalog::relations(psql, &unknown)?);
        let too_large: Vec<Oid> = want
            .tables
            .iter()
            .filter(|(oid, wish)| {
                wish.most.is_some_and(|most| want.relations.get(oid).is_some_and(|r| r.bytes > most))
            })
            .map(|(oid, _)| *oid)
            .collect();
        for oid in too_large {
            want.tables.remove(&oid);
            if let Some(relation) = want.relations.get(&oid) {
                let why = format!(
                    "its rows ({} MiB) are not kept for a change of its definition",
                    relation.bytes >> 20
                );
                want.missing.push(Missing { what: Bytes::from(format!("sql:table:{}", relation.name)), why });
            }
        }
        let Want { tables, relations, .. } = &mut want;
        relations.retain(|oid, _| tables.contains_key(oid));
        Ok(want)
    }
}

/// Where rows come from.
struct Source {
    /// Behind `FROM`.
    from: String,
    /// Behind `WHERE`.
    only: String,
    /// What the table is called there.
    of: String,
}

fn source(relation: &Relation, rows: &Rows) -> Source {
    let (from, of) = match &rows.alias {
        Some(alias) => (format!("{} AS {alias}", relation.from()), alias.clone()),
        None => (relation.from(), relation.bare.clone()),
    };
    let condition = rows.condition.as_deref().unwrap_or("true");
    let only = match &rows.others {
        Some(others) => format!("EXISTS (SELECT 1 FROM {others} WHERE {condition})"),
        None => format!("({condition})"),
    };
    Source { from, only, of }
}
