//! Pieces of code in the guide: each is a part of a file that the tests run.
//!
//! Holds: reading the blocks of a page and the parts of a file.
//! Promises: a block is what its file says, word for word; code of no file is found.

use crate::compile;
use std::fs;
use std::path::PathBuf;

/// Languages of which no block may stand in the guide without a file that is run.
const CODE: [&str; 6] = ["c", "cpp", "python", "js", "php", "rust"];

/// A block between fences.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the first fence.
    pub language: String,
    /// `examples/six-calls/six_calls.c: open`, from the comment before it.
    pub source: Option<String>,
    /// Without the fences.
    pub text: String,
}

/// A page of the guide.
pub struct Page {
    /// Its file.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

/// All pages of the guide.
pub fn pages() -> Vec<Page> {
    let folder = compile::root().join("docs/embedding");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("there is a guide").map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    let read = |file: PathBuf| Page { text: fs::read_to_string(&file).expect("it is text"), file };
    files.into_iter().map(read).collect()
}

/// The blocks of a page, in their order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    let mut source = None;
    while let Some(line) = lines.next() {
        let comment = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        if let Some(comment) = comment {
            source = Some(comment.to_owned());
        } else if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = body.iter().map(|line| format!("{line}\n")).collect();
            found.push(Block { language: language.to_owned(), source: source.take(), text });
        } else {
            source = None;
        }
    }
    found
}

/// The page with every block of a file as the file has it now; what is wrong with it otherwise.
pub fn filled(text: &str) -> Result<String, String> {
    let mut page = text.to_owned();
    for block in blocks(text) {
        let Some(source) = &block.source else {
            if CODE.contains(&block.language.as_str()) {
                return Err(format!("a block of {} is of no file that is run:\n{}", block.language, block.text));
            }
            continue;
        };
        let before = format!("<!-- {source} -->\n```{}\n{}```\n", block.language, block.text);
        let after = format!("<!-- {source} -->\n```{}\n{}```\n", block.language, part(source)?);
        page = page.replacen(&before, &after, 1);
    }
    Ok(page)
}

/// The part of a file between `begin: NAME` and `end: NAME`, without what its lines all begin with.
fn part(source: &str) -> Result<String, String> {
    let (file, name) = source.split_once(": ").ok_or_else(|| format!("{source}: no file and part"))?;
    let text = fs::read_to_string(compile::root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    cut(&text, name).ok_or_else(|| format!("{file} has no part {name}"))
}

fn cut(text: &str, name: &str) -> Option<String> {
    let mark = |line: &str, word: &str| -> Option<String> {
        let line = line.trim().trim_end_matches("*/").trim_end();
        let rest = line.trim_start_matches(['/', '*', '#', ' ']).strip_prefix(word)?;
        (line.len() > rest.len() && !line.starts_with(word)).then(|| rest.to_owned())
    };
    let is_mark = |line: &&str| mark(line, "begin: ").is_some() || mark(line, "end: ").is_some();
    let mut lines = text.lines().skip_while(|line| mark(line, "begin: ").as_deref() != Some(name));
    lines.next()?;
    let mut body = Vec::new();
    loop {
        let line = lines.next()?;
        if mark(line, "end: ").as_deref() == Some(name) {
            break;
        }
        body.push(line);
    }
    body.retain(|line| !is_mark(line));
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = body.iter().filter(|line| !line.trim().is_empty()).map(indent).min()?;
    Some(body.iter().map(|line| format!("{}\n", line.get(shared..).unwrap_or_default())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_cut_out_without_its_marks_and_its_indent() {
        let text =
            "a\n    /* begin: x */\n    int b;\n\n    // begin: y\n        c;\n    // end: y\n    /* end: x */\nd\n";
        assert_eq!(cut(text, "x").as_deref(), Some("int b;\n\n    c;\n"));
        assert_eq!(cut(text, "y").as_deref(), Some("c;\n"));
        assert_eq!(cut(text, "z"), None);
        assert_eq!(cut("# begin: x\n1\n", "x"), None, "it has no end");
    }

    #[test]
    fn code_of_no_file_is_refused_and_a_comment_belongs_to_the_block_right_after_it() {
        assert!(filled("```c\nint a;\n```\n").unwrap_err().contains("int a;"));
        assert!(
            filled("<!-- tests/src/snippets.rs: nothing -->\n```c\n```\n").unwrap_err().contains("no part nothing")
        );
        assert!(filled("<!-- nowhere.c: x -->\n```c\n```\n").unwrap_err().starts_with("nowhere.c:"));
        let page = "<!-- x: y -->\n\n```json\n{}\n```\n";
        assert_eq!(filled(page).as_deref(), Ok(page));
    }
}
