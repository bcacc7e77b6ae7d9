use futures::FutureExt as _;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tresor_proto::FILE_DESCRIPTOR_SET;

use super::*;

/// The purse of a stream of messages.
fn purse(budget: &MessageBudget, service: &str) -> Purse {
    budget.purse(&ServiceName::parse(service).unwrap(), true)
}

fn message(length: usize) -> Vec<u8> {
    let mut message = vec![0];
    message.extend(u32::try_from(length).unwrap().to_be_bytes());
    message.resize(PREFIX_BYTES + length, b'x');
    message
}

fn messages(lengths: &[usize]) -> Vec<u8> {
    lengths.iter().flat_map(|&length| message(length)).collect()
}

/// The bytes as frames of `frame` bytes.
fn body(bytes: &[u8], frame: usize) -> Body {
    let frames: Vec<_> =
        bytes.chunks(frame).map(|frame| Ok::<_, BoxError>(frame.to_vec())).collect();
    Body::from_stream(stream::iter(frames))
}

/// A stream of messages.
fn measured(bytes: &[u8], frame: usize, purse: &Purse) -> Measured {
    Measured::new(body(bytes, frame), purse.clone())
}

/// What goes on until the budget has no more, or all.
fn what_goes_on(measured: &mut Measured) -> Vec<u8> {
    let mut gone = Vec::new();
    while let Some(piece) = measured.next().now_or_never() {
        match piece.unwrap() {
            Some(piece) => gone.extend(piece),
            None => break,
        }
    }
    gone
}

#[tokio::test]
async fn whatever_the_frames_every_byte_goes_on_and_its_message_is_paid_for() {
    let all = messages(&[3, 0, 0, 7, 1, 0, 8]);
    for frame in 1..=all.len() {
        let budget = MessageBudget::new(16);
        let mut measured = measured(&all, frame, &purse(&budget, "edge"));
        let (mut gone, mut paid) = (Vec::new(), Vec::new());
        while let Some(piece) = measured.next().await.unwrap() {
            gone.extend(piece);
            let taken = 16 - budget.left();
            let is_within = matches!(measured.place, Place::Message(_));
            assert!(!is_within || taken > 0, "tonic knows of a message that is not paid for");
            if taken > 0 && paid.last() != Some(&taken) {
                paid.push(taken);
            }
        }
        assert_eq!((gone, paid), (all.clone(), vec![3, 7, 1, 8]), "frames of {frame}");
        assert_eq!(budget.left(), 16);
    }
}

#[tokio::test]
async fn a_prefix_goes_on_only_when_there_is_room_for_its_message() {
    for frame in 1..=PREFIX_BYTES + 4 {
        let budget = MessageBudget::new(16);
        let other = purse(&budget, "edge");
        other.take(5).now_or_never().unwrap().unwrap();
        let mut waits = measured(&message(4), frame, &purse(&budget, "edge"));
        let held_back = what_goes_on(&mut waits);
        assert!(held_back.len() < PREFIX_BYTES, "{} of 5 bytes at {frame}", held_back.len());
        assert_eq!(budget.left(), 11);
    }
}

#[tokio::test]
async fn who_waits_goes_on_when_there_is_room() {
    let budget = MessageBudget::new(16);
    let other = purse(&budget, "edge");
    other.take(5).now_or_never().unwrap().unwrap();
    let mut waits = measured(&message(4), 64, &purse(&budget, "edge"));
    let mut next = Box::pin(waits.next());
    assert!(next.as_mut().now_or_never().is_none());
    drop(other);
    assert!(next.now_or_never().unwrap().unwrap().is_some());
    assert_eq!(budget.left(), 12);
}

#[tokio::test]
async fn a_message_is_held_while_the_one_behind_it_in_the_frame_waits() {
    let budget = MessageBudget::new(16);
    let both = messages(&[8, 8]);
    let ours = purse(&budget, "edge");
    let mut measured = measured(&both, both.len(), &ours);
    for _ in 0..2 {
        assert!(measured.next().now_or_never().unwrap().unwrap().is_some());
    }
    assert_eq!(measured.place, BETWEEN);
    assert_eq!(budget.left(), 8, "tonic has all of the first, and did not ask for more");
    assert_eq!(what_goes_on(&mut measured).len(), PREFIX_BYTES + 8);
}

#[tokio::test]
async fn one_service_waits_for_its_own_half_and_the_other_has_its_own() {
    let budget = MessageBudget::new(16);
    let hoards: Vec<_> = (0..4).map(|_| purse(&budget, "billing")).collect();
    let mut taken: Vec<_> = hoards.iter().map(|hoard| Box::pin(hoard.take(4))).collect();
    let got = taken.iter_mut().filter_map(|taken| taken.as_mut().now_or_never()).count();
    assert_eq!((got, budget.left()), (2, 8));
    let honest = purse(&budget, "edge");
    assert!(honest.take(8).now_or_never().is_some());
}

#[tokio::test]
async fn a_message_of_a_call_that_has_one_is_held_until_it_is_answered() {
    let budget = MessageBudget::new(16);
    let request = Request::post("/tresor.vault.v1.RecordService/Put").body(body(&message(6), 4));
    let service = ServiceName::parse("edge").unwrap();
    let (request, purse) = budget.measure(&service, request.unwrap());
    let mut pieces = request.into_body().into_data_stream();
    while pieces.next().now_or_never().unwrap().is_some() {}
    drop(pieces);
    assert_eq!(budget.left(), 10);
    purse.answered();
    assert_eq!(budget.left(), 16);
}

#[tokio::test]
async fn a_message_of_a_stream_is_held_when_its_answers_begin_and_until_it_is_done_with() {
    let budget = MessageBudget::new(16);
    let purse = purse(&budget, "edge");
    let mut measured = measured(&message(6), 64, &purse);
    for _ in 0..2 {
        assert!(measured.next().now_or_never().unwrap().unwrap().is_some());
    }
    purse.answered();
    assert_eq!(budget.left(), 10, "the service may be at it");
    purse.give_back();
    assert_eq!(budget.left(), 16);
}

#[tokio::test]
async fn a_call_that_has_one_message_has_no_second() {
    let budget = MessageBudget::new(16);
    let both = messages(&[6, 0]);
    let purse = budget.purse(&ServiceName::parse("edge").unwrap(), false);
    let mut measured = Measured::new(body(&both, 64), purse);
    for _ in 0..2 {
        assert!(measured.next().now_or_never().unwrap().is_ok());
    }
    let refused = measured.next().now_or_never().unwrap().unwrap_err();
    let refused = refused.downcast_ref::<Status>().unwrap();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert_eq!(budget.left(), 10, "the first is still held");
}

#[tokio::test]
async fn what_is_too_long_is_left_to_tonic_to_refuse() {
    let budget = MessageBudget::new(16);
    let mut prefix = message(0);
    prefix.splice(1.., u32::MAX.to_be_bytes());
    let mut measured = measured(&prefix, 64, &purse(&budget, "edge"));
    assert_eq!(what_goes_on(&mut measured), prefix);
    assert_eq!(budget.left(), 16);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let budget = MessageBudget::new(16);
    let (first, second) = (purse(&budget, "edge"), purse(&budget, "edge"));
    first.take(8).await.unwrap();
    assert_eq!(second.take(1).await.unwrap_err().code(), ErrorCode::Overloaded);
    drop(first);
    second.take(8).await.unwrap();
}

#[test]
fn the_methods_of_many_messages_are_those_of_the_descriptors() {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let mut paths = Vec::new();
    for file in &files {
        for service in &file.service {
            let streams = service.method.iter().filter(|method| method.client_streaming());
            let name = format!("/{}.{}", file.package(), service.name());
            paths.extend(streams.map(|method| format!("{name}/{}", method.name())));
        }
    }
    let ours: Vec<_> =
        OF_MANY_MESSAGES.into_iter().filter(|path| path.starts_with("/tresor.")).collect();
    assert_eq!(paths, ours);
}
