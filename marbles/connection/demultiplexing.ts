import type { Observable } from 'rxjs';
import {
  connectionLane,
  mark,
  page,
  pageConnection,
  type PageScope,
  streamLane,
  userLane,
} from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';
import { playing, reading, stream } from '../support/reading.js';

const legend = {
  a: mark.frame('7:a'),
  b: mark.frame('7:b'),
  c: mark.frame('7:'),
  p: mark.frame('8:p'),
  q: mark.frame('8:q'),
  r: mark.frame('8:'),
  A: mark.chunk('a'),
  B: mark.chunk('b'),
  P: mark.chunk('p'),
  Q: mark.chunk('q'),
  '#': mark.failure('CONNECTION_LOST'),
};

/** How one connection becomes several streams. */
export const pages = [
  page({
    ...reading(),
    title: 'Frames go to their stream',
    sentence:
      'Each stream has its own bytes, in order, and its own end, however the handles are mixed.',
    picture: `
      wire   -ap-(qb)-c--r
      seven  -A--B----|
      eight  --P-Q-------|
    `,
    legend,
  }),

  page({
    title: 'Every frame',
    about: 'Connection',
    sentence:
      'The connection itself is an Observable of all its frames, for taps; it takes nothing away from the streams.',
    picture: `
      wire    -a-p-c--|
      frames  -a-p-c--|
      seven   -A---|
    `,
    legend,
    given: { wire: connectionLane<Frame>({ direction: 'in' }) },
    expected: { frames: connectionLane<Frame>({ direction: 'in' }), seven: stream(7) },
    wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => {
      const connection = playing(wire, scope);
      return { frames: connection, seven: connection.stream(7) };
    },
  }),

  page({
    ...reading(),
    title: 'A late reader loses nothing',
    sentence:
      'The bytes of a handle are kept from its first frame until its reader comes, its end too.',
    picture: `
      wire     -a-b-p-c
      seven    ----------(AB|)
      seven ^  ----------^
      eight    -----P
    `,
    legend,
  }),

  page({
    title: 'Two readers',
    about: 'Stream',
    sentence: 'A stream has one reader; a second one gets an error, and the first one goes on.',
    picture: `
      wire      -a---b-c
      first     -A---B-|
      second    ---#
      second ^  ---^
    `,
    legend: { ...legend, '#': mark.failure('ALREADY_READ') },
    given: { wire: connectionLane<Frame>({ direction: 'in' }) },
    expected: { first: stream(7), second: stream(7) },
    wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => {
      const connection = playing(wire, scope);
      return { first: connection.stream(7), second: connection.stream(7) };
    },
  }),

  page({
    ...reading(),
    title: 'The end of the channel',
    sentence: 'It completes nothing. Open streams end with an error; closed ones have completed.',
    picture: `
      wire   -a-p-c--|
      seven  -A---|
      eight  ---P----#
    `,
    legend,
  }),

  page({
    ...reading(),
    title: 'Reading after the end of the channel',
    sentence: 'Bytes that had arrived are kept for the reader, and so is the end.',
    picture: `
      wire     -a-p-c--|
      seven    ------------(A|)
      seven ^  ------------^
      eight    ------------(P#)
      eight ^  ------------^
    `,
    legend,
  }),

  page({
    ...reading(),
    title: 'The channel breaks',
    sentence: 'Every open stream ends with an error.',
    picture: `
      wire   -a-p-#
      seven  -A---#
      eight  ---P-#
    `,
    legend,
  }),

  page({
    ...reading(),
    title: 'A close comes twice',
    sentence: 'The second close of a handle is ignored.',
    picture: `
      wire   -a-c-c-p
      seven  -A-|
      eight  -------P
    `,
    legend,
  }),

  page({
    ...reading({ maxHandles: 2 }),
    title: 'Too many handles',
    sentence: 'A peer cannot open handles without end: one over the limit ends the connection.',
    picture: `
      wire   -a-p-z
      seven  -A---#
      eight  ---P-#
    `,
    legend: { ...legend, z: mark.frame('9:z'), '#': mark.failure('TOO_MANY_HANDLES') },
  }),

  page({
    title: 'The channel ends within a frame',
    about: 'Connection',
    sentence: 'A truncated frame is an error of the connection and of all its streams.',
    picture: `
      channel  -ah-|
      seven    -A--#
    `,
    legend: {
      ...legend,
      a: mark.bytes('00000001 00000007 61', '7: "a"'),
      h: mark.bytes('00000001 0000', 'six bytes of a header'),
      '#': mark.failure('CONNECTION_LOST'),
    },
    given: { channel: connectionLane<Uint8Array>({ direction: 'in' }) },
    expected: { seven: streamLane(7, 'in', { under: 'channel' }) },
    wire: fromBytes,
  }),

  page({
    title: 'Text instead of frames',
    about: 'Connection',
    sentence: 'A greeting of a login shell is not Amanda: the error names the text.',
    picture: `
      channel  -w
      seven    -#
    `,
    legend: { w: mark.chunk('Welcome to db1\n'), '#': mark.failure('TEXT_IN_CHANNEL') },
    given: { channel: connectionLane<Uint8Array>({ direction: 'in' }) },
    expected: { seven: streamLane(7, 'in', { under: 'channel' }) },
    wire: fromBytes,
  }),

  page({
    title: 'Each direction ends on its own',
    about: 'Stream',
    sentence:
      'This side may still send after the peer has closed its direction, and receive after it has closed its own.',
    picture: `
      wire   -a--c
      seven  -A--|
      user   --p----q|
      sent   --P----QR
    `,
    legend: {
      ...legend,
      p: mark.chunk('p'),
      q: mark.chunk('q'),
      P: mark.chunk('p'),
      R: mark.close(),
    },
    given: { wire: connectionLane<Frame>({ direction: 'in' }), user: userLane<Uint8Array>() },
    expected: { seven: stream(7), sent: streamLane(7, 'out') },
    wire: (
      { wire, user }: { readonly wire: Observable<Frame>; readonly user: Observable<Uint8Array> },
      scope: PageScope,
    ) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      const seven = connection.stream(7);
      scope.ends.add(peer.sendFrames(wire));
      scope.ends.add(user.subscribe(seven));
      return { seven, sent: peer.received(7) };
    },
  }),

  page({
    title: 'What cannot be sent whole',
    about: 'Stream',
    sentence:
      'A close would pass for success, so an error in what is sent ends the connection, and the peer sees it break.',
    picture: `
      wire   -a
      seven  -A--#
      user   --p-#
      sent   --P-|
    `,
    legend: { ...legend, p: mark.chunk('p'), '#': mark.failure('CONNECTION_CLOSED') },
    given: { wire: connectionLane<Frame>({ direction: 'in' }), user: userLane<Uint8Array>() },
    expected: { seven: stream(7), sent: streamLane(7, 'out') },
    wire: (
      { wire, user }: { readonly wire: Observable<Frame>; readonly user: Observable<Uint8Array> },
      scope: PageScope,
    ) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      const seven = connection.stream(7);
      scope.ends.add(peer.sendFrames(wire));
      scope.ends.add(user.subscribe(seven));
      return { seven, sent: peer.received(7) };
    },
  }),
];

function fromBytes({ channel }: { readonly channel: Observable<Uint8Array> }, scope: PageScope) {
  const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
  scope.ends.add(peer.sendBytes(channel));
  return { seven: connection.stream(7) };
}
