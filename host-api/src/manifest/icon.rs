//! The picture of a plugin.
//!
//! Promises: what it is told apart by is its bytes, never what its address says; it is bounded.
//! Leaves to others: showing it so that nothing in it runs (the host's pages).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The largest picture, in bytes.
const BYTES_MAX: usize = 64 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// What it is.
    pub kind: PictureKind,
    /// As a file of its kind has them.
    pub bytes: Vec<u8>,
}

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Drawn by the browser.
    Svg,
    /// Made of points.
    Png,
}

impl PictureKind {
    /// As HTTP names it.
    pub const fn content_type(self) -> &'static str {
        match self {
            PictureKind::Svg => "image/svg+xml",
            PictureKind::Png => "image/png",
        }
    }
}

impl Icon {
    /// Reads `data:image/…;base64,…`. An error says what is wrong.
    pub(super) fn read(text: &str) -> Result<Icon, &'static str> {
        let said =
            |kind: PictureKind| text.strip_prefix("data:")?.strip_prefix(kind.content_type())?.strip_prefix(";base64,");
        let kinds = [PictureKind::Svg, PictureKind::Png];
        let Some((kind, encoded)) = kinds.into_iter().find_map(|kind| Some((kind, said(kind)?))) else {
            return Err("must be data:image/svg+xml;base64,… or data:image/png;base64,…");
        };
        if encoded.len() > BYTES_MAX / 3 * 4 + 4 {
            return Err("is larger than 64 KiB");
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| "is not valid base64")?;
        if bytes.len() > BYTES_MAX {
            return Err("is larger than 64 KiB");
        }
        if kind_of(&bytes) != Some(kind) {
            return Err("is not the kind of picture that it says");
        }
        Ok(Icon { kind, bytes })
    }
}

/// What the bytes are.
fn kind_of(bytes: &[u8]) -> Option<PictureKind> {
    if bytes.starts_with(PNG) {
        return Some(PictureKind::Png);
    }
    let mut rest = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    // A declaration and comments may stand before the first element; a DOCTYPE, which can name other files, may not.
    loop {
        rest = match (rest.strip_prefix("<?"), rest.strip_prefix("<!--")) {
            (Some(behind), _) => behind.split_once("?>")?.1.trim_start(),
            (_, Some(behind)) => behind.split_once("-->")?.1.trim_start(),
            (None, None) => break,
        };
    }
    let behind = rest.strip_prefix("<svg")?;
    behind.starts_with([' ', '\t', '\r', '\n', '>', '/']).then_some(PictureKind::Svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(kind: &str, bytes: &[u8]) -> String {
        format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn a_picture_is_what_its_bytes_are() {
        let svg = b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- ours -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        let png = [PNG, b"rest"].concat();
        assert_eq!(Icon::read(&data("svg+xml", svg)).map(|icon| icon.kind), Ok(PictureKind::Svg));
        assert_eq!(Icon::read(&data("png", &png)).map(|icon| icon.bytes), Ok(png.clone()));
        for wrong in [
            data("png", svg),
            data("svg+xml", &png),
            data("svg+xml", b"<html><svg></svg></html>"),
            data("svg+xml", b"<!DOCTYPE svg SYSTEM \"x\"><svg/>"),
            data("svg+xml", b"<svgx/>"),
            data("gif", b"GIF89a"),
            data("png", &[PNG, &vec![0; BYTES_MAX]].concat()),
            "https://example.com/a.png".to_owned(),
            "data:image/png;base64,%%%".to_owned(),
        ] {
            assert!(Icon::read(&wrong).is_err(), "{}", &wrong[..wrong.len().min(60)]);
        }
    }
}
