//! Reads of what has no word of ours.
//!
//! Promises: a GET below the base path of this connection, whatever the path says.

use crate::client::{Ask, Client};
use crate::paging::link_value;
use psa_host_api::Error;
use psa_host_api::ops::{RawAnswer, RawRequest};
use psa_host_api::sdk::{Cx, Request};

/// Source: facts 3.2, for the whole address.
const PATH_MAX: usize = 500;

/// By what the two kinds of paging lead on. Source: facts 3.5 and 3.6.
const PAGES: [&str; 2] = ["pageId", "page"];

pub(crate) async fn read(client: &Client, cx: &Cx, request: RawRequest) -> Result<RawAnswer, Error> {
    check_path(&request.path)?;
    let ask = Ask::new("GET", request.path.as_str()).query(&request.query);
    // Who names the id to go on from means this kind of paging. Source: facts 3.6.
    let forward = request.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("pageId"));
    let shape = |ask: Request| if forward { ask.header("pagination-type", "forward-only") } else { ask };
    let response = client.read_as(cx, &ask, shape).await?;
    let next = response.header("link").map(|link| next(&request.query, link)).unwrap_or_default();
    Ok(RawAnswer { value: response.json()?, next })
}

/// Nothing in a path may lead out of the base path or begin a query.
fn check_path(path: &str) -> Result<(), Error> {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'));
    let parts = path.strip_suffix('/').unwrap_or(path);
    let leads = parts.split('/').all(|part| !part.is_empty() && part != "." && !part.contains(".."));
    if plain && leads && path.len() <= PATH_MAX {
        return Ok(());
    }
    let message = "path must be below the REST interface, such as service/boards/1/teams: letters, digits, _ - . and \
                   single slashes; names and values belong into query";
    Err(Error::invalid(message).field("/path", "path", message))
}

/// The query that leads to the next page. Of their link only the number is taken. Source: facts 1.3.
fn next(query: &[(String, String)], link: &str) -> Vec<(String, String)> {
    let Some((name, value)) = PAGES.iter().find_map(|name| Some((*name, link_value(link, name)?))) else {
        return Vec::new();
    };
    let others = query.iter().filter(|(found, _)| PAGES.iter().all(|page| !found.eq_ignore_ascii_case(page)));
    others.cloned().chain([(name.to_owned(), value.to_string())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_base_path() {
        for path in ["service/boards/1/teams", "system/info", "system/info/", "time/v1.2_x-y"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "/",
            "/system/info",
            "//evil.example/x",
            "system//info",
            "system/../../login",
            "..",
            "./system",
            "https://evil.example/",
            "system/info?x=1",
            "system/info#x",
            "system%2finfo",
            "system\\info",
            "system/info ",
            "systém",
            &"a".repeat(501),
        ] {
            assert_eq!(check_path(path).unwrap_err().fields[0].at, "/path", "{path}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_query_and_takes_a_number_alone() {
        let query = [("conditions".to_owned(), "id>1".to_owned()), ("Page".to_owned(), "1".to_owned())];
        let to = |link: &str| next(&query, link);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = |name: &str, value: &str| vec![query[0].clone(), pair(name, value)];
        let link = "<https://evil.example/x?page=2&conditions=x>; rel=\"next\", <https://x/y?page=9>; rel=\"last\"";
        assert_eq!(to(link), expected("page", "2"));
        assert_eq!(to("<https://x/y?pageSize=5&pageId=77>; rel=\"next\""), expected("pageId", "77"));
        assert!(to("").is_empty() && to("<https://x/y?page=1>; rel=\"prev\"").is_empty());
    }
}
