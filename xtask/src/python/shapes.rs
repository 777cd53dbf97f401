//! The published schemas, as classes and methods.
//!
//! Holds: what the Python files are printed from, and how a schema becomes that.
//! Promises: two shapes never share a name unseen: such a pair is refused.

use super::text;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Methods that the package has by hand: an event has fields by its kind.
const BY_HAND: &str = "events.";

/// The class that is one for every kind of item.
const GENERIC: &str = "Page";

/// Everything the files are printed from.
#[derive(Default)]
pub(super) struct Module {
    /// By name.
    pub(super) classes: BTreeMap<String, Class>,
    /// Texts of which some are known: name, meaning, the known ones.
    pub(super) words: BTreeMap<String, (String, Vec<String>)>,
    /// In the order of their names.
    pub(super) methods: Vec<Method>,
    /// What each name was made from.
    made_from: BTreeMap<String, String>,
}

/// A struct.
pub(super) struct Class {
    pub(super) about: String,
    pub(super) fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Clone)]
pub(super) struct Field {
    /// As in JSON.
    pub(super) name: String,
    /// Its type.
    pub(super) kind: String,
    /// What stands for it when it is left out; `None`: it must be there.
    pub(super) default: Option<String>,
    pub(super) about: String,
}

/// A method.
pub(super) struct Method {
    pub(super) name: String,
    pub(super) about: String,
    /// The class of its parameters.
    pub(super) params: String,
    /// The type of its result.
    pub(super) result: String,
    pub(super) input: bool,
    pub(super) output: bool,
}

/// Reads them all.
pub(super) fn read(schemas: &Value) -> Result<Module, String> {
    let mut module = Module::default();
    let methods = schemas["methods"].as_object().ok_or("there are no methods")?;
    // Results first: a type that methods both give and take is one to be tolerant about.
    for (name, method) in methods.iter().filter(|(name, _)| !name.starts_with(BY_HAND)) {
        let mut reader = Reader { module: &mut module, root: &method["result"], at: name, tolerant: true };
        let result = reader.root(None)?;
        module.methods.push(Method {
            name: name.clone(),
            about: about(method),
            params: format!("{}Params", text::pascal(name)),
            result,
            input: method["input"] == true,
            output: method["output"] == true,
        });
    }
    for (name, method) in methods {
        let params = format!("{}Params", text::pascal(name));
        Reader { module: &mut module, root: &method["params"], at: name, tolerant: false }.root(Some(params))?;
    }
    for (part, name) in [("config", "Config"), ("who", "Who")] {
        Reader { module: &mut module, root: &schemas[part], at: part, tolerant: false }.root(Some(name.into()))?;
    }
    Ok(module)
}

fn about(node: &Value) -> String {
    ["about", "description"]
        .iter()
        .find_map(|key| node[key].as_str())
        .unwrap_or_default()
        .replace("[`", "`")
        .replace("`]", "`")
}

/// One schema with its own definitions.
struct Reader<'a> {
    module: &'a mut Module,
    root: &'a Value,
    /// The method, for names.
    at: &'a str,
    /// What comes from the library may be newer than this package.
    tolerant: bool,
}

impl Reader<'_> {
    /// Declares the root under its title or the given name.
    fn root(&mut self, name: Option<String>) -> Result<String, String> {
        let title = self.root["title"].as_str().ok_or_else(|| format!("{} has no title", self.at))?;
        let name = name.unwrap_or_else(|| title.to_owned());
        self.declare(&name, self.root)
    }

    /// The type of a node.
    fn kind(&mut self, node: &Value) -> Result<String, String> {
        if let Some(name) = node["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            let root = self.root;
            return self.declare(name, &root["$defs"][name]);
        }
        if let Some(branches) = node["anyOf"].as_array() {
            let kinds: Result<Vec<String>, String> = branches.iter().map(|branch| self.kind(branch)).collect();
            return Ok(kinds?.join(" | "));
        }
        match &node["type"] {
            Value::Null => Ok("Any".into()),
            Value::String(one) => self.plain(one, node),
            Value::Array(several) => {
                let several: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
                match several.as_slice() {
                    [one, "null"] => Ok(format!("{} | None", self.plain(one, node)?)),
                    _ => Ok("Any".into()),
                }
            }
            other => Err(format!("{}: the type {other} is not known here", self.at)),
        }
    }

    fn plain(&mut self, kind: &str, node: &Value) -> Result<String, String> {
        let word = match kind {
            "string" => "str",
            "integer" => "int",
            "number" => "float",
            "boolean" => "bool",
            "null" => "None",
            "object" => match &node["additionalProperties"] {
                inner @ Value::Object(_) => return Ok(format!("dict[str, {}]", self.kind(inner)?)),
                _ => "dict[str, Any]",
            },
            "array" => match node["prefixItems"].as_array() {
                Some(items) => {
                    let kinds: Result<Vec<String>, String> = items.iter().map(|item| self.kind(item)).collect();
                    return Ok(format!("tuple[{}]", kinds?.join(", ")));
                }
                None => return Ok(format!("list[{}]", self.kind(&node["items"])?)),
            },
            other => return Err(format!("{}: the type {other} is not known here", self.at)),
        };
        Ok(word.into())
    }

    /// The type that a name stands for; a class or words are declared if they are not yet.
    fn declare(&mut self, name: &str, node: &Value) -> Result<String, String> {
        let known = known_words(node);
        if known.is_empty() && !is_class(node) {
            return self.kind(node);
        }
        let name = name.to_owned();
        let mut kind = if self.tolerant && !known.is_empty() { format!("{name} | str") } else { name.clone() };
        if name == GENERIC {
            kind = format!("{name}[{}]", self.kind(&node["properties"]["items"]["items"])?);
        }
        if self.is_there(&name, node)? {
            return Ok(kind);
        }
        if !known.is_empty() {
            self.module.words.insert(name, (about(node), known));
            return Ok(kind);
        }
        let mut fields = self.fields(node)?;
        for field in fields.iter_mut().filter(|field| name == GENERIC && field.name == "items") {
            field.kind = "list[T]".into();
        }
        self.module.classes.insert(name, Class { about: about(node), fields });
        Ok(kind)
    }

    /// Whether the name is taken by the same shape; an error if by another.
    fn is_there(&mut self, name: &str, node: &Value) -> Result<bool, String> {
        let mut shape = node.clone();
        if let Value::Object(shape) = &mut shape {
            shape.retain(|key, _| !["$defs", "$schema", "title", "description"].contains(&key.as_str()));
        }
        if name == GENERIC {
            shape["properties"]["items"]["items"] = Value::Null;
        }
        let shape = shape.to_string();
        match self.module.made_from.get(name) {
            Some(there) if *there == shape => Ok(true),
            Some(_) => Err(format!(
                "{}: {name} has another shape elsewhere; give one of the two another name for its schema",
                self.at
            )),
            None => {
                self.module.made_from.insert(name.to_owned(), shape);
                Ok(false)
            }
        }
    }

    /// All fields: those that must be there in their order, then the others.
    fn fields(&mut self, node: &Value) -> Result<Vec<Field>, String> {
        if let Some(variants) = node["oneOf"].as_array() {
            return self.merged(variants);
        }
        let none = Map::new();
        let mut properties = node["properties"].as_object().unwrap_or(&none).clone();
        let mut fields = Vec::new();
        if let Some(name) = node["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            let root = self.root;
            fields = self.fields(&root["$defs"][name])?;
        }
        for name in node["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if let Some(property) = properties.remove(name) {
                let kind = self.kind(&property)?;
                // An empty list or dictionary may be left out of an answer.
                let empty = if is_of(&kind, "list[") { Some("[]") } else { is_of(&kind, "dict[").then_some("{}") };
                let default = empty.filter(|_| self.tolerant).map(str::to_owned);
                fields.push(Field { name: name.into(), kind, default, about: about(&property) });
            }
        }
        for (name, property) in &properties {
            fields.push(self.optional(name, property)?);
        }
        Ok(fields)
    }

    fn optional(&mut self, name: &str, property: &Value) -> Result<Field, String> {
        let mut kind = self.kind(property)?;
        let given = property.get("default").filter(|value| !value.is_null());
        let is_plain = ["str", "int", "float", "bool"].contains(&kind.as_str());
        let default = match (given.and_then(text::literal), kind.as_str()) {
            (Some(literal), _) if is_plain => literal,
            (_, list) if is_of(list, "list[") && given.is_none_or(is_empty) => "[]".into(),
            (_, dict) if is_of(dict, "dict[") && given.is_none_or(is_empty) => "{}".into(),
            _ => match given.filter(|_| self.tolerant).and_then(|given| self.made(&kind, given)) {
                Some(made) => made,
                None => {
                    if kind != "Any" && !kind.ends_with("| None") {
                        kind.push_str(" | None");
                    }
                    "None".into()
                }
            },
        };
        Ok(Field { name: name.into(), kind, default: Some(default), about: about(property) })
    }

    /// A default that is an object or a word, as Python makes it.
    fn made(&self, kind: &str, given: &Value) -> Option<String> {
        if let Value::Object(fields) = given {
            self.module.classes.get(kind)?;
            let given: Option<Vec<String>> = fields
                .iter()
                .map(|(name, value)| Some(format!("{}={}", text::name(name), text::literal(value)?)))
                .collect();
            return Some(format!("msgspec.field(default_factory=lambda: {kind}({}))", given?.join(", ")));
        }
        given.as_str().and_then(|_| text::literal(given))
    }

    /// One class for an object of several kinds: a field that some lack may be left out.
    fn merged(&mut self, variants: &[Value]) -> Result<Vec<Field>, String> {
        let mut all: Vec<Field> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for variant in variants {
            for field in self.fields(variant)? {
                *seen.entry(field.name.clone()).or_default() += 1;
                match all.iter_mut().find(|other| other.name == field.name) {
                    Some(other) => other.default = other.default.take().or(field.default),
                    None => all.push(field),
                }
            }
        }
        for field in &mut all {
            if seen.get(&field.name) != Some(&variants.len()) && field.default.is_none() {
                field.default = Some("None".into());
                if !field.kind.ends_with("| None") {
                    field.kind.push_str(" | None");
                }
            }
        }
        all.sort_by_key(|field| field.default.is_some());
        Ok(all)
    }
}

/// Whether a type is a list or a dictionary, and never nothing.
fn is_of(kind: &str, start: &str) -> bool {
    kind.starts_with(start) && !kind.ends_with("| None")
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// The known texts of a node that is one of several texts.
fn known_words(node: &Value) -> Vec<String> {
    let listed = node["enum"].as_array().into_iter().flatten();
    let branches = node["oneOf"].as_array().into_iter().flatten();
    let told = branches.flat_map(|branch| {
        let listed = branch["enum"].as_array().into_iter().flatten();
        branch.get("const").into_iter().chain(listed)
    });
    listed.chain(told).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a node is an object whose fields are known.
fn is_class(node: &Value) -> bool {
    node["oneOf"].is_array()
        || (node["type"] == "object" && !(node["properties"].is_null() && node["additionalProperties"].is_object()))
}
