//! Forms with files: `multipart/form-data`.
//!
//! Holds: [`parts`].
//! Promises: strict (RFC 7578): every part has a name, the last boundary is there, nothing comes twice; bytes are looked
//! at once and not copied.
//! Leaves to others: what the parts mean.

/// One part.
#[derive(Debug, PartialEq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: &'a [u8],
}

/// More parts than any form here has.
const PARTS_MAX: usize = 32;

/// The boundary a content type names; `None`: it is no form with files.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The parts of a body; an error says what is wrong with it.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, String> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..]).ok_or("the body does not begin with its boundary")?;
    let mut parts: Vec<Part<'_>> = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("a boundary is not followed by a line end")?;
        let end = find(rest, delimiter.as_bytes()).ok_or("the last boundary is missing")?;
        let part = part(&rest[..end])?;
        if parts.iter().any(|known| known.name == part.name) {
            return Err(format!("the part {} is there twice", part.name));
        }
        parts.push(part);
        if parts.len() > PARTS_MAX {
            return Err(format!("there are more than {PARTS_MAX} parts"));
        }
        rest = &rest[end + delimiter.len()..];
    }
}

fn part(text: &[u8]) -> Result<Part<'_>, String> {
    let end = find(text, b"\r\n\r\n").ok_or("a part has no end of its headers")?;
    let head = std::str::from_utf8(&text[..end]).map_err(|_| "the headers of a part are not UTF-8")?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then(|| value.trim())
    });
    let (kind, parameters) =
        disposition.and_then(|value| value.split_once(';')).ok_or("a part has no content-disposition")?;
    let name = parameter(parameters, "name").filter(|name| kind.trim() == "form-data" && !name.is_empty());
    let name = name.ok_or("a part has no name")?;
    Ok(Part { name, file_name: parameter(parameters, "filename"), bytes: &text[end + 4..] })
}

/// A parameter of a header, bare or in quotes; in quotes a backslash takes the next character as it is.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text.trim_start_matches([' ', ';']);
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim().to_owned(), &value[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.trim_start_matches([' ', ';']);
    }
    None
}

fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// Where `wanted` begins. Looks for its first byte, a carriage return, which is rare even in images.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_form_are_found_and_their_bytes_kept() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA\r\n--b\r\n\
            content-disposition: form-data; name=file; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png\r\n\r\n\x00\r\n-\r\n--\xff\r\n--b--\r\n";
        let found = parts(body, "b").unwrap();
        assert_eq!(found[0], Part { name: "title".to_owned(), file_name: None, bytes: b"A" });
        assert_eq!(
            found[1],
            Part { name: "file".to_owned(), file_name: Some("a \"b\".png".to_owned()), bytes: b"\x00\r\n-\r\n--\xff" }
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn broken_forms_are_refused_with_a_reason() {
        let named = "Content-Disposition: form-data; name=a\r\n\r\n";
        for (body, reason) in [
            (String::new(), "does not begin"),
            ("--b".to_owned(), "line end"),
            (format!("--b\r\n{named}x"), "last boundary"),
            ("--b\r\nx\r\n--b--".to_owned(), "end of its headers"),
            ("--b\r\nX: y\r\n\r\nx\r\n--b--".to_owned(), "content-disposition"),
            ("--b\r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--b--".to_owned(), "no name"),
            (format!("--b\r\n{named}x\r\n--b\r\n{named}y\r\n--b--"), "twice"),
        ] {
            let found = parts(body.as_bytes(), "b").unwrap_err();
            assert!(found.contains(reason), "{body:?}: {found}");
        }
    }

    #[test]
    fn only_forms_with_files_have_a_boundary() {
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"x y\"").as_deref(), Some("x y"));
        assert_eq!(boundary("Multipart/Form-Data;boundary=x").as_deref(), Some("x"));
        for other in
            ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", "multipart/form-data; boundary="]
        {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
