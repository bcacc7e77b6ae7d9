//! The length limits of the house style, held by a parser: files at most 500 lines, nine of ten
//! functions at most 30 lines, half of them at most 10, none over 70.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use syn::{
    Attribute, ImplItemFn, ItemFn, ItemMod, TraitItemFn,
    spanned::Spanned as _,
    visit::{self, Visit},
};
use walkdir::WalkDir;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const FUNCTION_LINES_P90: usize = 30;
const FUNCTION_LINES_MEDIAN: usize = 10;

/// The functions of a file outside its tests, with their lengths in lines.
#[derive(Default)]
struct Functions(Vec<(usize, String)>);

impl Functions {
    fn push(&mut self, name: &syn::Ident, span: proc_macro2::Span) {
        let lines = span.end().line - span.start().line + 1;
        self.0.push((lines, name.to_string()));
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_cfg_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    };
    attributes.iter().any(is_cfg_test)
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.push(&function.sig.ident, function.block.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.push(&function.sig.ident, function.block.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.push(&function.sig.ident, block.span());
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// The Rust files of the workspace, tests and build output apart.
fn sources() -> Vec<PathBuf> {
    let skipped = ["target", "tests", ".git", ".tresor"];
    let is_source = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
    let files = WalkDir::new(tresor_tests::repository()).into_iter().filter_entry(move |entry| {
        !skipped.iter().any(|name| entry.file_name().to_str() == Some(name))
    });
    let files = files.map(|entry| entry.unwrap().into_path());
    files.filter(|path| is_source(path) && !path.ends_with("tests.rs")).collect()
}

#[test]
fn files_and_functions_keep_to_their_lengths() {
    let mut functions = Vec::new();
    let mut offences = Vec::new();
    let files = sources();
    assert!(files.len() > 50, "the sources are found");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = syn::parse_file(&text).unwrap();
        let mut found = Functions::default();
        found.visit_file(&file);
        if text.lines().count() > FILE_LINES_MAX {
            offences.push(format!("{}: over {FILE_LINES_MAX} lines", path.display()));
        }
        for (lines, name) in &found.0 {
            if *lines > FUNCTION_LINES_MAX {
                offences.push(format!("{}: {name} has {lines} lines", path.display()));
            }
        }
        functions.extend(found.0.iter().map(|(lines, _)| *lines));
    }
    functions.sort_unstable();
    let at = |percent: usize| functions[functions.len() * percent / 100];
    println!("{} functions: median {}, p90 {}", functions.len(), at(50), at(90));
    assert!(at(50) <= FUNCTION_LINES_MEDIAN && at(90) <= FUNCTION_LINES_P90);
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
