//! The little of Markdown that help texts may use.
//!
//! Holds: [`markdown`]: paragraphs, lists, `**bold**`, `` `code` ``, `[text](https://…)`.
//! Promises: never fails; what is none of these is text as it stands, HTML too; a link is https and has a host.
//! Leaves to others: drawing and escaping (the host's page).

/// A part of a text that stands on lines of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Lines that belong together.
    Paragraph(Vec<Inline>),
    /// Lines that each began with `- ` or `* `.
    List(Vec<Vec<Inline>>),
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// As it stands.
    Text(String),
    /// Of weight.
    Strong(String),
    /// In a fixed-width face.
    Code(String),
    /// Leads elsewhere.
    Link {
        /// What is shown.
        text: String,
        /// `https://…`
        url: String,
    },
}

/// Reads a text.
pub fn markdown(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut items: Vec<Vec<Inline>> = Vec::new();
    for line in text.lines().map(str::trim).chain(std::iter::once("")) {
        match line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            Some(item) => {
                end_paragraph(&mut lines, &mut blocks);
                items.push(inline(item.trim()));
            }
            None => {
                if !items.is_empty() {
                    blocks.push(Block::List(std::mem::take(&mut items)));
                }
                if line.is_empty() {
                    end_paragraph(&mut lines, &mut blocks);
                } else {
                    lines.push(line);
                }
            }
        }
    }
    blocks
}

fn end_paragraph(lines: &mut Vec<&str>, blocks: &mut Vec<Block>) {
    if !lines.is_empty() {
        blocks.push(Block::Paragraph(inline(&lines.join(" "))));
        lines.clear();
    }
}

/// The parts of a line. Each mark needs its end and something between; a mark that has none is text.
fn inline(line: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        match marked(rest) {
            Some((part, after)) => {
                if !plain.is_empty() {
                    parts.push(Inline::Text(std::mem::take(&mut plain)));
                }
                parts.push(part);
                rest = after;
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    if !plain.is_empty() {
        parts.push(Inline::Text(plain));
    }
    parts
}

/// What begins here with a mark, and what follows it.
fn marked(text: &str) -> Option<(Inline, &str)> {
    let between = |begin: &str, end: &str| {
        let (inside, after) = text.strip_prefix(begin)?.split_once(end)?;
        (!inside.trim().is_empty()).then(|| (inside.to_owned(), after))
    };
    if let Some((inside, after)) = between("**", "**") {
        return Some((Inline::Strong(inside), after));
    }
    if let Some((inside, after)) = between("`", "`") {
        return Some((Inline::Code(inside), after));
    }
    let (shown, after) = between("[", "](")?;
    let (url, after) = after.split_once(')')?;
    let is_link = !shown.contains(['[', ']']) && leads_somewhere(url);
    is_link.then(|| (Inline::Link { text: shown, url: url.to_owned() }, after))
}

/// https, with a host, nobody's name or password in it, and no sign that a reader of HTML or of addresses could stumble
/// over.
fn leads_somewhere(url: &str) -> bool {
    let clean = url.is_ascii() && !url.contains(|c: char| c.is_ascii_control() || " \"'<>\\`".contains(c));
    let parsed = url::Url::parse(url);
    clean
        && url.starts_with("https://")
        && parsed.is_ok_and(|url| url.host_str().is_some() && url.username().is_empty() && url.password().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Inline {
        Inline::Text(words.to_owned())
    }

    #[test]
    fn paragraphs_and_lists_stand_apart() {
        assert_eq!(
            markdown("One\ntwo.\n\n- first\n* second\nThree."),
            [
                Block::Paragraph(vec![text("One two.")]),
                Block::List(vec![vec![text("first")], vec![text("second")]]),
                Block::Paragraph(vec![text("Three.")]),
            ]
        );
        assert_eq!(markdown(" \n\r\n"), []);
        assert_eq!(markdown("- only"), [Block::List(vec![vec![text("only")]])]);
    }

    #[test]
    fn marks_need_their_ends_and_something_between() {
        let of = |line: &str| match &markdown(line)[..] {
            [Block::Paragraph(parts)] => parts.clone(),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(
            of("Open **System**, then `API Keys`; [guide](https://docs.example/x?a=1&b=2)."),
            [
                text("Open "),
                Inline::Strong("System".into()),
                text(", then "),
                Inline::Code("API Keys".into()),
                text("; "),
                Inline::Link { text: "guide".into(), url: "https://docs.example/x?a=1&b=2".into() },
                text("."),
            ]
        );
        for literal in [
            "2 ** 3",
            "****",
            "a ` b",
            "``",
            "[x]",
            "[x](http://docs.example)",
            "[x](javascript:alert(1))",
            "[x](https://)",
            "[x](https://user@docs.example)",
            "[x](https://docs.example/\"onclick=)",
            "[x](//docs.example)",
            "[](https://docs.example)",
            "<b>bold</b>",
            "# no heading",
            "![no picture](x.png)",
        ] {
            assert_eq!(of(literal), [text(literal)], "{literal}");
        }
    }
}
