//! From the rows that a statement changes to all that go or change with them by foreign keys: which queries find them.

use std::collections::{BTreeMap, BTreeSet};

use super::Column;
use crate::sql::Rows;

/// A table's number: the server's own, or one that is given while it is looked at.
pub type Number = u32;

/// A table.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Its number.
    pub number: Number,
    /// Its full name, as SQL.
    pub name: String,
    /// Its name alone, always quoted.
    pub bare: String,
    /// `r` table, `p` partitioned, `v` view, `m` materialized view, `f` foreign, `S` sequence.
    pub kind: char,
    /// How much it takes on disk.
    pub bytes: u64,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The positions of the key's columns.
    pub key: Vec<usize>,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The table that refers.
    pub child: Number,
    /// The table that is referred to.
    pub parent: Number,
    /// What deleting does to the child: `a`, `r` nothing, `c` deletes, `n` and `d` set its columns.
    pub on_delete: char,
    /// What changing the key does.
    pub on_update: char,
    /// The child's columns, quoted.
    pub from: Vec<String>,
    /// The parent's columns, quoted.
    pub to: Vec<String>,
    /// The parent's columns, as they are.
    pub to_plain: Vec<String>,
    /// The child's name, for people and for SQL.
    pub child_name: String,
}

impl Reference {
    fn spreads(&self) -> bool {
        matches!(self.on_delete, 'c' | 'n' | 'd')
    }
}

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

/// How a server's SQL selects from a table.
pub trait Select {
    /// As it is written after `FROM`.
    fn from(&self, relation: &Relation) -> String;
    /// All that is read of each row of a table that is called `of`.
    fn columns(&self, relation: &Relation, of: &str) -> String;
}

/// What has to be read, so far.
pub struct Reach<'a> {
    /// How.
    pub select: &'a dyn Select,
    /// What is known of the tables.
    pub relations: BTreeMap<Number, Relation>,
    /// All foreign keys.
    pub references: Vec<Reference>,
    /// How often the script names each table.
    pub uses: BTreeMap<Number, usize>,
    /// What is wanted.
    pub tables: BTreeMap<Number, Wish>,
}

/// These tables and all that refer to them, at any depth.
pub fn closure(from: impl Iterator<Item = Number>, references: &[Reference]) -> BTreeSet<Number> {
    let mut reach: BTreeSet<Number> = from.collect();
    loop {
        let before = reach.len();
        let more: Vec<Number> =
            references.iter().filter(|r| reach.contains(&r.parent)).map(|r| r.child).collect();
        reach.extend(more);
        if reach.len() == before {
            return reach;
        }
    }
}

impl Reach<'_> {
    /// All rows of a table.
    pub fn whole(&mut self, table: Number, adds: Option<Option<u64>>, most: Option<u64>) {
        self.add(table, Wish { how: How::All, adds, most });
    }

    /// Two wishes for one table are one: all rows where either wants all, or where they are of different kinds.
    pub fn add(&mut self, table: Number, wish: Wish) {
        let Some(known) = self.tables.get_mut(&table) else {
            self.tables.insert(table, wish);
            return;
        };
        known.adds = match (known.adds, wish.adds) {
            (Some(Some(a)), Some(Some(b))) => Some(Some(a.saturating_add(b))),
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

    /// The rows of a `DELETE` or `UPDATE`, and what goes with them.
    pub fn rows(&mut self, table: Number, rows: &Rows) {
        let Some(relation) = self.relations.get(&table).cloned() else { return };
        let key: Vec<&str> =
            relation.key.iter().filter_map(|c| relation.columns.get(*c)).map(|c| c.name.as_str()).collect();
        let moves_key = rows.sets.iter().any(|set| key.iter().any(|k| k.eq_ignore_ascii_case(set)));
        // An earlier statement may change what a later one finds.
        let again = self.uses.get(&table).is_some_and(|uses| *uses > 1);
        let everything = rows.condition.is_none() && rows.others.is_none();
        if moves_key || again || everything || relation.key.is_empty() {
            // Rows under new keys: as many as those under old ones that are gone.
            self.whole(table, moves_key.then_some(Some(u64::MAX)), None);
            if rows.deletes {
                self.follow_all(table, false);
            }
        } else {
            let source = source(self.select, &relation, rows);
            let query = source.query(self.select, &relation);
            self.add(table, Wish { how: How::Rows(vec![query]), adds: None, most: None });
            if rows.deletes {
                self.follow(table, &source, &mut vec![table]);
            }
        }
        let set = |r: &&Reference| {
            r.parent == table
                && matches!(r.on_update, 'c' | 'n' | 'd')
                && r.to_plain.iter().any(|to| rows.sets.contains(to))
        };
        let children: Vec<Number> = self.references.iter().filter(set).map(|r| r.child).collect();
        children.into_iter().for_each(|child| self.whole(child, None, None));
    }

    /// The rows that go, or change, with rows that are deleted.
    fn follow(&mut self, parent: Number, source: &Source, above: &mut Vec<Number>) {
        let references: Vec<Reference> =
            self.references.iter().filter(|r| r.parent == parent && r.spreads()).cloned().collect();
        for r in references {
            let Some(child) = self.relations.get(&r.child).cloned() else { continue };
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
            let inner = Source { from: format!("{} AS {of}", self.select.from(&child)), only, of };
            let query = inner.query(self.select, &child);
            self.add(r.child, Wish { how: How::Rows(vec![query]), adds: None, most: None });
            if r.on_delete == 'c' {
                above.push(r.child);
                self.follow(r.child, &inner, above);
                above.pop();
            }
        }
    }

    /// The same where all rows of a table may go. `truncated`: whatever the foreign keys say.
    pub fn follow_all(&mut self, parent: Number, truncated: bool) {
        let (mut todo, mut seen) = (vec![parent], BTreeSet::from([parent]));
        while let Some(table) = todo.pop() {
            let goes = |r: &&Reference| r.parent == table && (truncated || r.spreads());
            let children: Vec<(Number, bool)> = self
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

    /// Lets go of the tables that are larger than what is wanted of them.
    pub fn drop_too_large(&mut self) -> Vec<Relation> {
        let relations = &self.relations;
        let too_large = |(number, wish): (&Number, &Wish)| {
            let relation = relations.get(number)?;
            wish.most.is_some_and(|most| relation.bytes > most).then(|| relation.clone())
        };
        let gone: Vec<Relation> = self.tables.iter().filter_map(too_large).collect();
        gone.iter().for_each(|relation| drop(self.tables.remove(&relation.number)));
        gone
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

impl Source {
    fn query(&self, select: &dyn Select, relation: &Relation) -> String {
        format!("SELECT {} FROM {} WHERE {}", select.columns(relation, &self.of), self.from, self.only)
    }
}

fn source(select: &dyn Select, relation: &Relation, rows: &Rows) -> Source {
    let (from, of) = match &rows.alias {
        Some(alias) => (format!("{} AS {alias}", select.from(relation)), alias.clone()),
        None => (select.from(relation), relation.bare.clone()),
    };
    let condition = rows.condition.as_deref().unwrap_or("true");
    let only = match &rows.others {
        Some(others) => format!("EXISTS (SELECT 1 FROM {others} WHERE {condition})"),
        None => format!("({condition})"),
    };
    Source { from, only, of }
}
