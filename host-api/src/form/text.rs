//! Which of a text's languages is shown.

use super::types::Text;

/// The words of a text for a language tag such as `de-AT`: exactly that tag, then its language, then the default
/// language; and if none is there, the key into the plugin's own catalogue, or nothing.
pub fn text<'a>(text: &'a Text, locale: &str, default_locale: &str) -> &'a str {
    let exactly = |tag: &str| {
        let found = text.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
        found.map(|(_, words)| words.as_str())
    };
    let language = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_owned();
    // A page may write tags the way of POSIX.
    let locale = locale.replace('_', "-");
    let wanted = [locale.clone(), language(&locale), default_locale.to_owned(), language(default_locale)];
    let found = wanted.iter().filter(|tag| !tag.is_empty()).find_map(|tag| exactly(tag));
    found.or_else(|| text.get("$t").map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_shown() {
        let of = |pairs: &[(&str, &str)]| -> Text {
            pairs.iter().map(|(tag, words)| ((*tag).to_owned(), (*words).to_owned())).collect()
        };
        let words = of(&[("en", "Site"), ("de", "Ort"), ("de-CH", "Ort (CH)"), ("pt-BR", "Local")]);
        for (locale, shown) in [
            ("de-CH", "Ort (CH)"),
            ("de-ch", "Ort (CH)"),
            ("de_CH", "Ort (CH)"),
            ("de-AT", "Ort"),
            ("de", "Ort"),
            ("fr", "Site"),
            ("pt", "Site"),
            ("", "Site"),
        ] {
            assert_eq!(text(&words, locale, "en"), shown, "{locale}");
        }
        assert_eq!(text(&of(&[("$t", "site.label")]), "de", "en"), "site.label");
        assert_eq!(text(&of(&[("fr", "Lieu")]), "de", "en"), "");
    }
}
