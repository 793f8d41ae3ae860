//! Files of a run: written whole or not at all.

use super::calibration::{Calibrations, FORMAT};
use super::document::{Document, SCHEMA_VERSION};
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What can go wrong between a document and its file.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("cannot read {path}: {cause}")]
    Read { path: PathBuf, cause: io::Error },
    #[error("cannot write {path}: {cause}")]
    Write { path: PathBuf, cause: io::Error },
    #[error("{path} does not hold calibrations of this rbench ({cause}); they are measured anew by rbench calibrate")]
    NotCalibrations { path: PathBuf, cause: String },
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
    let text = to_text(document);
    let mut draft = Draft::create(path)?;
    draft.write_all(text.as_bytes()).map_err(|cause| StoreError::Write { path: path.to_owned(), cause })?;
    draft.keep()
}

/// The ceilings in the file at `path`; none when there is no such file.
///
/// # Errors
/// [`StoreError::Read`], or [`StoreError::NotCalibrations`] when something else is in it.
pub fn read_calibrations(path: &Path) -> Result<Calibrations, StoreError> {
    let text = match fs::read_to_string(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Calibrations::default()),
        text => text.map_err(|cause| StoreError::Read { path: path.to_owned(), cause })?,
    };
    let wrong = |cause| StoreError::NotCalibrations { path: path.to_owned(), cause };
    let read: Calibrations = serde_json::from_str(&text).map_err(|cause| wrong(cause.to_string()))?;
    match read.format == FORMAT {
        true => Ok(read),
        false => Err(wrong(format!("its format is not {FORMAT}"))),
    }
}

/// Writes `calibrations` to `path`, and makes the directory that it is in. As with [`write`], never a part of them.
///
/// # Errors
/// [`StoreError::Write`]; a file that was there is then as it was.
pub fn write_calibrations(calibrations: &Calibrations, path: &Path) -> Result<(), StoreError> {
    let wrong = |cause| StoreError::Write { path: path.to_owned(), cause };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(wrong)?;
    }
    let mut draft = Draft::create(path)?;
    serde_json::to_writer_pretty(&mut draft, calibrations).map_err(io::Error::from).map_err(wrong)?;
    writeln!(draft).map_err(wrong)?;
    draft.keep()
}

/// A file on its way. It grows beside its place, and is put there when it is whole; dropped before that, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: BufWriter<File>,
    /// Where it grows. None when it is in its place from the start.
    beside: Option<PathBuf>,
}

impl Draft {
    /// Begins a file that is to be at `path`.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn create(path: &Path) -> Result<Draft, StoreError> {
        // A pipe or a device cannot be replaced, and has no half-written state that would stay.
        let in_place = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let beside = (!in_place).then(|| beside(path));
        let file = match &beside {
            Some(beside) => File::create(beside),
            None => fs::OpenOptions::new().write(true).open(path),
        };
        let file = file.map_err(|cause| StoreError::Write { path: path.to_owned(), cause })?;
        Ok(Draft { path: path.to_owned(), file: BufWriter::new(file), beside })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`StoreError::Write`]; a file that was there is then as it was.
    pub fn keep(mut self) -> Result<(), StoreError> {
        let kept = self.file.flush().and_then(|()| match &self.beside {
            Some(beside) => {
                self.file.get_ref().sync_all()?;
                fs::rename(beside, &self.path)
            }
            None => Ok(()),
        });
        if kept.is_ok() {
            self.beside = None;
        }
        kept.map_err(|cause| StoreError::Write { path: self.path.clone(), cause })
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// Makes sure, before anything is measured, that a file can be written to `path`.
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
