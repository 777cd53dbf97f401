//! `types.py`: structs and words.

use super::shapes::{Class, Field, Module};
use super::text;
use std::fmt::Write as _;

/// Fields that hold secrets: never printed. A list of their names may be.
const SECRET: [&str; 4] = ["made", "proxy", "secrets", "session"];

/// What is to become of one secret; its `value` is the secret.
const SECRET_CHANGE: &str = "OpOf";

/// The body of the Python file.
pub(super) fn text(module: &Module) -> String {
    let mut out = String::from(
        "
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from ._hidden import hidden

T = TypeVar(\"T\")

# Structs hold data and never each other in a circle, so the garbage collector need not look at them: gc=False.

# What is known today; the library may say more, and that is no error. So they are texts at run time.
if TYPE_CHECKING:
",
    );
    for (name, (about, known)) in &module.words {
        let known: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        let line = format!("    {name} = Literal[{}]\n", known.join(", "));
        if line.len() <= 121 {
            out.push_str(&line);
        } else {
            let _ = writeln!(out, "    {name} = Literal[\n        {},\n    ]", known.join(",\n        "));
        }
        out.push_str(&text::docstring(4, std::slice::from_ref(about)));
    }
    out.push_str("else:\n");
    for name in module.words.keys() {
        let _ = writeln!(out, "    {name} = str");
    }
    for (name, class) in &module.classes {
        out.push_str(&class_text(name, class));
    }
    out
}

fn class_text(name: &str, class: &Class) -> String {
    let generic = class.fields.iter().any(|field| field.kind.contains("[T]"));
    let bases = if generic { "msgspec.Struct, Generic[T]" } else { "msgspec.Struct" };
    let mut out = format!("\n\nclass {name}({bases}, kw_only=True, omit_defaults=True, gc=False):\n");
    out.push_str(&text::docstring(4, std::slice::from_ref(&class.about)));
    for field in &class.fields {
        out.push('\n');
        out.push_str(&field_text(field));
    }
    let secret = |field: &&Field| is_secret(name, field);
    let secrets: Vec<String> = class.fields.iter().filter(secret).map(|field| format!("\"{}\"", field.name)).collect();
    if !secrets.is_empty() {
        let _ = write!(out, "\n    def __repr__(self) -> str:\n        return hidden(self, {})\n", secrets.join(", "));
    }
    out
}

fn is_secret(class: &str, field: &Field) -> bool {
    let names = SECRET.contains(&field.name.as_str()) || (class == SECRET_CHANGE && field.name == "value");
    names && !field.kind.starts_with("list[")
}

fn field_text(field: &Field) -> String {
    let name = text::name(&field.name);
    let renamed = (name != field.name).then(|| format!("name=\"{}\"", field.name));
    let value = match (&field.default, renamed) {
        (None, None) => String::new(),
        (None, Some(renamed)) => format!(" = msgspec.field({renamed})"),
        (Some(default), None) => format!(" = {default}"),
        (Some(default), Some(renamed)) => format!(" = msgspec.field(default={default}, {renamed})"),
    };
    let mut out = format!("    {name}: {}{value}\n", field.kind);
    if !field.about.is_empty() {
        out.push_str(&text::docstring(4, std::slice::from_ref(&field.about)));
    }
    out
}
