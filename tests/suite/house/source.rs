//! One file of code, as far as its imports go.
//!
//! Owns: what a file names (`use`, paths in code, paths in the arguments of macros), what it defines, its words of
//! other crates, and how long it is without its tests.
//! A newcomer gets wrong: what stands under `cfg(test)` is left out, also a module that is a file of its own.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A module: the root of a file, or one that stands within.
#[derive(Default)]
pub(super) struct Module {
    /// Modules within, by name: written out here, or as a file.
    pub inner: BTreeMap<String, Inner>,
    /// What `use` brings, by the name that it has here.
    pub brought: BTreeMap<String, Vec<String>>,
    /// `use PATH::*`.
    pub globs: Vec<Vec<String>>,
    /// Functions, types, constants and macros.
    pub defined: BTreeSet<String>,
    /// Every path that is named, with its line.
    pub named: Vec<(Vec<String>, usize)>,
}

pub(super) enum Inner {
    Here(Module),
    File,
}

/// A file.
pub(super) struct Source {
    pub module: Module,
    /// Every word of code, with the line that has it first: names of crates, and `async`.
    pub words: BTreeMap<String, usize>,
    /// Lines, without those of tests.
    pub lines: usize,
}

pub(super) fn read(path: &str, text: &str) -> Source {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut reader = Reader::default();
    reader.items(&file.items);
    let Reader { module, words, tests } = reader;
    Source { module, words, lines: text.lines().count() - tests }
}

#[derive(Default)]
struct Reader {
    module: Module,
    words: BTreeMap<String, usize>,
    /// Lines of tests.
    tests: usize,
}

impl Reader {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.visit_item(item);
        }
    }

    fn word(&mut self, word: &str, span: Span) {
        self.words.entry(word.to_owned()).or_insert_with(|| span.start().line);
    }

    fn left_out(&mut self, attributes: &[Attribute], item: &impl Spanned) -> bool {
        let is_test = attributes.iter().any(is_test);
        if is_test {
            let span = item.span();
            self.tests += span.end().line + 1 - span.start().line;
        }
        is_test
    }

    fn brings(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.brings(&path.tree, before);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.brings(tree, before.clone());
                }
            }
            UseTree::Glob(glob) => {
                let mut named = before.clone();
                named.push("*".to_owned());
                self.module.named.push((named, glob.star_token.spans[0].start().line));
                self.module.globs.push(before);
            }
            UseTree::Name(name) => self.brings_one(before, &name.ident.to_string(), None, name.ident.span()),
            UseTree::Rename(rename) => {
                self.brings_one(
                    before,
                    &rename.ident.to_string(),
                    Some(rename.rename.to_string()),
                    rename.ident.span(),
                );
            }
        }
    }

    fn brings_one(&mut self, mut path: Vec<String>, name: &str, called: Option<String>, span: Span) {
        if name != "self" {
            path.push(name.to_owned());
        }
        let called = called.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
        self.word(&path[0], span);
        self.module.named.push((path.clone(), span.start().line));
        self.module.brought.insert(called, path);
    }

    /// Macros take anything: what reads as a path is one.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    self.word(&ident.to_string(), ident.span());
                    if colons != 2 {
                        self.ends(std::mem::take(&mut path), line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                TokenTree::Group(group) => {
                    self.ends(std::mem::take(&mut path), line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.ends(std::mem::take(&mut path), line);
                    colons = 0;
                }
            }
        }
        self.ends(path, line);
    }

    fn ends(&mut self, path: Vec<String>, line: usize) {
        if path.len() > 1 {
            self.module.named.push((path, line));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if self.left_out(attributes_of(item), item) {
            return;
        }
        if let Some(name) = defined_by(item) {
            self.module.defined.insert(name);
        }
        match item {
            Item::Use(item) => self.brings(&item.tree, Vec::new()),
            Item::Mod(item) => {
                let name = item.ident.to_string();
                let Some((_, items)) = &item.content else {
                    self.module.inner.insert(name, Inner::File);
                    return;
                };
                let outer = std::mem::take(&mut self.module);
                self.items(items);
                let inner = std::mem::replace(&mut self.module, outer);
                self.module.inner.insert(name, Inner::Here(inner));
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[Attribute] = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !self.left_out(attributes, item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !self.left_out(&field.attrs, field) {
            visit::visit_field(self, field);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.ends(segments, path.segments[0].ident.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        self.word(&ident.to_string(), ident.span());
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(word) = &signature.asyncness {
            self.word("async", word.span);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.word("async", block.async_token.span);
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if let Some(word) = &closure.asyncness {
            self.word("async", word.span);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    // `pub(in PATH)` imports nothing, nor does what is said of an item.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// `cfg(test)` and `cfg(all(test, …))`; what also the fuzzer sees is no test.
fn is_test(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let written = list.tokens.to_string().replace(' ', "");
    list.path.is_ident("cfg") && (written == "test" || written.starts_with("all(test,"))
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_by(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
