//! Threads that read files: a [`Pool`].

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use super::log_file::{Batch, LogFile};

/// Threads that read files, batch by batch. They end once the pool is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: Sender<Job>,
}

/// A file of which a batch is to be read.
#[derive(Debug)]
struct Job {
    file: LogFile,
    reply: SyncSender<Delivery>,
}

/// A batch, and the file that the next one comes from.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) batch: Batch,
    pub(super) file: LogFile,
}

impl Pool {
    /// A pool of as many `threads`, at least one.
    pub(super) fn new(threads: usize) -> io::Result<Self> {
        let (jobs, taken) = mpsc::channel();
        start(threads.max(1), &Arc::new(Mutex::new(taken)))?;
        Ok(Self { jobs })
    }

    /// Lets a thread read the next batch of `file`.
    pub(super) fn read(&self, file: LogFile) -> Receiver<Delivery> {
        let (reply, delivery) = mpsc::sync_channel(1);
        // If no thread is left, the receiver finds out.
        let _ = self.jobs.send(Job { file, reply });
        delivery
    }
}

/// Starts as many `threads` to do `jobs`.
fn start(threads: usize, jobs: &Arc<Mutex<Receiver<Job>>>) -> io::Result<()> {
    for _ in 0..threads {
        let jobs = Arc::clone(jobs);
        thread::Builder::new().name("access-log".to_owned()).spawn(move || work(&jobs))?;
    }
    Ok(())
}

/// Reads batches until the pool is dropped.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while this thread waits, so that the others wait for it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { mut file, reply }) = job else { return };
        let batch = file.next_batch();
        // Nobody waits for it if the log is dropped.
        let _ = reply.send(Delivery { batch, file });
    }
}

#[cfg(test)]
mod tests;
