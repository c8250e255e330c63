//! Definitions back to what they were: what the command made is taken away, what it took away is made, what it changed is
//! made as it was.

use super::definitions::{Difference, Entry};
use super::enums;
use super::query::ident;
use super::session::Psql;
use crate::error::{Error, Result};

/// Why a definition that is there cannot be taken away or put back.
pub fn why_not(entry: &Entry) -> Option<&'static str> {
    match entry.kind.as_str() {
        "TYPE"
        | "DOMAIN"
        | "SEQUENCE"
        | "EXTENSION"
        | "PUBLICATION"
        | "SUBSCRIPTION"
        | "SERVER"
        | "FOREIGN DATA WRAPPER"
        | "SCHEMA"
        | "TABLE"
        | "VIEW"
        | "MATERIALIZED VIEW"
        | "FUNCTION"
        | "PROCEDURE"
        | "INDEX"
        | "CONSTRAINT"
        | "FK CONSTRAINT"
        | "CHECK CONSTRAINT"
        | "TRIGGER"
        | "RULE"
        | "POLICY"
        | "DEFAULT"
        | "ROW SECURITY"
        | "ACL"
        | "COMMENT"
        | "PUBLICATION TABLE"
        | "STATISTICS"
        | "SEQUENCE OWNED BY"
        | "TABLE ATTACH"
        | "INDEX ATTACH"
        | "FOREIGN TABLE"
        | "AGGREGATE"
        | "EVENT TRIGGER"
        | "DATABASE"
        | "ENCODING"
        | "DEFAULT ACL" => None,
        _ => Some("how a definition of this kind is taken back is not known"),
    }
}

/// The statement that takes a definition away; empty where it goes with another.
fn away(entry: &Entry) -> Option<String> {
    let name = || format!("{}.{}", ident(&entry.schema), ident(&entry.name));
    let text = entry.text.as_str();
    let between = |from: &str, to: &str| {
        let start = text.find(from)? + from.len();
        let rest = text.get(start..)?;
        Some(rest.get(..rest.find(to)?)?.trim().to_owned())
    };
    let kind = entry.kind.as_str();
    Some(match kind {
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "INDEX" | "TYPE" | "DOMAIN"
        | "FOREIGN TABLE" | "STATISTICS" => {
            format!("DROP {kind} IF EXISTS {}", name())
        }
        "SCHEMA"
        | "EXTENSION"
        | "PUBLICATION"
        | "SUBSCRIPTION"
        | "SERVER"
        | "FOREIGN DATA WRAPPER"
        | "EVENT TRIGGER" => {
            format!("DROP {kind} IF EXISTS {}", ident(&entry.name))
        }
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" => {
            let (bare, args) = entry.name.split_once('(')?;
            format!("DROP {kind} IF EXISTS {}.{}({args}", ident(&entry.schema), ident(bare))
        }
        "CONSTRAINT" | "FK CONSTRAINT" | "CHECK CONSTRAINT" => {
            let table = between("ALTER TABLE ONLY ", "\n").or_else(|| between("ALTER TABLE ", "\n"))?;
            let rest = between("ADD CONSTRAINT ", ";")?;
            format!("ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {}", first_name(&rest))
        }
        "TRIGGER" => {
            let rest = between("TRIGGER ", ";")?;
            let table = between(" ON ", " ").or_else(|| between(" ON ", "\n"))?;
            format!("DROP TRIGGER IF EXISTS {} ON {table}", first_name(&rest))
        }
        "POLICY" => {
            let rest = between("CREATE POLICY ", ";")?;
            let on = rest.get(first_name(&rest).len()..)?.trim().strip_prefix("ON ")?;
            format!("DROP POLICY IF EXISTS {} ON {}", first_name(&rest), on.split([' ', '\n']).next()?)
        }
        "RULE" => {
            let rest = between("CREATE RULE ", " AS")?;
            format!(
                "DROP RULE IF EXISTS {rest} ON {}",
                between(" TO ", " ").or_else(|| between(" TO ", "\n"))?
            )
        }
        "DEFAULT" => format!("{} DROP DEFAULT", text.split(" SET DEFAULT").next()?),
        "ROW SECURITY" => text
            .trim()
            .trim_end_matches(';')
            .replace(" ENABLE ", " DISABLE ")
            .replace(" FORCE ", " NO FORCE "),
        "COMMENT" => format!("{} IS NULL", text.split(" IS '").next()?),
        "ACL" | "DEFAULT ACL" => revoked(text),
        "PUBLICATION TABLE" => text.trim().trim_end_matches(';').replace(" ADD TABLE ", " DROP TABLE "),
        _ => String::new(),
    })
}

fn first_name(text: &str) -> &str {
    let end = match text.strip_prefix('"') {
        Some(rest) => rest.find('"').map_or(text.len(), |i| i + 2),
        None => text.find([' ', '\n']).unwrap_or(text.len()),
    };
    text.get(..end).unwrap_or(text)
}

/// Takes privileges back: what was granted is revoked, what was revoked (from the owner, from everybody) is granted.
fn revoked(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_end_matches(';');
        if let Some(rest) = line.strip_prefix("GRANT ")
            && let Some((of, to)) = rest.rsplit_once(" TO ")
            && let Some((_, on)) = of.split_once(" ON ")
        {
            out.push(format!("REVOKE ALL ON {on} FROM {}", to.trim_end_matches(" WITH GRANT OPTION")));
        } else if let Some(rest) = line.strip_prefix("REVOKE ")
            && let Some((of, from)) = rest.rsplit_once(" FROM ")
        {
            out.push(format!("GRANT {of} TO {from}"));
        }
    }
    out.join(";\n")
}

/// Takes away what the command made and, with all that stands on them, the tables that it changed and other things whose
/// old form cannot be put over the new one. True where something went that has to be looked for among all definitions.
pub fn take_away(psql: &mut Psql, difference: &Difference, rebuilt: &[String]) -> Result<bool> {
    public_schema(psql, difference)?;
    // Views that changed are made as they were: until then they stand on what goes.
    let views = || difference.changed.iter().map(|(now, _)| now).filter(|now| now.kind.ends_with("VIEW"));
    for now in views() {
        let sql = away(now).unwrap_or_default();
        psql.run(&format!("{sql} CASCADE")).map_err(|e| e.context(now.shown()))?;
    }
    for entry in difference.made.iter().rev().filter(|e| !is_of_public(e)) {
        let sql =
            away(entry).ok_or_else(|| Error::failure(format!("{} cannot be taken away", entry.shown())))?;
        if !sql.is_empty() {
            psql.run(&sql).map_err(|e| e.context(entry.shown()))?;
        }
    }
    let mut rest = views().next().is_some();
    for name in rebuilt {
        psql.run(&format!("DROP TABLE {name} CASCADE")).map_err(|e| e.context(format!("table {name}")))?;
        rest = true;
    }
    for (now, old) in difference.changed.iter().rev().filter(|(now, _)| !now.kind.ends_with("VIEW")) {
        for rename in enums::renames(now, old).iter().filter(|_| now.kind == "TYPE") {
            psql.run(rename).map_err(|e| e.context(now.shown()))?;
        }
        let plain = matches!(
            now.kind.as_str(),
            "FUNCTION"
                | "PROCEDURE"
                | "DEFAULT"
                | "COMMENT"
                | "SEQUENCE"
                | "TYPE"
                | "DOMAIN"
                | "EXTENSION"
                | "SCHEMA"
                | "DATABASE"
        );
        let Some(sql) = away(now).filter(|sql| !sql.is_empty() && !plain) else { continue };
        let stands_on = matches!(now.kind.as_str(), "CONSTRAINT" | "FOREIGN TABLE");
        let sql = if stands_on { format!("{sql} CASCADE") } else { sql };
        psql.run(&sql).map_err(|e| e.context(now.shown()))?;
        rest |= stands_on;
    }
    Ok(rest)
}

/// `pg_dump` is silent about the schema that every database is made with, as long as nobody touches it.
fn is_of_public(entry: &Entry) -> bool {
    entry.schema == "-" && (entry.name == "public" || entry.name == "SCHEMA public")
}

/// Makes that schema as it is in a new database, where the command dropped or replaced it.
fn public_schema(psql: &mut Psql, difference: &Difference) -> Result<()> {
    let replaced = difference.made.iter().any(is_of_public);
    let needed = difference.gone.iter().any(|e| e.schema == "public");
    let is_there = !psql.table("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public'")?.is_empty();
    if !replaced && (is_there || !needed) {
        return Ok(());
    }
    let modern = psql.table("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = 'pg_database_owner' AND pg_catalog.current_setting('server_version_num')::int >= 150000")?;
    let (owner, rights) = match modern.is_empty() {
        true => ("CURRENT_USER", "USAGE, CREATE"),
        false => ("pg_database_owner", "USAGE"),
    };
    psql.run("CREATE SCHEMA IF NOT EXISTS public")?;
    psql.run(&format!("ALTER SCHEMA public OWNER TO {owner}"))?;
    psql.run(&format!("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT {rights} ON SCHEMA public TO PUBLIC"))?;
    psql.run(&format!("GRANT ALL ON SCHEMA public TO {owner}"))?;
    psql.run("COMMENT ON SCHEMA public IS 'standard public schema'")
}

/// Makes a definition. `perhaps`: it may be there; false where it is.
pub fn make(psql: &mut Psql, entry: &Entry, perhaps: bool) -> Result<bool> {
    let mut made = true;
    let text = match entry.kind.as_str() {
        "FUNCTION" | "PROCEDURE" => entry
            .text
            .replacen("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
            .replacen("CREATE PROCEDURE", "CREATE OR REPLACE PROCEDURE", 1),
        // The server made it with the database.
        "SCHEMA" => entry.text.replacen("CREATE SCHEMA", "CREATE SCHEMA IF NOT EXISTS", 1),
        "EXTENSION" => entry.text.clone(),
        _ => entry.text.clone(),
    };
    // One by one: the first that fails tells why. Bodies may hold semicolons.
    let whole = matches!(entry.kind.as_str(), "FUNCTION" | "PROCEDURE" | "RULE" | "AGGREGATE");
    let statements =
        if whole { vec![text] } else { crate::sql::statements(&text, crate::sql::Dialect::Postgres) };
    for statement in statements {
        let done = if perhaps { psql.attempt(&statement) } else { psql.run(&statement) };
        match done {
            Err(e) if perhaps && is_there(&e) => made = false,
            done => done.map_err(|e| e.context(entry.shown()))?,
        }
    }
    Ok(made)
}

fn is_there(error: &Error) -> bool {
    ["already exists", "multiple primary keys", "already a partition", "already attached", "already member"]
        .iter()
        .any(|said| error.what.contains(said))
}

#[cfg(test)]
mod tests {
    use super::{Entry, away};

    fn entry(kind: &str, name: &str, text: &str) -> Entry {
        Entry { kind: kind.into(), schema: "public".into(), name: name.into(), text: text.into() }
    }

    #[test]
    fn each_kind_is_taken_away_by_its_own_statement() {
        let cases = [
            (
                entry("TABLE", "a b", "CREATE TABLE public.\"a b\" ();\n"),
                "DROP TABLE IF EXISTS \"public\".\"a b\"",
            ),
            (
                entry("FUNCTION", "f(integer, text)", "CREATE FUNCTION public.f…"),
                "DROP FUNCTION IF EXISTS \"public\".\"f\"(integer, text)",
            ),
            (
                entry(
                    "FK CONSTRAINT",
                    "t k",
                    "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT \"k 1\" FOREIGN KEY (a) REFERENCES public.u(a);\n",
                ),
                "ALTER TABLE IF EXISTS public.t DROP CONSTRAINT IF EXISTS \"k 1\"",
            ),
            (
                entry(
                    "TRIGGER",
                    "t g",
                    "CREATE TRIGGER g BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();\n",
                ),
                "DROP TRIGGER IF EXISTS g ON public.t",
            ),
            (
                entry("POLICY", "t p", "CREATE POLICY p ON public.t USING (true);\n"),
                "DROP POLICY IF EXISTS p ON public.t",
            ),
            (
                entry("DEFAULT", "t a", "ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT 1;\n"),
                "ALTER TABLE ONLY public.t ALTER COLUMN a DROP DEFAULT",
            ),
            (
                entry(
                    "ACL",
                    "TABLE t",
                    "REVOKE ALL ON TABLE public.t FROM x;\nGRANT SELECT ON TABLE public.t TO y;\n",
                ),
                "GRANT ALL ON TABLE public.t TO x;\nREVOKE ALL ON TABLE public.t FROM y",
            ),
            (
                entry("COMMENT", "TABLE t", "COMMENT ON TABLE public.t IS 'it''s';\n"),
                "COMMENT ON TABLE public.t IS NULL",
            ),
        ];
        for (entry, wanted) in cases {
            assert_eq!(away(&entry).as_deref(), Some(wanted));
        }
    }
}
