//! The stylesheet, the script and the picture for the browser's tab, as they are served.

use crate::clock::hex;
use crate::fork::PerProcess;
use sha2::{Digest as _, Sha256};

/// One file.
pub(crate) struct Asset {
    /// "psa.0123456789ab.css".
    pub(crate) name: String,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The stylesheet.
pub(crate) fn style() -> &'static Asset {
    static STYLE: PerProcess<Asset> = PerProcess::new();
    STYLE.get(|| asset("css", "text/css; charset=utf-8", include_bytes!("assets/psa.css")))
}

/// The script, without which everything works too.
pub(crate) fn script() -> &'static Asset {
    static SCRIPT: PerProcess<Asset> = PerProcess::new();
    SCRIPT.get(|| asset("js", "text/javascript; charset=utf-8", include_bytes!("assets/psa.js")))
}

/// The picture for the browser's tab.
pub(crate) fn icon() -> &'static Asset {
    static ICON: PerProcess<Asset> = PerProcess::new();
    ICON.get(|| asset("svg", "image/svg+xml", include_bytes!("assets/icon.svg")))
}

/// The one of a name: only the present content has one.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    [style(), script(), icon()].into_iter().find(|asset| asset.name == name)
}

fn asset(extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = hex(&Sha256::digest(bytes));
    Asset { name: format!("psa.{}.{extension}", &digest[..12]), content_type, bytes }
}
