//! A request that came in to the product and is handed on, and what to answer.

/// One HTTP request, as the product got it.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequest<'a> {
    /// "POST".
    pub method: &'a str,
    /// Path and raw query as they came; scheme and host may stand before them.
    pub url: &'a str,
    /// In the order they came; names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Byte for byte.
    pub body: &'a [u8],
}

impl<'a> HttpRequest<'a> {
    /// The query as it came, without the question mark.
    pub(crate) fn query(&self) -> &'a str {
        self.url.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default())
    }
}

/// The same, kept by itself.
#[derive(Debug, Clone, Default)]
pub struct OwnedRequest {
    /// "POST".
    pub method: String,
    /// Path and raw query as they came; scheme and host may stand before them.
    pub url: String,
    /// In the order they came; names in any case.
    pub headers: Vec<(String, String)>,
    /// Byte for byte.
    pub body: Vec<u8>,
}

impl OwnedRequest {
    /// Its headers, to be lent by [`OwnedRequest::borrowed`].
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    /// Lends it with its headers.
    pub(crate) fn borrowed<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> HttpRequest<'a> {
        HttpRequest { method: &self.method, url: &self.url, headers, body: &self.body }
    }

    /// Lends it to `work`.
    pub fn with<T>(&self, work: impl FnOnce(&HttpRequest<'_>) -> T) -> T {
        work(&self.borrowed(&self.headers()))
    }
}

/// What the product is to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// 204.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// One with a text, or none.
    pub(crate) fn of(status: u16, text: &str) -> HttpAnswer {
        let mut headers = vec![("cache-control".to_owned(), "no-store".to_owned())];
        if !text.is_empty() {
            headers.push(("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()));
        }
        HttpAnswer { status, headers, body: text.as_bytes().to_vec() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> HttpAnswer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
