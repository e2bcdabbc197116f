use std::time::Duration;

use super::*;

#[test]
fn threads_end_once_no_job_can_come() {
    let (jobs, taken) = mpsc::channel();
    let taken = Arc::new(Mutex::new(taken));
    start(3, &taken).unwrap();
    drop(jobs);
    let (_sender, never) = mpsc::channel::<()>();
    for _ in 0..1_000 {
        if Arc::strong_count(&taken) == 1 {
            return;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("a thread has not ended");
}
