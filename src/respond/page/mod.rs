//! One look for all pages that `fr` writes: a single HTML file with its style inside, light or dark as the reader's device
//! is, readable on a phone, good on paper, without script and without anything from outside. And the same for Markdown.
//!
//! All that is put into a page is hostile until shown: it comes from agents and foreign repositories. So the escaping is not
//! left to the templates. Whatever a template prints goes through [`put`]: control, invisible and reordering characters become
//! visible ([`safe`]), and what HTML or Markdown would take for markup becomes text.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::platform::escape::safe;

/// The word for Markdown among the kinds of escaping.
const MARKDOWN: &str = "markdown";

/// A page: `template` extends `page.html` and fills its blocks `title`, `style`, `header`, `main` and `footer`.
///
/// # Errors
/// Where the template and the context do not fit each other: a mistake in `fr`.
pub fn html(template: &str, context: &impl Serialize) -> Result<String> {
    render("this.html", template, context)
}

/// The same as Markdown. `{{ text | code }}` makes it code, which nothing in the text can end.
///
/// # Errors
/// As [`html`].
pub fn markdown(template: &str, context: &impl Serialize) -> Result<String> {
    render("this.md", template, context)
}

fn render(name: &str, template: &str, context: &impl Serialize) -> Result<String> {
    let broken = |e: minijinja::Error| Error::failure(format!("a page could not be made: {e:#}"));
    let mut env = Environment::new();
    env.set_auto_escape_callback(kind_of);
    env.set_formatter(put);
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let quiet = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(broken)?;
    env.set_syntax(quiet);
    env.add_filter("code", code);
    env.add_template("page.html", include_str!("page.html")).map_err(broken)?;
    env.add_template("page.css", include_str!("page.css")).map_err(broken)?;
    env.add_template(name, template).map_err(broken)?;
    env.get_template(name).and_then(|page| page.render(Value::from(Serde(context)))).map_err(broken)
}

fn kind_of(name: &str) -> AutoEscape {
    match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        Some("md") => AutoEscape::Custom(MARKDOWN.into()),
        _ => AutoEscape::None,
    }
}

/// Prints one value of a template. Only what a filter of ours made is taken as it is.
fn put(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let text = match state.auto_escape() {
        _ if value.is_safe() => text,
        AutoEscape::Html => as_html(&safe(text.as_bytes())),
        AutoEscape::Custom(_) => as_markdown(&safe(text.as_bytes())),
        _ => safe(text.as_bytes()),
    };
    out.write_str(&text).map_err(minijinja::Error::from)
}

/// Text in HTML, between tags and in quoted attributes.
pub fn as_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text in Markdown: nothing in it is markup, a mention or a link.
fn as_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // GitHub and GitLab tell people who are mentioned.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    // `http://` is made a link by many readers.
    out.replace("://", ":&#47;&#47;")
}

/// Code in Markdown, fit for a cell of a table; in HTML a `code` element.
fn code(state: &State<'_, '_>, value: &Value) -> Value {
    let text = safe(value.to_string().as_bytes());
    Value::from_safe_string(match state.auto_escape() {
        AutoEscape::Html => format!("<code>{}</code>", as_html(&text)),
        _ => code_span(&text),
    })
}

fn code_span(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // A bar ends a cell also within code; before it a backslash is taken away again.
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HOSTILE: &str =
        "</style><script>alert(1)</script>\u{202e}\u{1b}[2J'\"&`|**b** @oncall #1 [x](http://e.example)";

    #[test]
    fn nothing_that_is_printed_becomes_markup() {
        let page = html(
            "{% extends 'page.html' %}{% block title %}{{ x }}{% endblock %}\
             {% block main %}<p title=\"{{ x }}\">{{ x }} {{ x | code }}</p>{% endblock %}",
            &json!({ "x": HOSTILE }),
        )
        .unwrap();
        assert!(
            !page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'),
            "{page}"
        );
        assert_eq!(page.matches("</style>").count(), 1, "only its own");
        assert!(
            page.contains("&lt;script&gt;") && page.contains("\\u{202e}") && page.contains("&quot;"),
            "{page}"
        );
    }

    #[test]
    fn markdown_keeps_text_text_and_code_code() {
        let text = markdown("{{ x }}\n| {{ x | code }} |\n", &json!({ "x": HOSTILE })).unwrap();
        let (plain, coded) = text.split_once('\n').unwrap();
        assert!(!plain.contains('<') && !plain.contains('@') && !plain.contains("://"), "{plain}");
        assert!(plain.contains("\\*\\*b\\*\\*") && plain.contains("\\[x\\]"), "{plain}");
        assert!(coded.starts_with("| ``</style>") && coded.trim_end().ends_with("`` |"), "{coded}");
        assert_eq!(coded.replace("\\|", "").matches('|').count(), 2, "two bars make one cell: {coded}");
    }

    #[test]
    fn what_a_template_does_not_find_is_an_error() {
        assert!(html("{{ nothing }}", &json!({})).is_err());
    }
}
