//! What an answer that is no success means.
//!
//! Holds: the list of error codes, and which of them speak of one operation rather than of the connection.
//! Promises: an answer becomes one code; text of the PSA is shortened; HTML never reaches a message in full.

use psa_host_api::error::{ProviderAnswer, SpeaksOf};
use psa_host_api::sdk::Response;
use psa_host_api::{Code, Error};
use serde_json::Value;

/// The longest text of theirs that we repeat, in characters.
const THEIR_WORDS_MAX: usize = 300;

/// An error body. Source: facts 5.1; rate limit bodies have `error` instead of `code`.
struct Body {
    code: String,
    message: String,
    errors: Vec<(String, String, String)>,
}

impl Body {
    /// `None`: it is not theirs, some proxy or page has answered.
    fn read(response: &Response) -> Option<Body> {
        let value: Value = serde_json::from_slice(&response.body).ok()?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = text(&value, "code");
        let message = text(&value, "message");
        let errors = value.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let errors = errors.iter().map(|error| (text(error, "field"), text(error, "code"), text(error, "message")));
        let body = Body { code, message, errors: errors.collect() };
        (!body.code.is_empty() || !body.message.is_empty()).then_some(body)
    }
}

/// The answer, if it is a success.
pub(crate) fn check(response: Response) -> Result<Response, Error> {
    if response.is_success() { Ok(response) } else { Err(refusal(&response)) }
}

/// Whether the code base in the path may be the reason. Source: facts 1.3.
pub(crate) fn may_be_routing(response: &Response) -> bool {
    match response.status {
        400 => response.excerpt().contains("Cannot route"),
        404 => Body::read(response).is_none_or(|body| body.code != "NotFound"),
        _ => false,
    }
}

/// What the answer means. Source: facts 5.2, except where it says so.
fn refusal(response: &Response) -> Error {
    let body = Body::read(response);
    let (their_code, words) = match &body {
        Some(body) => (body.code.as_str(), clip(&body.message)),
        None => ("", response.excerpt()),
    };
    let (code, reason, about, ours) = meaning(response, their_code, &words);
    let mut error =
        Error::new(code, format!("{ours}. ConnectWise says {}: {}", response.status, whole(&words, body.as_ref())));
    if !reason.is_empty() {
        error = error.because(reason);
    }
    error = error.of(about);
    for (field, code, message) in body.iter().flat_map(|body| &body.errors) {
        error = error.field(field.as_str(), snake(code), clip(message));
    }
    error.provider = Some(ProviderAnswer {
        status: Some(response.status),
        code: (!their_code.is_empty()).then(|| their_code.to_owned()),
        request_id: response.header("x-cw-request-id").map(clip),
    });
    error
}

fn meaning(response: &Response, their_code: &str, words: &str) -> (Code, &'static str, SpeaksOf, &'static str) {
    use SpeaksOf::{Connection, Operation};
    match (response.status, their_code) {
        (400, "InvalidObject") => (Code::Rejected, "", Operation, "ConnectWise does not accept this"),
        (400, "ApiFindCondition") => {
            (Code::InvalidArgument, "bad_condition", Operation, "The filter was not understood")
        }
        (400, "ConnectWiseApi") => (Code::Internal, "not_understood", Operation, "The request was not understood"),
        (400, _) if words.contains("Cannot route") => {
            let ours = "The address is not that of this company: check the site, the address and the company";
            (Code::Unavailable, "cannot_route", Connection, ours)
        }
        (400, _) => (Code::Rejected, "", Operation, "ConnectWise does not accept this"),
        (401, _) => {
            (Code::Unauthenticated, "", Connection, "The keys were refused: check company, public and private key")
        }
        (403, _) if words.contains("SSL is required") => (
            Code::Unavailable,
            "wrong_host",
            Connection,
            "This is not the REST address: it begins with api- in the cloud",
        ),
        // A missing right: other operations may well be allowed.
        (403, _) => (Code::Forbidden, "", Operation, "The security role of the API member does not allow this"),
        (404, "NotFound") => (Code::NotFound, "", Operation, "It is not there, or the API member may not see it"),
        (404, "ConnectWiseApi") => (Code::Unsupported, "endpoint_missing", Operation, "This ConnectWise cannot do it"),
        (404, _) => (Code::NotFound, "", Connection, "Nothing is there: check the address"),
        (405, _) => (Code::Unsupported, "endpoint_missing", Operation, "This ConnectWise cannot do it"),
        (409, _) => (Code::Conflict, "", Operation, "The record is in use or has changed"),
        (413 | 414, _) => (Code::TooLarge, "", Operation, "It is too long for ConnectWise"),
        (415, _) => (Code::Internal, "not_understood", Operation, "The request was not understood"),
        // The status alone decides: proxies answer with bodies of their own. Source: facts 5.3.
        (429, _) => (Code::RateLimited, "", Connection, "ConnectWise asks to slow down"),
        (300..400, _) => (Code::Unavailable, "redirected", Connection, "The address leads elsewhere: check it"),
        (500.., _) => (Code::Unavailable, "", Connection, "ConnectWise has a fault or is being upgraded"),
        _ => (Code::Unavailable, "odd_status", Connection, "The answer has a status that means nothing here"),
    }
}

/// Their words with those about single fields: of an object that is "invalid" only these say why. Source: facts 5.1.
fn whole(words: &str, body: Option<&Body>) -> String {
    let details = body.iter().flat_map(|body| &body.errors).map(|(_, _, message)| message.trim());
    let details: Vec<&str> = details.filter(|message| !message.is_empty() && !words.contains(message)).collect();
    if details.is_empty() { words.to_owned() } else { clip(&format!("{words}: {}", details.join(" "))) }
}

fn clip(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(THEIR_WORDS_MAX).collect();
    line.trim().to_owned()
}

/// `MaxLengthField` as `max_length_field`.
fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars().take(60) {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Error {
        let headers = vec![("x-cw-request-id".to_owned(), "req-1".to_owned())];
        check(Response { status, headers, body: body.into() }).unwrap_err()
    }

    #[test]
    fn every_answer_has_one_meaning() {
        use SpeaksOf::{Connection, Operation};
        let invalid = r#"{"code":"InvalidObject","message":"ticket object is invalid","errors":[{"code":"MaxLengthField",
            "message":"too long","resource":"ticket","field":"summary"}]}"#;
        for (status, body, code, reason, about) in [
            (400, invalid, Code::Rejected, None, Operation),
            (
                400,
                r#"{"code":"ApiFindCondition","message":"x is not a name"}"#,
                Code::InvalidArgument,
                Some("bad_condition"),
                Operation,
            ),
            (
                400,
                r#"{"code":"ConnectWiseApi","message":"Could not find member"}"#,
                Code::Internal,
                Some("not_understood"),
                Operation,
            ),
            (400, "Cannot route. Codebase/company is invalid", Code::Unavailable, Some("cannot_route"), Connection),
            (400, r#"{"message":"Unsupported format applied to timeStart"}"#, Code::Rejected, None, Operation),
            (401, r#"{"code":"Unauthorized","message":"no"}"#, Code::Unauthenticated, None, Connection),
            (401, "", Code::Unauthenticated, None, Connection),
            (403, r#"{"code":"Security","message":"no right"}"#, Code::Forbidden, None, Operation),
            (
                403,
                r#"{"code":"Security","message":"SSL is required."}"#,
                Code::Unavailable,
                Some("wrong_host"),
                Connection,
            ),
            (404, r#"{"code":"NotFound","message":"Ticket 1 not found"}"#, Code::NotFound, None, Operation),
            (
                404,
                r#"{"code":"ConnectWiseApi","message":"no endpoint"}"#,
                Code::Unsupported,
                Some("endpoint_missing"),
                Operation,
            ),
            (404, "<html>", Code::NotFound, None, Connection),
            (405, "", Code::Unsupported, Some("endpoint_missing"), Operation),
            (409, "", Code::Conflict, None, Operation),
            (413, "", Code::TooLarge, None, Operation),
            (414, "", Code::TooLarge, None, Operation),
            (415, "", Code::Internal, Some("not_understood"), Operation),
            (429, r#"{"error":"ConnectWiseAPI","message":"slow"}"#, Code::RateLimited, None, Connection),
            (429, "<html>proxy</html>", Code::RateLimited, None, Connection),
            (302, "", Code::Unavailable, Some("redirected"), Connection),
            (500, r#"{"code":"ConnectWiseApi","message":"fault"}"#, Code::Unavailable, None, Connection),
            (502, "<html>", Code::Unavailable, None, Connection),
            (418, "", Code::Unavailable, Some("odd_status"), Connection),
        ] {
            let error = answer(status, body);
            let found = (error.code, error.reason.as_deref(), error.speaks_of);
            assert_eq!(found, (code, reason, Some(about)), "{status} {body}: {error}");
            assert_eq!(error.provider.unwrap().request_id.as_deref(), Some("req-1"));
        }
        let error = answer(400, invalid);
        assert_eq!((error.fields[0].at.as_str(), error.fields[0].code.as_str()), ("summary", "max_length_field"));
        assert!(error.message.ends_with("ticket object is invalid: too long"), "{error}");
    }

    #[test]
    fn their_words_are_shortened_and_stay_on_one_line() {
        let error = answer(500, &format!(r#"{{"code":"X","message":"{}\nline"}}"#, "é".repeat(5000)));
        assert!(error.message.chars().count() < 450 && !error.message.contains('\n'), "{error}");
        let error = answer(503, &format!("<html>{}</html>", "x".repeat(5000)));
        assert!(error.message.chars().count() < 300, "{error}");
    }
}
