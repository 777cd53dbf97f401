//! Takes secrets out of what comes back.
//!
//! Holds: [`Redactor`], which knows the secrets of one request in the forms in which a server may echo them.
//! Promises: none of these forms reaches a plugin, in body or header: as it is, as base64, with the user name of a
//! Basic header, percent-encoded, escaped for JSON or HTML.
//! Leaves to others: packed answers (`exchange` refuses them), values the server makes itself, such as tokens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use memchr::memmem;
use std::fmt::Write as _;
use zeroize::Zeroizing;

type Form = Zeroizing<Vec<u8>>;

/// Shorter ones would eat ordinary words and numbers of the answer, and protect nobody.
const SECRET_BYTES_MIN: usize = 4;

/// What stands in a secret's place.
const HIDDEN: &[u8] = b"***";

/// The secrets of one request.
#[derive(Default)]
pub(super) struct Redactor {
    /// Longest first, so that a form inside another does not break it up.
    forms: Vec<Form>,
}

impl Redactor {
    /// From now on this value and its other forms are hidden.
    pub(super) fn hide(&mut self, value: &[u8]) {
        if value.len() < SECRET_BYTES_MIN {
            return;
        }
        let mut plain: Vec<Form> = vec![Zeroizing::new(value.to_vec())];
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            plain.push(Zeroizing::new(engine.encode(value).into_bytes()));
        }
        for form in plain {
            self.forms.extend(escaped(&form));
            self.forms.push(form);
        }
        self.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
    }

    /// The body without them; the same buffer if there was nothing.
    pub(super) fn body(&self, body: Bytes) -> Bytes {
        self.replaced(&body).map_or(body, Bytes::from)
    }

    /// A header's value without them.
    pub(super) fn text(&self, value: &[u8]) -> String {
        let replaced = self.replaced(value);
        String::from_utf8_lossy(replaced.as_deref().unwrap_or(value)).into_owned()
    }

    fn replaced(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out: Option<Vec<u8>> = None;
        for form in &self.forms {
            if let Some(next) = without(out.as_deref().unwrap_or(text), form) {
                out = Some(next);
            }
        }
        out
    }
}

fn without(text: &[u8], form: &[u8]) -> Option<Vec<u8>> {
    let mut found = memmem::find_iter(text, form).peekable();
    found.peek()?;
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(HIDDEN);
        from = at + form.len();
    }
    out.extend_from_slice(&text[from..]);
    Some(out)
}

/// The ways in which servers escape text when they print it.
fn escaped(value: &[u8]) -> Vec<Form> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let form_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let mut forms = Vec::new();
    for upper in [true, false] {
        forms.push(by_byte(value, |out, byte| percent(out, byte, unreserved(byte), upper)));
        forms.push(by_byte(value, |out, byte| match byte {
            b' ' => out.push('+'),
            _ => percent(out, byte, form_safe(byte), upper),
        }));
    }
    let Ok(text) = std::str::from_utf8(value) else { return forms };
    for (slash, html_safe, ascii, upper) in [
        (false, false, false, false),
        (true, false, false, false),
        (false, false, true, false),
        (true, false, true, false),
        (false, true, true, false),
        (false, true, true, true),
    ] {
        forms.push(by_char(text, |out, c| json(out, c, slash, html_safe, ascii, upper)));
    }
    for apostrophe in ["'", "&#39;", "&#x27;", "&apos;"] {
        forms.push(by_char(text, |out, c| html(out, c, apostrophe)));
    }
    forms
}

fn percent(out: &mut String, byte: u8, safe: bool, upper: bool) {
    // Writing to a String cannot fail.
    let _ = match (safe, upper) {
        (true, _) => write!(out, "{}", char::from(byte)),
        (false, true) => write!(out, "%{byte:02X}"),
        (false, false) => write!(out, "%{byte:02x}"),
    };
}

/// `html_safe`: the escapes of writers that fear HTML; .NET's escapes plus signs and apostrophes as well.
fn json(out: &mut String, c: char, slash: bool, html_safe: bool, ascii: bool, upper: bool) {
    let unicode = (html_safe && "\"<>&'+`".contains(c)) || (ascii && !c.is_ascii()) || c.is_control();
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '"' if !html_safe => out.push_str("\\\""),
        '/' if slash => out.push_str("\\/"),
        _ if unicode => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
            }
        }
        _ => out.push(c),
    }
}

fn html(out: &mut String, c: char, apostrophe: &str) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str(apostrophe),
        _ => out.push(c),
    }
}

fn by_byte(value: &[u8], mut escape: impl FnMut(&mut String, u8)) -> Form {
    let mut out = String::with_capacity(value.len() * 3);
    value.iter().for_each(|byte| escape(&mut out, *byte));
    Zeroizing::new(out.into_bytes())
}

fn by_char(text: &str, mut escape: impl FnMut(&mut String, char)) -> Form {
    let mut out = String::with_capacity(text.len() * 6);
    text.chars().for_each(|c| escape(&mut out, c));
    Zeroizing::new(out.into_bytes())
}
