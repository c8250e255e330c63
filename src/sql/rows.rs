//! Statements that change rows: by the grammar of `sqlparser`, and where it does not know them, by their tokens. What the
//! grammar does not tell is the whole table.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AssignmentTarget, Delete, Expr, FromTable, Insert, Merge, ObjectName, OnConflictAction, OnInsert, Query,
    SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind, Visit,
    Visitor,
};
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::call::called;
use super::loose::by_tokens;
use super::split::Token;
use super::{Act, Dialect, Name, Rows, Touch, functions};
use crate::model::{EffectClass as C, Reversibility as R};

/// Longer statements are read by their tokens.
const LONGEST: usize = 64 << 10;
/// Statements up to this length are read on the caller's stack.
const SHORT: usize = 300;
/// The stack for longer ones: the grammar's trees are as deep as a chain of operators is long.
const STACK: usize = 256 << 20;

/// Verbs that change rows.
pub fn is_verb(upper: &str) -> bool {
    matches!(upper, "DELETE" | "UPDATE" | "INSERT" | "MERGE" | "REPLACE")
}

/// What a statement does that selects or changes rows.
pub fn read(text: &str, tokens: &[Token], open: bool, dialect: Dialect) -> Vec<Act> {
    let deep = || {
        std::thread::scope(|scope| {
            let read = || by_grammar(text, dialect);
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
            thread.ok().and_then(|thread| thread.join().ok()).flatten()
        })
    };
    let parsed = match text.len() {
        _ if open => None,
        length if length <= SHORT => by_grammar(text, dialect),
        length if length <= LONGEST => deep(),
        _ => None,
    };
    parsed.unwrap_or_else(|| by_tokens(tokens))
}

fn by_grammar(text: &str, dialect: Dialect) -> Option<Vec<Act>> {
    let parsed = match dialect {
        Dialect::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, text),
        Dialect::MySql => Parser::parse_sql(&MySqlDialect {}, text),
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, text),
    };
    let [statement] = parsed.ok()?.try_into().ok()?;
    let mut finder = Finder { acts: Vec::new(), depth: 0, plain: is_plain(&statement) };
    let _ = statement.visit(&mut finder);
    Some(finder.acts)
}

/// Not behind a `WITH`, whose names a condition may use.
fn is_plain(statement: &Statement) -> bool {
    !matches!(statement, Statement::Query(_))
}

/// Finds what changes something, at any depth.
struct Finder {
    acts: Vec<Act>,
    depth: usize,
    plain: bool,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.depth += 1;
        let plain = self.plain && self.depth == 1;
        match statement {
            Statement::Delete(delete) => self.acts.extend(deleted(delete, plain)),
            Statement::Update(update) => self.acts.extend(updated(update, plain)),
            Statement::Insert(insert) => self.acts.push(inserted(insert)),
            Statement::Merge(merge) => self.acts.push(merged(merge)),
            Statement::Query(_) => {}
            _ => self.acts.push(Act::anything("a statement inside another")),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref()
            && let Some(into) = &select.into
            && !into.temporary
        {
            for target in &into.targets {
                let text = target.to_string();
                if !text.starts_with('@') {
                    let name = Name {
                        parts: text
                            .split('.')
                            .map(|p| (p.trim_matches('"').to_owned(), p.starts_with('"')))
                            .collect(),
                    };
                    self.acts.push(super::statement::object(
                        C::Create,
                        "table",
                        &name,
                        R::Exact,
                        false,
                        false,
                    ));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.acts.extend(called(&shown(&function.name), &function.args.to_string()));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(args), .. } => {
                let args = args.args.first().map(ToString::to_string).unwrap_or_default();
                self.acts.extend(called(&shown(name), &args));
            }
            TableFactor::Function { name, .. } => self.acts.extend(called(&shown(name), "")),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn name_of(name: &ObjectName) -> Name {
    let part = |part: &sqlparser::ast::ObjectNamePart| match part.as_ident() {
        Some(ident) => (ident.value.clone(), ident.quote_style.is_some()),
        None => (part.to_string(), false),
    };
    Name { parts: name.0.iter().map(part).collect() }
}

fn shown(name: &ObjectName) -> String {
    name_of(name).shown()
}

/// True where asking the condition beforehand gives what the statement will find.
fn is_steady(parts: &[Option<&dyn Steady>]) -> bool {
    parts.iter().flatten().all(|part| part.is_steady())
}

trait Steady {
    fn is_steady(&self) -> bool;
}

impl<T: Visit> Steady for T {
    fn is_steady(&self) -> bool {
        let mut check = Check(true);
        let _ = self.visit(&mut check);
        check.0
    }
}

struct Check(bool);

impl Visitor for Check {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let steady = match expr {
            Expr::Function(function) => {
                let name = shown(&function.name);
                functions::is_steady(&name)
            }
            // `@x` of MySQL, `?` and `$1`.
            Expr::Identifier(ident) => !ident.value.starts_with('@'),
            Expr::Value(value) => !matches!(value.value, sqlparser::ast::Value::Placeholder(_)),
            _ => true,
        };
        self.0 &= steady;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0 &= match factor {
            TableFactor::Table { name, args, .. } => args.is_none() || functions::is_steady(&shown(name)),
            TableFactor::Function { .. } => false,
            _ => true,
        };
        ControlFlow::Continue(())
    }
}

/// The table of a `FROM` with one table and no join.
fn one_table(tables: &[TableWithJoins]) -> Option<(Name, Option<String>)> {
    let [TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins }] = tables else {
        return None;
    };
    joins.is_empty().then(|| (name_of(name), alias.as_ref().map(|alias| alias.name.to_string())))
}

/// All tables of a `FROM`.
fn all_tables(tables: &[TableWithJoins]) -> Vec<Name> {
    let factors =
        tables.iter().flat_map(|t| std::iter::once(&t.relation).chain(t.joins.iter().map(|j| &j.relation)));
    let name = |factor: &TableFactor| match factor {
        TableFactor::Table { name, .. } => Some(name_of(name)),
        _ => None,
    };
    factors.filter_map(name).collect()
}

fn listed(tables: &[TableWithJoins]) -> String {
    tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn resource(table: &Name, condition: Option<&Expr>) -> String {
    match condition {
        Some(condition) => format!("sql:{}[{condition}]", table.shown()),
        None => format!("sql:table:{}", table.shown()),
    }
}

fn whole(class: C, table: &Name, condition: Option<&Expr>) -> Act {
    let touch = Touch::Table { name: table.clone(), cascade: false };
    Act::new(class, resource(table, condition), R::Exact, touch)
}

fn deleted(delete: &Delete, plain: bool) -> Vec<Act> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let condition = delete.selection.as_ref();
    if !delete.tables.is_empty() {
        return delete
            .tables
            .iter()
            .map(|t| whole(C::Destroy, &aliased(&name_of(t), from), condition))
            .collect();
    }
    let Some((table, alias)) = one_table(from) else {
        return all_tables(from).iter().map(|t| whole(C::Destroy, t, condition)).collect();
    };
    let steady =
        is_steady(&[condition.map(|c| c as &dyn Steady), delete.using.as_ref().map(|u| u as &dyn Steady)]);
    if !plain || !steady || !delete.order_by.is_empty() || delete.limit.is_some() {
        return vec![whole(C::Destroy, &table, condition)];
    }
    let rows = Rows {
        table: table.clone(),
        alias,
        others: delete.using.as_ref().map(|using| listed(using)),
        condition: condition.map(ToString::to_string),
        sets: Vec::new(),
        deletes: true,
    };
    // `USING` without a condition touches all rows, unless the other side is empty.
    vec![Act::new(C::Destroy, resource(&table, condition), R::Exact, Touch::Rows(Box::new(rows)))]
}

/// `DELETE a FROM orders a`: what the alias stands for.
fn aliased(name: &Name, from: &[TableWithJoins]) -> Name {
    let factors =
        from.iter().flat_map(|t| std::iter::once(&t.relation).chain(t.joins.iter().map(|j| &j.relation)));
    let mut found = factors.filter_map(|factor| match factor {
        TableFactor::Table { name: real, alias: Some(alias), .. } if alias.name.value == name.shown() => {
            Some(name_of(real))
        }
        _ => None,
    });
    found.next().unwrap_or_else(|| name.clone())
}

fn updated(update: &Update, plain: bool) -> Vec<Act> {
    let condition = update.selection.as_ref();
    let tables = std::slice::from_ref(&update.table);
    let Some((table, alias)) = one_table(tables) else {
        return all_tables(tables).iter().map(|t| whole(C::Overwrite, t, condition)).collect();
    };
    let others = match &update.from {
        Some(UpdateTableFromKind::AfterSet(others) | UpdateTableFromKind::BeforeSet(others)) => Some(others),
        None => None,
    };
    let steady = is_steady(&[condition.map(|c| c as &dyn Steady), others.map(|o| o as &dyn Steady)]);
    if !plain || !steady || !update.order_by.is_empty() || update.limit.is_some() {
        return vec![whole(C::Overwrite, &table, condition)];
    }
    let column = |name: &ObjectName| {
        name_of(name).parts.pop().map(|(text, quoted)| if quoted { text } else { text.to_lowercase() })
    };
    let sets = update.assignments.iter().flat_map(|set| match &set.target {
        AssignmentTarget::ColumnName(name) => column(name).into_iter().collect::<Vec<_>>(),
        AssignmentTarget::Tuple(names) => names.iter().filter_map(column).collect(),
    });
    let rows = Rows {
        table: table.clone(),
        alias,
        others: others.map(|others| listed(others)),
        condition: condition.map(ToString::to_string),
        sets: sets.collect(),
        deletes: false,
    };
    vec![Act::new(C::Overwrite, resource(&table, condition), R::Exact, Touch::Rows(Box::new(rows)))]
}

/// Rows that a statement puts in the place of others, which ones its words do not tell.
pub fn overwritten(table: &Name) -> Act {
    let touch = Touch::Table { name: table.clone(), cascade: false };
    Act::new(C::Overwrite, format!("sql:{}", table.shown()), R::Exact, touch)
}

fn inserted(insert: &Insert) -> Act {
    let table = match &insert.table {
        TableObject::TableName(name) => name_of(name),
        other => Name::plain(&other.to_string()),
    };
    let updates = match &insert.on {
        Some(OnInsert::DuplicateKeyUpdate(_)) => true,
        Some(OnInsert::OnConflict(conflict)) => matches!(conflict.action, OnConflictAction::DoUpdate(_)),
        _ => false,
    };
    let replaces = insert.replace_into || insert.or.is_some_and(|or| or.to_string().contains("REPLACE"));
    if updates || replaces {
        return overwritten(&table);
    }
    let count = match insert.source.as_ref().map(|query| query.body.as_ref()) {
        Some(SetExpr::Values(values)) => Some(values.rows.len() as u64),
        Some(_) => None,
        None => Some(1),
    };
    Act::added(&table, count)
}

fn merged(merge: &Merge) -> Act {
    match &merge.table {
        TableFactor::Table { name, .. } => overwritten(&name_of(name)),
        other => Act::anything(&format!("MERGE INTO {other}")),
    }
}
