import { EMPTY } from 'rxjs';
import { mark, page } from '../../src/testing/index.js';
import { chunks, streaming } from '../support/streaming.js';

const failed = mark.value('ended: failed', 'the request has failed');
const lost = mark.value('ended: lost', 'the request is lost');
const gone = mark.value('disconnected');

/** What a target does with the streams that its reply announces. */
export const pages = [
  page({
    ...streaming(),
    title: 'Streams open with the ACK of the reply',
    sentence: "A service's source is subscribed when the initiator has acknowledged the reply.",
    picture: `
      initiator  -Q------K
      dataIn     -------------C
      source     ----x----y-z|
      source ^   --------^---!
      target     -(KR)---C
      dataOut    ---------y-zC
      taken      -------------|
      events     -(ar)--------e
    `,
    legend: chunks,
  }),

  page({
    ...streaming(),
    title: 'Bytes before the ACK of the reply',
    sentence:
      'An initiator may send on a stream as soon as it knows its number; the bytes are kept until the stream opens.',
    picture: `
      initiator  -Q------K
      dataIn     ----x-y-----zC
      source     ------------|
      target     -(KR)---C
      dataOut    ------------C
      taken      --------(xy)z|
      events     -(ar)--------e
    `,
    legend: { ...chunks },
  }),

  page({
    ...streaming(),
    title: 'A reply with streams that is never acknowledged',
    sentence: 'After the last try the streams are closed without a byte, and the service is ended.',
    picture: `
      initiator  -Q
      dataIn     -
      source     -
      source ^   -
      target     -(KR) 9s 996ms R 9s 999ms R 9s 999ms R 9s 999ms R 9s 999ms C
      dataOut    50s                                                       -C
      taken      -
      events     -(ar) 49s 996ms e
    `,
    legend: { ...chunks, e: mark.value('ended: unacknowledged', 'the reply was not acknowledged') },
  }),

  page({
    ...streaming(),
    title: 'The service is done first',
    sentence:
      'Each direction ends on its own: bytes still arrive after the service has closed its direction.',
    picture: `
      initiator  -Q------K
      dataIn     -----------x-yC
      source     ---------|
      target     -(KR)---C
      dataOut    ---------C
      taken      -----------x-y|
      events     -(ar)---------e
    `,
    legend: chunks,
  }),

  page({
    ...streaming(EMPTY),
    title: 'The service is done with everything',
    sentence:
      'When the service has completed and closed its streams, the request is over: an initiator that closes nothing cannot keep it alive.',
    picture: `
      initiator  -Q------K
      dataIn     -
      source     ---------y-|
      target     -(KR)---C
      dataOut    ---------y-C
      taken      -
      events     -(ar)------e
    `,
    legend: chunks,
  }),

  page({
    ...streaming(),
    title: 'The initiator is done first',
    sentence:
      'Each direction ends on its own: the service still sends after the initiator has closed its direction.',
    picture: `
      initiator  -Q------K
      dataIn     ---------C
      source     -----------x-y|
      target     -(KR)---C
      dataOut    -----------x-yC
      taken      ---------|
      events     -(ar)---------e
    `,
    legend: chunks,
  }),

  page({
    ...streaming(),
    title: 'A source that fails',
    sentence: 'A close would pass for the end of the bytes: the connection is ended instead.',
    picture: `
      initiator  -Q------K
      dataIn     -
      source     ----------x-#
      target     -(KR)---C---|
      dataOut    ----------x-|
      taken      ------------#
      events     -(ar)-------(ed|)
    `,
    legend: { ...chunks, '#': mark.failure('SERVICE_FAILED'), e: failed, d: gone },
  }),

  page({
    ...streaming(),
    title: 'The connection breaks while streams are open',
    sentence:
      'The service stops sending, and what it receives ends with an error, never with completion.',
    picture: `
      initiator  -Q------K---#
      dataIn     ---------x
      source     ---------y---z
      source ^   --------^---!
      target     -(KR)---C---|
      dataOut    ---------y--|
      taken      ---------x--#
      events     -(ar)-------(ed|)
    `,
    legend: { ...chunks, '#': mark.failure('CONNECTION_LOST'), e: lost, d: gone },
  }),

  page({
    ...streaming(EMPTY),
    title: 'The connection breaks when the service is done',
    sentence:
      'A request whose bytes have not all been sent is lost, even when its service has nothing left to do.',
    picture: `
      initiator  -Q------K---#
      dataIn     -
      source     ---------y---z|
      source ^   --------^---!
      target     -(KR)---C---|
      dataOut    ---------y--|
      taken      ------------#
      events     -(ar)-------(ed|)
    `,
    legend: { ...chunks, '#': mark.failure('CONNECTION_LOST'), e: lost, d: gone },
  }),
];
