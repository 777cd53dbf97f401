//! The files of the tree, and Rust source without what is no code.
//!
//! Holds: the list of files that are or would be tracked, and a scanner that blanks comments and literals.
//! Promises: line numbers stay; the scanner never fails, at worst it blanks too much.
//! Leaves to others: rules about them (`tidy`).

use std::path::Path;
use std::process::Command;

/// All files git tracks, or would track if added, below the workspace and sorted.
pub fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let there = |path: &&str| !path.is_empty() && root.join(path).is_file();
    let mut files: Vec<String> = listed.split('\0').filter(there).map(str::to_string).collect();
    files.sort();
    Ok(files)
}

/// Rust source with comments, strings and characters blanked.
pub fn code_only(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let length = not_code(rest, previous).unwrap_or(0);
        if length == 0 {
            out.push(first);
            previous = first;
            rest = &rest[first.len_utf8()..];
            continue;
        }
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        previous = ' ';
        rest = &rest[length..];
    }
    out
}

/// How many bytes at the start of `text` are a comment or a literal. `previous` tells `r"` from the end of a name.
fn not_code(text: &str, previous: char) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(end_of_block(text));
    }
    if text.starts_with('"') {
        return Some(end_of_quoted(text, '"'));
    }
    if let Some(inner) = text.strip_prefix('\'') {
        let mut inner = inner.chars();
        let first = inner.next()?;
        let is_character = first == '\\' || inner.next() == Some('\''); // else a lifetime
        return is_character.then(|| end_of_quoted(text, '\''));
    }
    if text.starts_with('r') && !previous.is_alphanumeric() && previous != '_' {
        let hashes = text[1..].chars().take_while(|c| *c == '#').count();
        let body = text.get(1 + hashes..)?.strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = body.find(&close).map_or(body.len(), |at| at + close.len());
        return Some(text.len() - body.len() + end);
    }
    None
}

fn end_of_block(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::code_only;

    #[test]
    fn only_code_is_left_and_lines_stay() {
        for (source, left) in [
            ("a // unsafe\nb", "a          \nb"),
            ("a /* x /* y */\n z */ b", "a             \n      b"),
            (r#"f("un\"safe", '"', 'a) "#, "f(          ,    , 'a) "),
            ("g(r#\"x\"y\"#) for", "g(        ) for"),
            ("bar\"x\"", "bar   "),
        ] {
            assert_eq!(code_only(source), left, "{source}");
        }
    }
}
