import { Observable } from 'rxjs';
import { toReadable } from '../../src/operators/to-readable.js';
import { mark, page, type PageScope, streamLane, userLane } from '../../src/testing/index.js';

interface Given {
  readonly bytes: Observable<Uint8Array>;
  readonly user: Observable<'read' | 'destroy'>;
}

/**
 * A Readable of something that cannot be slowed. Node tells of new bytes in its own time, which no
 * virtual clock reaches, so the user asks.
 */
const reading = {
  about: 'toReadable',
  given: { bytes: streamLane(undefined, 'in'), user: userLane<'read' | 'destroy'>() },
  expected: { read: userLane<Uint8Array>() },
  wire: ({ bytes, user }: Given, scope: PageScope) => {
    const readable = toReadable(bytes);
    scope.ends.add(() => readable.on('error', () => undefined).destroy());
    const read = new Observable<Uint8Array>((out) =>
      user.subscribe(() => {
        if (readable.errored) out.error(readable.errored);
        // Without a number later versions of Node give the first chunk alone.
        const waiting =
          readable.readableLength === 0
            ? null
            : (readable.read(readable.readableLength) as Uint8Array | null);
        if (waiting !== null) out.next(new Uint8Array(waiting));
      }),
    );
    return { read };
  },
};

const legend = {
  a: mark.chunk('ab'),
  b: mark.chunk('c'),
  A: mark.chunk('ab'),
  B: mark.chunk('abc'),
  u: mark.value<'read'>('read'),
};

/** Bytes as a Node Readable. */
export const pages = [
  page({
    ...reading,
    title: 'Bytes wait in the Readable',
    sentence:
      'A source that cannot be slowed is taken as it comes, and its bytes wait in the Readable.',
    picture: `
      bytes    -ab-----|
      bytes ^  ^-------!
      user     -----u
      read     -----B
    `,
    legend,
  }),

  page({
    ...reading,
    title: 'The Readable of truncated bytes',
    sentence: 'The Readable is destroyed with the error; nothing makes it look complete.',
    picture: `
      bytes    -a---#
      bytes ^  ^----!
      user     ---u---u
      read     ---A---#
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_LOST') },
  }),
];
