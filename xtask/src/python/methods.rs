//! `_table.py`, `_methods.py` and `_async_methods.py`: the methods with their types.

use super::shapes::{Class, Field, Method, Module};
use super::text;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The table: one constant per method.
pub(super) fn table(module: &Module) -> String {
    let mut out =
        String::from("\nfrom __future__ import annotations\n\nfrom . import types\nfrom ._call import Method\n\n");
    for method in &module.methods {
        let kind = of_types(&method.result);
        let _ = writeln!(out, "{}: Method[{kind}] = Method(\"{}\", {kind})", text::constant(&method.name), method.name);
    }
    out
}

/// The methods as functions of classes, one class per subject.
pub(super) fn facade(module: &Module, awaited: bool) -> String {
    let mut subjects: BTreeMap<&str, Vec<(&str, &Method)>> = BTreeMap::new();
    let mut alone = Vec::new();
    for method in &module.methods {
        match method.name.split_once('.') {
            Some((subject, verb)) => subjects.entry(subject).or_default().push((verb, method)),
            None => alone.push((method.name.as_str(), method)),
        }
    }
    let (run, prefix) = if awaited { ("AsyncRun", "Async") } else { ("Run", "") };
    let imported = if awaited { "AsyncRun, CallOptions" } else { "CallOptions, Run" };
    let mut out = format!(
        "
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import _table, types
from ._call import {imported}, Sink, Source
"
    );
    for (subject, methods) in &subjects {
        let _ = write!(
            out,
            "\n\nclass {prefix}{}:\n    \"\"\"{subject}.*\"\"\"\n\n    def __init__(self, run: {run}) -> None:\n        self._run = run\n",
            text::pascal(subject)
        );
        for (verb, method) in methods {
            out.push_str(&function(module, verb, method, awaited));
        }
    }
    let _ = write!(
        out,
        "\n\nclass {prefix}Facade:\n    \"\"\"All methods, by what they are about.\"\"\"\n\n    def __init__(self, run: {run}) -> None:\n        self._run = run\n"
    );
    for subject in subjects.keys() {
        let _ = writeln!(out, "        self.{subject} = {prefix}{}(run)", text::pascal(subject));
    }
    for (verb, method) in alone {
        out.push_str(&function(module, verb, method, awaited));
    }
    out
}

fn function(module: &Module, verb: &str, method: &Method, awaited: bool) -> String {
    let none = Vec::new();
    let fields = module.classes.get(&method.params).map_or(&none, |Class { fields, .. }| fields);
    let (start, wait) = if awaited { ("async def", "await ") } else { ("def", "") };
    let mut out = format!("\n    {start} {}(\n        self,\n        *,\n", text::name(verb));
    let mut told = vec![method.about.clone()];
    let mut passed = vec!["options".to_owned()];
    for field in fields {
        let _ = writeln!(out, "        {},", parameter(field));
        told.push(format!("{}: {}", text::name(&field.name), field.about));
    }
    if method.input {
        out.push_str("        input: Source,\n");
        told.push("input: The bytes: themselves, a path, or an open binary file.".into());
        passed.push("source=input".into());
    }
    if method.output {
        out.push_str("        output: Sink,\n");
        told.push("output: Where the bytes go: a path, or an open binary file.".into());
        passed.push("sink=output".into());
    }
    let _ = writeln!(out, "        options: CallOptions | None = None,\n    ) -> {}:", of_types(&method.result));
    out.push_str(&text::docstring(8, &told));
    let names = fields.iter().map(|field| text::name(&field.name));
    let given: Vec<String> =
        names.map(|name| format!("                {name}={},\n", converted(&name, fields))).collect();
    let _ = write!(out, "        return {wait}self._run(\n            _table.{},\n", text::constant(&method.name));
    if given.is_empty() {
        let _ = writeln!(out, "            types.{}(),", method.params);
    } else {
        let _ = writeln!(out, "            types.{}(\n{}            ),", method.params, given.concat());
    }
    for argument in passed {
        let _ = writeln!(out, "            {argument},");
    }
    out + "        )\n"
}

/// A field as a parameter: what is only read may be of any kind that can be read.
fn parameter(field: &Field) -> String {
    let kind = of_types(&field.kind);
    let default = match field.default.as_deref() {
        Some("[]") => " = ()".to_owned(),
        Some("{}") => " | None = None".to_owned(),
        Some(default) => format!(" = {default}"),
        None => String::new(),
    };
    let kind = kind.replace("list[", "Sequence[").replace("dict[", "Mapping[");
    format!("{}: {kind}{default}", text::name(&field.name))
}

/// What is handed on for a parameter: structs hold lists and dictionaries.
fn converted(name: &str, fields: &[Field]) -> String {
    let field = fields.iter().find(|field| text::name(&field.name) == name);
    let kind = field.map_or("", |field| field.kind.as_str());
    let may_be_none = kind.ends_with("| None");
    let make = if kind.starts_with("list[") {
        "list"
    } else if kind.starts_with("dict[") {
        "dict"
    } else {
        return name.to_owned();
    };
    if may_be_none {
        format!("None if {name} is None else {make}({name})")
    } else if make == "dict" {
        format!("{make}({name} or {{}})")
    } else {
        format!("{make}({name})")
    }
}

/// A type as other modules name it.
fn of_types(kind: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in kind.chars().chain(std::iter::once(' ')) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let is_class = word.starts_with(|c: char| c.is_uppercase()) && word != "Any" && word != "None";
        out.push_str(if is_class { "types." } else { "" });
        out.push_str(&std::mem::take(&mut word));
        out.push(c);
    }
    out.trim_end().to_owned()
}
