//! Links in Markdown.
//!
//! Holds: finding them, outside of code; what they lead to.
//! Leaves to others: whether that is there (`tidy`), and where it should be (`guide`).

use crate::guide::REPOSITORY;
use std::path::{Component, Path, PathBuf};

/// A link.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Where its target begins, in bytes of the text.
    pub at: usize,
    /// In which line, from 1.
    pub line: usize,
    /// What is written there.
    pub target: &'a str,
}

/// The links of a text, but for those in fenced code.
pub fn of(text: &str) -> impl Iterator<Item = Link<'_>> {
    let mut begin = 0;
    let mut fenced = false;
    text.split_inclusive('\n').enumerate().flat_map(move |(index, line)| {
        let at = begin;
        begin += line.len();
        fenced ^= line.trim_start().starts_with("```");
        let starts = line.match_indices("](").map(|(found, mark)| found + mark.len());
        let link = move |start: usize| {
            let target = line[start..].split([')', ' ', '\n']).next().unwrap_or_default();
            Link { at: at + start, line: index + 1, target }
        };
        let found: Vec<Link<'_>> = if fenced { Vec::new() } else { starts.map(link).collect() };
        found
    })
}

/// The file or folder of the repository that a link in `page` leads to, and its anchor with the `#`. `None`: it leads
/// elsewhere, or stays on its page.
pub fn resolved<'a>(page: &str, target: &'a str) -> Option<(String, &'a str)> {
    let (path, anchor) = target.split_at(target.find('#').unwrap_or(target.len()));
    if let Some(on_the_web) = path.strip_prefix(REPOSITORY) {
        let path = on_the_web.strip_prefix("/blob/main/").or_else(|| on_the_web.strip_prefix("/tree/main/"))?;
        return Some((path.to_owned(), anchor));
    }
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let mut found = PathBuf::new();
    for part in Path::new(page).parent().unwrap_or(Path::new("")).join(path).components() {
        match part {
            Component::ParentDir => drop(found.pop()),
            Component::CurDir => {}
            part => found.push(part),
        }
    }
    Some((found.display().to_string(), anchor))
}

/// The way from one file to another, both below the same folder.
pub fn relative(from: &str, to: &str) -> String {
    let (mut here, mut there): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    here.pop();
    let shared = here.iter().zip(&there).take_while(|(one, other)| one == other).count().min(there.len() - 1);
    let up = std::iter::repeat_n("..", here.len() - shared);
    up.chain(there.drain(shared..)).collect::<Vec<_>>().join("/")
}
