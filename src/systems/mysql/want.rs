//! From what a script does to what has to be read before it may: tables, rows, what goes with them by foreign keys,
//! definitions.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{self, Foreign, Pair, full};
use super::look::Queries;
use super::session::Client;
use crate::error::Result;
use crate::model::{Bytes, EffectClass, Missing};
use crate::sql::{Act, Dialect, Name, Touch};
use crate::systems::tables::{How, Number, Reach, Relation, Wish};

/// What has to be read.
#[derive(Default)]
pub struct Want {
    /// Tables.
    pub tables: BTreeMap<Number, Wish>,
    /// What is known of them.
    pub relations: BTreeMap<Number, Relation>,
    /// Names that are not there yet.
    pub absent: BTreeSet<String>,
    /// Those that go or change as wholes: no trigger fires for their rows.
    pub quiet: BTreeSet<Number>,
    /// Databases whose definitions are read.
    pub scope: BTreeSet<String>,
    /// What nobody reads.
    pub missing: Vec<Missing>,
}

struct Finder<'a> {
    client: &'a mut Client,
    current: String,
    numbers: BTreeMap<Pair, Number>,
    foreign: Vec<Foreign>,
    reach: Reach<'a>,
    want: Want,
    /// The largest size that is read on suspicion.
    most: u64,
}

/// Finds out.
pub fn want(client: &mut Client, current: String, acts: &[Act], most: u64) -> Result<Want> {
    let reach = Reach {
        select: &Queries,
        relations: BTreeMap::new(),
        references: Vec::new(),
        uses: BTreeMap::new(),
        tables: BTreeMap::new(),
    };
    let mut finder = Finder {
        client,
        current,
        numbers: BTreeMap::new(),
        foreign: Vec::new(),
        reach,
        want: Want::default(),
        most,
    };
    let moves_rows = |a: &Act| matches!(a.touch, Touch::Rows(_) | Touch::Table { .. });
    let named: Vec<Pair> = acts.iter().filter_map(named).map(|name| finder.pair(name)).collect();
    if acts.iter().any(moves_rows) {
        finder.foreign = catalog::foreign(finder.client)?;
    }
    for pair in &named {
        if let Some(number) = finder.meet(pair)? {
            *finder.reach.uses.entry(number).or_default() += 1;
        }
    }
    finder.children(named)?;
    for act in acts {
        finder.act(act)?;
    }
    Ok(finder.finish())
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
    fn pair(&self, name: &Name) -> Pair {
        let mut parts = name.exact(Dialect::MySql);
        let table = parts.pop().unwrap_or_default();
        (parts.pop().unwrap_or_else(|| self.current.clone()), table)
    }

    /// Reads what is known of a table, once.
    fn meet(&mut self, pair: &Pair) -> Result<Option<Number>> {
        if let Some(number) = self.numbers.get(pair) {
            return Ok(Some(*number));
        }
        let first = self.reach.relations.len() as Number;
        let found = catalog::relations(self.client, &pair.0, Some(&pair.1), first)?;
        let Some((own, relation)) = found.into_iter().next() else { return Ok(None) };
        let number = relation.number;
        self.numbers.insert(pair.clone(), number);
        self.numbers.insert(own, number);
        self.reach.relations.insert(number, relation);
        Ok(Some(number))
    }

    /// Reads the tables that refer to these, at any depth.
    fn children(&mut self, mut todo: Vec<Pair>) -> Result<()> {
        let mut seen: BTreeSet<Pair> = todo.iter().cloned().collect();
        while let Some(parent) = todo.pop() {
            let foreign: Vec<Foreign> = self.foreign.iter().filter(|f| f.parent == parent).cloned().collect();
            for one in foreign {
                let (Some(child), Some(parent)) = (self.meet(&one.child)?, self.meet(&one.parent)?) else {
                    continue;
                };
                self.reach.references.push(one.numbered(child, parent));
                if seen.insert(one.child.clone()) {
                    todo.push(one.child);
                }
            }
        }
        Ok(())
    }

    fn miss(&mut self, what: &str, why: &str) {
        self.want.missing.push(Missing { what: Bytes::from(what), why: why.to_owned() });
    }

    /// A table whose rows can be read and put back.
    fn table(&mut self, name: &Name) -> Option<Number> {
        let pair = self.pair(name);
        let number = self.numbers.get(&pair).copied()?;
        match self.reach.relations.get(&number).map(|r| r.kind)? {
            'r' => Some(number),
            'v' => {
                let why = "it is a view: what changing it changes is not followed";
                self.miss(&format!("sql:view:{}", name.shown()), why);
                None
            }
            _ => {
                self.miss(&format!("sql:table:{}", name.shown()), "it has no rows that could be put back");
                None
            }
        }
    }

    fn act(&mut self, act: &Act) -> Result<()> {
        match &act.touch {
            Touch::Nothing => {}
            Touch::Rows(rows) => {
                if let Some(table) = self.table(&rows.table) {
                    // A backslash was read by the grammar and would be read once more by the server.
                    let doubtful =
                        [&rows.condition, &rows.others].into_iter().flatten().any(|t| t.contains('\\'));
                    match doubtful {
                        false => self.reach.rows(table, rows),
                        true => {
                            self.reach.whole(table, None, None);
                            self.reach.follow_all(table, false);
                        }
                    }
                }
            }
            Touch::Table { name, .. } => {
                if let Some(table) = self.table(name) {
                    let adds = (act.class == EffectClass::Overwrite).then_some(None);
                    self.reach.whole(table, adds, None);
                    self.reach.follow_all(table, false);
                }
            }
            Touch::Added { name, count } => self.added(name, *count),
            Touch::Object { kind, name, dropped, .. } => self.object(act, kind, name, *dropped)?,
            Touch::Database { name, .. } => self.database(name)?,
            Touch::Server => {
                self.miss(&act.resource, "accounts, privileges and settings of the server are not kept")
            }
            Touch::Anything(why) => self.anything(&act.resource, why)?,
            Touch::Elsewhere(why) => self.miss(&act.resource, why),
        }
        Ok(())
    }

    /// Nobody tells which rows are new: of a small table all are known, of a large one those behind the last number.
    fn added(&mut self, name: &Name, count: Option<u64>) {
        let Some(table) = self.table(name) else { return };
        let Some(relation) = self.reach.relations.get(&table) else { return };
        let key: Vec<&str> =
            relation.key.iter().filter_map(|at| relation.columns.get(*at)).map(|c| c.of.as_str()).collect();
        let counts = matches!(key.as_slice(), [of] if of.contains("int"));
        let how = match (relation.bytes <= self.most, counts) {
            (true, _) => How::All,
            (false, true) => How::Since,
            (false, false) => {
                let what = format!("sql:table:{}", name.shown());
                return self.miss(&what, "it is large and has no counting key: which rows come is not known");
            }
        };
        if how == How::Since {
            let what = format!("sql:table:{}", name.shown());
            self.miss(
                &what,
                "it is large: rows that come with a lower number than its highest are not found",
            );
        }
        self.reach.add(table, Wish { how, adds: Some(count), most: None });
    }

    fn object(&mut self, act: &Act, kind: &str, name: &Name, dropped: bool) -> Result<()> {
        if kind == "grant" {
            self.miss(&act.resource, "privileges are not kept");
            return Ok(());
        }
        let pair = self.pair(name);
        self.want.scope.insert(pair.0.clone());
        match (kind, self.numbers.get(&pair).copied()) {
            ("table", Some(table)) if self.reach.relations.get(&table).is_some_and(|r| r.kind == 'r') => {
                let destroys = dropped || matches!(act.class, EffectClass::Destroy | EffectClass::Overwrite);
                self.reach.whole(table, None, (!destroys).then_some(self.most));
                self.want.quiet.insert(table);
            }
            ("table", None) if !dropped => drop(self.want.absent.insert(full(&pair))),
            _ => {}
        }
        Ok(())
    }

    fn database(&mut self, name: &str) -> Result<()> {
        self.want.scope.insert(name.to_owned());
        self.all_of(name, None)
    }

    fn all_of(&mut self, database: &str, adds: Option<Option<u64>>) -> Result<()> {
        let first = self.reach.relations.len() as Number;
        for (pair, relation) in catalog::relations(self.client, database, None, first)? {
            let number = *self.numbers.entry(pair).or_insert(relation.number);
            let is_table = relation.kind == 'r';
            self.reach.relations.entry(number).or_insert(relation);
            if is_table {
                self.reach.whole(number, adds, None);
                if adds.is_none() {
                    self.want.quiet.insert(number);
                }
            }
        }
        Ok(())
    }

    fn anything(&mut self, what: &str, why: &str) -> Result<()> {
        let database = self.current.clone();
        if database.is_empty() {
            self.miss(what, &format!("{why}: what it does is not known, and no database is selected"));
            return Ok(());
        }
        let found = catalog::relations(self.client, &database, None, 0)?;
        let bytes: u64 = found.values().map(|relation| relation.bytes).sum();
        if bytes > self.most {
            let mib = |bytes: u64| bytes >> 20;
            self.miss(what, &format!("{why}: what it does is not known, and the database is larger ({} MiB) than what is kept on suspicion ({} MiB)", mib(bytes), mib(self.most)));
            return Ok(());
        }
        self.want.scope.insert(database.clone());
        self.all_of(&database, Some(None))
    }

    fn finish(mut self) -> Want {
        for relation in self.reach.drop_too_large() {
            let why = format!(
                "its rows ({} MiB) are not kept for a change of its definition",
                relation.bytes >> 20
            );
            let what = Bytes::from(format!("sql:table:{}", relation.name.replace('`', "")));
            self.want.missing.push(Missing { what, why });
        }
        let Reach { tables, relations, .. } = self.reach;
        Want { tables, relations, ..self.want }
    }
}
