//! Names of things as a statement writes them.

use super::Dialect;

/// A name of one or more parts: `shop.orders`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The parts without quotes, and whether they were quoted.
    pub parts: Vec<(String, bool)>,
}

impl Name {
    /// A name of one unquoted part.
    pub fn plain(text: &str) -> Name {
        Name { parts: vec![(text.to_owned(), false)] }
    }

    /// As the record shows it: without quotes.
    pub fn shown(&self) -> String {
        self.parts.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(".")
    }

    /// The parts as the server knows them: PostgreSQL folds what is not quoted to lower case.
    pub fn exact(&self, dialect: Dialect) -> Vec<String> {
        let exact = |(text, quoted): &(String, bool)| match dialect {
            Dialect::Postgres if !quoted => text.to_lowercase(),
            _ => text.clone(),
        };
        self.parts.iter().map(exact).collect()
    }

    /// The last part as the server knows it.
    pub fn last(&self, dialect: Dialect) -> String {
        self.exact(dialect).pop().unwrap_or_default()
    }

    /// As SQL, every part quoted.
    pub fn sql(&self, dialect: Dialect) -> String {
        self.exact(dialect).iter().map(|part| quoted(part, dialect)).collect::<Vec<_>>().join(".")
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|(text, _)| text.is_empty())
    }
}

/// An identifier in quotes.
pub fn quoted(part: &str, dialect: Dialect) -> String {
    let quote = if dialect == Dialect::MySql { '`' } else { '"' };
    let doubled = format!("{quote}{quote}");
    format!("{quote}{}{quote}", part.replace(quote, &doubled))
}
