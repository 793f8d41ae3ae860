//! Certificates and keys from files in PEM.

use super::error::TlsError;
use rustls::pki_types::pem::{Error, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Every certificate in the file at `path`, which `flag` names.
///
/// # Errors
/// [`TlsError`] when there is none, or one that is damaged.
pub fn certificates(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = certificates_if_any(flag, path)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate { flag, path: path.to_owned() });
    }
    Ok(found)
}

/// Every certificate in the files of a directory, each once and with its file. Files without a certificate are passed
/// over; directories below it are not entered.
///
/// # Errors
/// [`TlsError`] when there is no certificate at all, or a file that cannot be read or is damaged.
pub fn certificates_in_directory(path: &Path) -> Result<Vec<(PathBuf, CertificateDer<'static>)>, TlsError> {
    let flag = "--cacertdir";
    let unreadable = |source| TlsError::Read { flag, path: path.to_owned(), source };
    let entries = fs::read_dir(path).map_err(unreadable)?.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    // The system lists them in any order, and which of two damaged files is named should not change from run to run.
    files.sort();
    let mut found: Vec<(PathBuf, CertificateDer<'static>)> = Vec::new();
    for file in files {
        for certificate in certificates_if_any(flag, &file)? {
            // `openssl rehash` puts a link with another name beside each file.
            if !found.iter().any(|(_, known)| *known == certificate) {
                found.push((file.clone(), certificate));
            }
        }
    }
    if found.is_empty() {
        return Err(TlsError::NoCertificateInDirectory { path: path.to_owned() });
    }
    Ok(found)
}

/// The first private key in the file at `path`, which `--key` names.
///
/// # Errors
/// [`TlsError`] when there is none, or one that takes a password to read.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let flag = "--key";
    let text = fs::read(path).map_err(|source| TlsError::Read { flag, path: path.to_owned(), source })?;
    // The first is how PKCS #8 says it, the second how OpenSSL did before.
    if contains(&text, b"BEGIN ENCRYPTED PRIVATE KEY") || contains(&text, b"Proc-Type: 4,ENCRYPTED") {
        return Err(TlsError::EncryptedKey { path: path.to_owned() });
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        Error::NoItemsFound => TlsError::NoKey { path: path.to_owned() },
        error => malformed(flag, path, &error),
    })
}

fn certificates_if_any(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = fs::read(path).map_err(|source| TlsError::Read { flag, path: path.to_owned(), source })?;
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        match section.map_err(|error| malformed(flag, path, &error))? {
            (SectionKind::Certificate, bytes) => found.push(CertificateDer::from(bytes)),
            // Some keep the key in the same file.
            _ => continue,
        }
    }
    Ok(found)
}

/// What the parser says may repeat a line of the file, and the file may hold a key; so it is said without.
fn malformed(flag: &'static str, path: &Path, error: &Error) -> TlsError {
    let cause = match error {
        Error::MissingSectionEnd { .. } => "it ends before its last -----END line",
        Error::IllegalSectionStart { .. } => "a -----BEGIN line does not end in five hyphens",
        Error::Base64Decode(_) => "what is between -----BEGIN and -----END is not base64",
        _ => "it cannot be read",
    };
    TlsError::Malformed { flag, path: path.to_owned(), cause }
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}
