//! Documents on disk: written whole or not at all.

use super::document::{Document, SCHEMA_VERSION};
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What can go wrong between a document and its file.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("cannot read {path}: {cause}")]
    Read { path: PathBuf, cause: io::Error },
    #[error("cannot write {path}: {cause}")]
    Write { path: PathBuf, cause: io::Error },
    #[error("{path} is not a result document: {cause}")]
    NotADocument { path: PathBuf, cause: serde_json::Error },
    #[error(
        "{path} has version {version} of the result document; this rbench reads version {major}",
        major = major(SCHEMA_VERSION)
    )]
    Version { path: PathBuf, version: String },
}

/// The document as text, ending in a line end.
pub fn to_text(document: &Document) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a document has nothing that JSON could not hold");
    text.push('\n');
    text
}

/// Writes `document` to `path`. Whoever looks at the file sees the old one or the new one, and never a part.
///
/// # Errors
/// [`StoreError::Write`]; a file that was there is then as it was.
pub fn write(document: &Document, path: &Path) -> Result<(), StoreError> {
    let wrong = |cause| StoreError::Write { path: path.to_owned(), cause };
    let text = to_text(document);
    // A pipe or a device cannot be replaced, and has no half-written state that would stay.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(wrong);
    }
    let beside = beside(path);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(wrong)
}

/// Makes sure, before anything is measured, that a document can be written to `path`.
///
/// # Errors
/// [`StoreError::Write`].
pub fn check_writable(path: &Path) -> Result<(), StoreError> {
    let wrong = |cause| StoreError::Write { path: path.to_owned(), cause };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(wrong(io::Error::from(io::ErrorKind::IsADirectory))),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => {
            let beside = beside(path);
            File::create(&beside).and_then(|_| fs::remove_file(&beside)).map_err(wrong)
        }
    }
}

/// A name in the same directory, so that renaming is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Reads the document at `path`. Fields that this version does not know are passed over.
///
/// # Errors
/// [`StoreError`] when there is none, or it is of another major version.
pub fn read(path: &Path) -> Result<Document, StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema_version: String,
    }
    let text = fs::read_to_string(path).map_err(|cause| StoreError::Read { path: path.to_owned(), cause })?;
    let wrong = |cause| StoreError::NotADocument { path: path.to_owned(), cause };
    let Versioned { schema_version } = serde_json::from_str(&text).map_err(wrong)?;
    if major(&schema_version) != major(SCHEMA_VERSION) {
        return Err(StoreError::Version { path: path.to_owned(), version: schema_version });
    }
    serde_json::from_str(&text).map_err(wrong)
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}
