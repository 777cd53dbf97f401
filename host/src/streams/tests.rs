//! Both ends of a stream, without HTTP.

use super::pipe::PIPE_BYTES_MAX;
use super::*;
use bytes::Bytes;
use std::io::{Error as IoError, Read, Result as IoResult, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use tokio::sync::Semaphore;

struct Call {
    streams: Streams,
    cancelled: watch::Receiver<bool>,
}

fn call(input: Option<Input>, output: Option<Output>, max: u64) -> Result<Call, Error> {
    let (cancel, cancelled) = watch::channel(false);
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let limits = Limits { input_bytes_max: max, output_bytes_max: max };
    Ok(Call { streams: Streams::new((input, output), limits, &cancel, permit)?, cancelled })
}

fn input_of(source: impl Read + Send + 'static, len: Option<u64>) -> Call {
    call(Some(Input::new(source, len)), None, 1 << 30).unwrap()
}

fn output_of(sink: impl Write + Send + 'static) -> Call {
    call(None, Some(Output::new(sink)), 1 << 30).unwrap()
}

/// All that comes, or why it does not.
async fn taken(claim: &mut Claim) -> Result<Vec<u8>, Broken> {
    let mut all = Vec::new();
    while let Some(piece) = std::future::poll_fn(|context| claim.poll_next(context)).await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

type Source = Box<dyn Read + Send>;

/// Zeros for ever; says how many were read so far.
struct Endless(Sender<usize>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let _ = self.0.send(buffer.len());
        Ok(buffer.len())
    }
}

/// Gives its pieces, then fails.
struct Fails(Vec<&'static [u8]>);

impl Read for Fails {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        if self.0.is_empty() {
            return Err(IoError::other("the disk is gone"));
        }
        self.0.remove(0).read(buffer)
    }
}

/// Takes a piece whenever it is told to.
struct Told(Receiver<()>, Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.0.recv().map_err(IoError::other)?;
        self.1.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_input_comes_whole_and_once() {
    for len in [Some(200_000), None] {
        let call = input_of(std::io::repeat(7).take(200_000), len);
        let inlet = call.streams.input().unwrap();
        let mut claim = inlet.claim().unwrap();
        claim.ready().await.unwrap();
        assert!(!inlet.was_taken_whole());
        assert_eq!(inlet.claim().err().unwrap().reason, "input_taken");
        assert_eq!(taken(&mut claim).await.unwrap(), vec![7; 200_000]);
        assert!(inlet.was_taken_whole());
        drop(claim);
        assert_eq!(inlet.claim().err().unwrap().reason, "input_taken", "it is gone");
        assert_eq!(call.streams.finish(Ok("{}".into())).await.unwrap(), "{}");
    }
}

#[tokio::test]
async fn a_claim_that_took_nothing_is_given_back() {
    let call = input_of(&b"abc"[..], None);
    let inlet = call.streams.input().unwrap();
    let claim = inlet.claim().unwrap();
    claim.ready().await.unwrap();
    drop(claim);
    assert_eq!(taken(&mut inlet.claim().unwrap()).await.unwrap(), b"abc");
    call.streams.finish(Ok("{}".into())).await.unwrap();
}

#[tokio::test]
async fn a_reader_waits_while_nobody_takes_its_bytes() {
    let (send, read) = channel();
    let call = input_of(Endless(send), None);
    let inlet = call.streams.input().unwrap();
    let mut claim = inlet.claim().unwrap();
    claim.ready().await.unwrap();
    // Full, one piece in its hand: then it is not asked again until somebody takes a piece.
    let reads = PIPE_BYTES_MAX / PIECE_BYTES + 1;
    assert_eq!(read.iter().take(reads).count(), reads);
    for _ in 0..100 {
        std::future::poll_fn(|context| claim.poll_next(context)).await.unwrap();
        read.recv().unwrap();
    }
    assert!(inlet.bytes_most() <= PIPE_BYTES_MAX + PIECE_BYTES, "{}", inlet.bytes_most());
    // Its thread waits for room, and ends when the call does.
    call.streams.finish(Ok("{}".into())).await.unwrap();
    assert!(read.try_iter().count() <= 1 && read.recv().is_err(), "its reader is gone");
}

#[tokio::test]
async fn what_a_reader_does_wrong_ends_the_call_and_is_named() {
    let sources: [(Source, Option<u64>, Code, &str, &str); 5] = [
        (Box::new(Fails(vec![b"ab"])), None, Code::Cancelled, "input_failed", "gave up: the disk is gone."),
        (Box::new(Fails(vec![b"ab"])), Some(2), Code::Cancelled, "input_failed", "gave up"),
        (Box::new(&b"abc"[..]), Some(2), Code::InvalidArgument, "input_length", "more bytes than the 2"),
        (Box::new(&b"abc"[..]), Some(4), Code::InvalidArgument, "input_length", "fewer bytes than the 4"),
        (Box::new(std::io::repeat(0)), None, Code::TooLarge, "input_too_large", "egress.input_bytes_max"),
    ];
    for (source, len, code, reason, words) in sources {
        let mut call = call(Some(Input::new(source, len)), None, 100_000).unwrap();
        let mut claim = call.streams.input().unwrap().claim().unwrap();
        assert_eq!(taken(&mut claim).await.unwrap_err().reason, reason);
        assert!(!call.streams.input().unwrap().was_taken_whole());
        call.cancelled.wait_for(|cancelled| *cancelled).await.unwrap();
        let ended = Err(Error::new(Code::Cancelled, "add: it was cancelled"));
        let error = call.streams.finish(ended).await.unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (code, Some(reason)));
        assert!(error.message.contains(words) && error.message.ends_with("add: it was cancelled"), "{error}");
        // A doubt about a write is not taken back by it.
        let doubt = Err(Error::new(Code::OutcomeUnknown, "in doubt"));
        let error = call.streams.finish(doubt).await.unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::OutcomeUnknown, Some(reason)));
    }
}

#[test]
fn an_input_that_is_known_to_be_too_long_is_refused_at_once() {
    let error = call(Some(Input::new(std::io::empty(), Some(11))), None, 10).err().unwrap();
    assert_eq!((error.code, error.reason.as_deref()), (Code::TooLarge, Some("input_too_large")));
}

#[tokio::test]
async fn the_last_byte_of_a_known_length_waits_for_the_end() {
    let (send, told) = channel::<()>();
    struct Late(Receiver<()>, bool);
    impl Read for Late {
        fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
            if std::mem::replace(&mut self.1, true) {
                let _ = self.0.recv();
                return Ok(0);
            }
            buffer[0] = 1;
            Ok(1)
        }
    }
    let call = input_of(Late(told, false), Some(1));
    let mut claim = call.streams.input().unwrap().claim().unwrap();
    {
        let mut ready = std::pin::pin!(claim.ready());
        assert!(std::future::poll_fn(|context| Poll::Ready(ready.as_mut().poll(context).is_pending())).await);
        send.send(()).unwrap();
        ready.await.unwrap();
    }
    assert_eq!(taken(&mut claim).await.unwrap(), [1]);
    call.streams.finish(Ok("{}".into())).await.unwrap();
}

#[tokio::test]
async fn an_answer_waits_while_the_product_is_slow_and_arrives_whole() {
    let (go, told) = channel();
    let there = Arc::default();
    let call = output_of(Told(told, Arc::clone(&there)));
    let outlet = call.streams.output().unwrap().clone();
    let mut lease = outlet.lease().unwrap();
    let pushing = tokio::spawn(async move {
        for number in 0..32_u8 {
            lease.push(Bytes::from(vec![number; PIECE_BYTES])).await?;
        }
        lease.complete().await
    });
    assert_eq!(outlet.lease().err().unwrap().reason, "output_taken");
    // It fills the pipe and no more.
    while outlet.bytes_most() < PIPE_BYTES_MAX {
        tokio::task::yield_now().await;
    }
    for _ in 0..32 {
        assert!(!pushing.is_finished());
        go.send(()).unwrap();
        tokio::task::yield_now().await;
    }
    pushing.await.unwrap().unwrap();
    assert!(outlet.bytes_most() <= PIPE_BYTES_MAX + PIECE_BYTES, "{}", outlet.bytes_most());
    assert_eq!(there.lock().unwrap().len(), 32 * PIECE_BYTES);
    assert_eq!(call.streams.finish(Ok("{}".into())).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_writer_that_fails_ends_the_call_and_no_success_is_told() {
    let (go, told) = channel::<()>();
    drop(go);
    let mut call = output_of(Told(told, Arc::default()));
    let mut lease = call.streams.output().unwrap().lease().unwrap();
    lease.push(Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(lease.complete().await.unwrap_err().reason, "output_failed");
    call.cancelled.wait_for(|cancelled| *cancelled).await.unwrap();
    let error = call.streams.finish(Ok("{}".into())).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Cancelled, Some("output_failed")));
}

#[tokio::test]
async fn an_answer_that_broke_off_leaves_nothing_to_append_to() {
    let call = output_of(Vec::new());
    let outlet = call.streams.output().unwrap();
    drop(outlet.lease().unwrap());
    let mut lease = outlet.lease().unwrap();
    lease.push(Bytes::from_static(b"half")).await.unwrap();
    drop(lease);
    assert_eq!(outlet.lease().err().unwrap().reason, "output_torn");
    assert_eq!(outlet.write(b"more").unwrap_err().reason, "output_torn");
    let error = call.streams.finish(Ok("{}".into())).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("output_torn")));
}

#[test]
fn a_plugin_reads_and_writes_by_itself_in_turn() {
    let (go, told) = channel();
    let there = Arc::default();
    let input = Input::new(&b"hello"[..], Some(5));
    let call = call(Some(input), Some(Output::new(Told(told, Arc::clone(&there)))), 8).unwrap();
    let (inlet, outlet) = (call.streams.input().unwrap(), call.streams.output().unwrap());
    let mut buffer = [0; 4];
    assert_eq!((inlet.read(&mut buffer).unwrap(), &buffer), (4, b"hell"));
    assert_eq!(inlet.claim().err().unwrap().reason, "input_taken");
    assert_eq!((inlet.read(&mut buffer).unwrap(), buffer[0]), (1, b'o'));
    assert_eq!(inlet.read(&mut buffer).unwrap(), 0);
    assert!(inlet.was_taken_whole());
    go.send(()).unwrap();
    outlet.write(b"hello").unwrap();
    assert_eq!(*there.lock().unwrap(), b"hello");
    assert_eq!(outlet.write(b"more").unwrap_err().reason, "output_too_large");
    drop(StopOnDrop(call.streams));
}

#[test]
fn stopping_ends_a_plugin_that_waits_for_a_slow_product() {
    let (send, told) = channel::<()>();
    struct Silent(Receiver<()>, Sender<()>);
    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> IoResult<usize> {
            self.1.send(()).unwrap();
            let _ = self.0.recv();
            Ok(0)
        }
    }
    let (began, begun) = channel();
    let call = input_of(Silent(told, began), None);
    let inlet = call.streams.input().unwrap().clone();
    let reading = std::thread::spawn(move || inlet.read(&mut [0; 8]));
    begun.recv().unwrap();
    call.streams.stop();
    assert_eq!(reading.join().unwrap().unwrap_err().reason, "call_ended");
    // The product's function still runs; the call is over when it has returned.
    drop(send);
    drop(StopOnDrop(call.streams));
}
