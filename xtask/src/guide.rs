//! The guide as it lies in the package.
//!
//! Holds: which pages there are, and where their links lead.
//! Promises: a link to what the package has stays within it; any other link into the repository leads to its web view.
//! Leaves to others: where else files of the repository go (`package`).

use crate::files::list;
use crate::{links, read};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where the repository can be read on the web.
pub const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The folders whose pages belong to the guide: its own, and, of what explains it, what it reaches.
const OWN: &str = "docs/embedding/";
const AROUND: &str = "docs/";

/// The pages, by their paths in the repository.
pub fn pages(root: &Path) -> Result<BTreeSet<String>, String> {
    let own = list(&root.join(OWN))?;
    let mut open: Vec<String> =
        own.iter().filter_map(|file| Some(format!("{OWN}{}", file.file_name()?.to_str()?))).collect();
    let mut found = BTreeSet::new();
    while let Some(page) = open.pop() {
        let text = read(&root.join(&page))?;
        if !found.insert(page.clone()) {
            continue;
        }
        let reached = links::of(&text).filter_map(|link| links::resolved(&page, link.target));
        open.extend(reached.map(|(path, _)| path).filter(|path| is_around(path)));
    }
    Ok(found)
}

/// A page that stands in `docs` itself.
fn is_around(path: &str) -> bool {
    path.strip_prefix(AROUND).is_some_and(|name| name.ends_with(".md") && !name.contains('/'))
}

/// A page with its links as they are right in the package. `from`: its path in the repository; `places`: where files of
/// the repository lie in the package.
pub fn in_package(from: &str, text: &str, places: &BTreeMap<String, String>) -> Result<String, String> {
    let here = places.get(from).ok_or_else(|| format!("{from} has no place in the package"))?;
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for link in links::of(text) {
        let Some((path, anchor)) = links::resolved(from, link.target) else { continue };
        let target = match places.get(&path) {
            Some(place) => links::relative(here, place),
            None => format!("{REPOSITORY}/blob/main/{path}"),
        };
        out.push_str(&text[done..link.at]);
        out.push_str(&target);
        out.push_str(anchor);
        done = link.at + link.target.len();
    }
    out.push_str(&text[done..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_into_the_package_or_to_the_web() {
        let places = [
            ("docs/embedding/c.md", "share/doc/docs/embedding/c.md"),
            ("docs/page.md", "share/doc/docs/page.md"),
            ("include/psa_host.h", "include/psa_host.h"),
        ];
        let places = BTreeMap::from(places.map(|(from, to)| (from.to_owned(), to.to_owned())));
        let text = "[a](../page.md#x) [b](https://github.com/psa-bridge/psa-bridge/blob/main/include/psa_host.h)\n\
                    ```\n[c](../page.md)\n```\n![d](../shots/a.png) [e](#f) [g](https://example.com) [h](../decisions/1.md#i)";
        let found = in_package("docs/embedding/c.md", text, &places).expect("it has a place");
        let wanted = "[a](../page.md#x) [b](../../../../include/psa_host.h)\n```\n[c](../page.md)\n```\n\
                      ![d](https://github.com/psa-bridge/psa-bridge/blob/main/docs/shots/a.png) [e](#f) [g](https://example.com) \
                      [h](https://github.com/psa-bridge/psa-bridge/blob/main/docs/decisions/1.md#i)";
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_pages_are_those_of_the_guide_and_what_explains_it() {
        let pages = pages(&crate::root()).expect("they are there");
        for page in ["docs/embedding/README.md", "docs/guarantees.md", "docs/methods.md", "docs/page.md"] {
            assert!(pages.contains(page), "{pages:?}");
        }
        assert!(!pages.iter().any(|page| page.contains("decisions")), "{pages:?}");
    }
}
