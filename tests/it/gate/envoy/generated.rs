//! The committed code of Envoy's messages is what their .proto files say. So nobody who builds Tollgate needs a
//! compiler of them.

use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;

const PROTO: &str = "src/app/gate/envoy/proto";
const GENERATED: &str = "src/app/gate/envoy/generated";

/// Generates all files anew, in a directory of their own.
fn generate() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("envoy-generated");
    fs::create_dir_all(&directory).expect("a directory");
    let files = ["envoy/service/ratelimit/v3/rls.proto"];
    let descriptors = protox::compile(files, [PROTO]).expect("valid .proto files");
    fs::write(directory.join("descriptors.bin"), descriptors.encode_to_vec()).expect("a file");
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .out_dir(&directory)
        .compile_fds(descriptors)
        .expect("code");
    directory
}

#[test]
fn the_generated_code_is_what_the_proto_files_say() {
    let fresh = generate();
    let names = |directory: &Path| {
        let files = fs::read_dir(directory).expect("a directory");
        let mut names: Vec<_> = files.map(|it| it.expect("a file").file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(Path::new(GENERATED)), names(&fresh));
    for name in names(&fresh) {
        let read = |directory: &Path| fs::read(directory.join(&name)).expect("a file");
        assert!(
            read(Path::new(GENERATED)) == read(&fresh),
            "{name:?} is out of date: cp {}/* {GENERATED}/",
            fresh.display()
        );
    }
}
