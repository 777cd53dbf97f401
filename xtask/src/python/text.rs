//! Texts of Python: names, docstrings, values.

use serde_json::Value;

/// Columns of a line.
const WIDTH_MAX: usize = 120;

/// Words that are no names in Python.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// A name that Python takes: `from_` for `from`.
pub(super) fn name(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// `notes.post` as `NotesPost`.
pub(super) fn pascal(name: &str) -> String {
    let words = name.split(['.', '_']);
    words.map(|word| word.get(..1).map_or_else(String::new, |first| first.to_uppercase() + &word[1..])).collect()
}

/// `notes.post` as `NOTES_POST`.
pub(super) fn constant(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// A docstring at an indentation, with the line's end.
pub(super) fn docstring(indent: usize, paragraphs: &[String]) -> String {
    let pad = " ".repeat(indent);
    let escaped = |text: &str| text.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let mut lines: Vec<String> = Vec::new();
    for (index, paragraph) in paragraphs.iter().enumerate() {
        let paragraph = escaped(paragraph);
        // The quotes stand before the first line, and after a text of one line.
        let taken = indent + if index == 0 { 6 } else { 0 };
        lines.extend(wrapped(&paragraph, WIDTH_MAX - taken));
        if index == 0 && paragraphs.len() > 1 {
            lines.push(String::new());
        }
    }
    let last = lines.last().cloned().unwrap_or_default();
    // A quote at the end would run into the quotes that close.
    let space = if last.ends_with('"') { " " } else { "" };
    if lines.len() == 1 {
        return format!("{pad}\"\"\"{last}{space}\"\"\"\n");
    }
    let mut out = format!("{pad}\"\"\"");
    for (index, line) in lines.iter().enumerate() {
        let line = if index == 0 || line.is_empty() { line.clone() } else { format!("{pad}{line}") };
        out.push_str(&line);
        out.push('\n');
    }
    out + &format!("{pad}\"\"\"\n")
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A value of JSON as Python writes it, if it is a plain one.
pub(super) fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("None".into()),
        Value::Bool(true) => Some("True".into()),
        Value::Bool(false) => Some("False".into()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(Value::String(text.clone()).to_string()),
        Value::Array(items) if items.is_empty() => Some("[]".into()),
        Value::Object(fields) if fields.is_empty() => Some("{}".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_docstrings_are_pythons() {
        assert_eq!(name("from"), "from_");
        assert_eq!(pascal("connections.update_credentials"), "ConnectionsUpdateCredentials");
        assert_eq!(constant("notes.post"), "NOTES_POST");
        assert_eq!(docstring(4, &["Says \"x\"".into()]), "    \"\"\"Says \"x\" \"\"\"\n");
        let long = "word ".repeat(30);
        assert_eq!(docstring(0, &["A\nb.".into(), long]).lines().map(str::len).collect::<Vec<_>>(), [7, 0, 119, 29, 3]);
    }
}
