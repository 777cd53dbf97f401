//! File names in `Content-Disposition`.
//!
//! Promises: what comes out is a name without any folder, or nothing. Source: facts 10.2, with and without quotes; the
//! form with a character set is that of RFC 5987.

/// The longest name, in characters; the rest is cut.
const NAME_CHARS_MAX: usize = 255;

/// The name of a header's value. The form with a character set is the better one where both are there.
pub(crate) fn file_name(header: &str) -> Option<String> {
    let parameters = parameters(header);
    let find =
        |name: &str| parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let extended = find("filename*").and_then(|value| extended(value));
    name(&extended.or_else(|| find("filename").cloned())?)
}

/// Names and values behind the first semicolon; quotes are taken off.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    let mut found = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, behind) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((name.trim_matches(|c: char| c == ';' || c.is_whitespace()).to_owned(), value));
        rest = behind;
    }
    found
}

/// What stands before the closing quote, and what comes behind it. A backslash is kept unless it hides a quote: names of
/// old browsers are paths.
fn unquoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' if chars.peek().is_some_and(|(_, next)| *next == '"') => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// `UTF-8''a%20b`; other character sets are not known here.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        // Rust reads a sign as part of a number.
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

/// Characters that turn the direction of a line: with them a name ends for people in another way than for machines.
/// Source: Unicode 16, Bidi_Control.
pub(crate) fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Without folders and control characters; what leads to a folder is no name.
fn name(text: &str) -> Option<String> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).take(NAME_CHARS_MAX).collect();
    let plain = plain.trim();
    (!plain.is_empty() && plain != "." && plain != "..").then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_form_and_never_as_paths() {
        for (header, expected) in [
            ("attachment; filename=a.png", Some("a.png")),
            ("attachment; filename=my file.png; size=3", Some("my file.png")),
            ("attachment; filename=\"my; file.png\"; size=3", Some("my; file.png")),
            ("attachment; filename=\"a \\\"b\\\".png\"", Some("a \"b\".png")),
            ("Attachment;FILENAME=\"a.png\"", Some("a.png")),
            ("attachment; filename=\"x.png\"; filename*=UTF-8''%C3%BCber%20uns.png", Some("über uns.png")),
            ("attachment; filename*=utf-8'en'a.png", Some("a.png")),
            ("attachment; filename=\"x.png\"; filename*=ISO-8859-1''%FCber.png", Some("x.png")),
            ("attachment; filename=\"x.png\"; filename*=UTF-8''%FC.png", Some("x.png")),
            ("attachment; filename=\"x.png\"; filename*=UTF-8''%+1.png", Some("x.png")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"a\u{202e}gpj.exe\"", Some("agpj.exe")),
            ("attachment; filename=\"C:\\temp\\a.png\"", Some("a.png")),
            ("attachment; filename*=UTF-8''..%2F..%2Fa.png", Some("a.png")),
            ("attachment; filename=\"a\u{1}b.png\"", Some("ab.png")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"a/\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename", None),
            ("attachment", None),
            ("", None),
        ] {
            assert_eq!(file_name(header).as_deref(), expected, "{header}");
        }
        let long = file_name(&format!("attachment; filename={}", "x".repeat(1000))).unwrap();
        assert_eq!(long.len(), 255);
    }
}
