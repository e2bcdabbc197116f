use actix_web::rt::System;
use tempfile::TempDir;

use super::*;

fn bind_at(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    System::new().block_on(bind(path, SocketAccess::ByUmask))
}

fn place() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tollgate.sock");
    (directory, path)
}

#[test]
fn the_file_comes_and_goes_with_the_socket() {
    let (_directory, path) = place();
    let (listener, file) = bind_at(&path).unwrap();
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
    drop((listener, file));
    assert!(!path.exists());
}

#[test]
fn what_a_process_left_that_ended_is_replaced() {
    let (_directory, path) = place();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "as after a crash");
    let (_listener, _file) = bind_at(&path).unwrap();
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[test]
fn a_socket_that_is_listened_on_is_left_alone() {
    let (_directory, path) = place();
    let _listener = UnixListener::bind(&path).unwrap();
    let refused = bind_at(&path).unwrap_err();
    assert_eq!(refused.to_string(), "another process listens there");
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let (directory, path) = place();
    fs::write(&path, "precious").unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link, &directory.path().to_owned()] {
        assert_eq!(bind_at(path).unwrap_err().to_string(), "there is a file that is no socket");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_place_that_another_has_taken_is_left_to_it() {
    let (directory, path) = place();
    let (listener, file) = bind_at(&path).unwrap();
    // A second name, so that the file's number is not given again within the same instant.
    fs::hard_link(&path, directory.path().join("kept")).unwrap();
    drop(listener);
    let (_other, _its_file) = bind_at(&path).unwrap();
    drop(file);
    assert!(path.exists());
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[test]
fn a_place_that_cannot_be_had_says_why() {
    let (directory, _) = place();
    let refused = bind_at(&directory.path().join("none/tollgate.sock")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}
