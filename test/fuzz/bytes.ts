import fc, { type Arbitrary } from 'fast-check';
import { conversation, conversationNames } from '../support/captures.js';

/** What was recorded in each direction, and the payloads in it. */
const recorded: readonly Uint8Array[] = conversationNames().flatMap((name) =>
  Object.values(conversation(name).bytes).filter(({ length }) => length > 0),
);

/** Words that mean something to one decoder or another. */
export const words: readonly string[] = [
  ...[
    'SECURITY ',
    'SECURITY USER ',
    'SERVICE ',
    'SERVICE noop\n',
    'OPTIONS ',
    'OPTIONS features=',
    'hostname=',
    'CONNECT ',
    'CONNECT DATA 499999 MESG -1\n',
  ],
  ...[
    'ERROR ',
    'MESSAGE JSON\n',
    '{"severity":"error","message":',
    '[[',
    'RETRY delay 3 level 1 message "x"',
    '/home 0 SIZE 100\n',
    '/home 0 ERROR "',
  ],
  ...[
    '<dle>',
    '</dle>',
    '<program>GNUTAR</program>',
    '<disk>/home</disk>',
    '<level>0</level>',
    '<estimate>',
    ' encoding="raw" raw="',
    '&#x41;',
    '&lt;',
    '<a/>',
  ],
  ...[
    'AMANDA: FILE 20261124 localhost /home lev 0 comp N program /bin/tar\n',
    'DLE=<<ENDDLE\n',
    'ENDDLE\n',
    'ORIGSIZE=',
    'NATIVE-CRC=',
    '\n\f\n',
    '\tdd if=<tape> | ',
  ],
  ...[
    'Amanda 3.5 REQ HANDLE 000-00000000 SEQ 1\n',
    'Amanda ',
    'HANDLE ',
    ' SEQ -1',
    'sendbackup: ',
    'info ',
    'size ',
    'native-CRC 0cda24b5:10240\n',
    'error [',
    'retry ',
  ],
  ...[
    'localhost backup amdump\n',
    'SHA1 Fingerprint=',
    'define dumptype a {\n',
    'auth "bsdtcp"\n',
    '}\n',
    '"',
    '\\',
    '\\777',
    '\0',
    '\n',
    ' ',
    ';',
    '=',
    '-1',
    '\ufeff',
    '\ud800',
  ],
];

/** Bytes of every kind: noise, words in any order, and recordings with damage in them. */
export function hostileBytes(): Arbitrary<Uint8Array> {
  return fc.oneof(
    { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 1 },
    { arbitrary: wordy(), weight: 3 },
    { arbitrary: damaged(), weight: 2 },
  );
}

function wordy(): Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    fc.constantFrom(...words),
    fc.string({ maxLength: 8 }),
    fc.integer().map(String),
  );
  return fc
    .array(piece, { maxLength: 24 })
    .map((pieces) => new Uint8Array(Buffer.from(pieces.join(''))));
}

/**
 * A recording, or the payloads after its first frame, with bytes changed, left out, doubled or put
 * in.
 */
export function damaged(): Arbitrary<Uint8Array> {
  const damage = fc.record({
    at: fc.nat(12_000),
    kind: fc.constantFrom('flip', 'drop', 'double', 'insert'),
    value: fc.integer({ min: 1, max: 255 }),
    span: fc.nat(40),
  });
  return fc
    .record({
      which: fc.nat(recorded.length - 1),
      skip: fc.constantFrom(0, 0, 8, 9),
      damages: fc.array(damage, { maxLength: 6 }),
    })
    .map(({ which, skip, damages }) =>
      damages.reduce<Uint8Array>(
        (bytes, one) => apply(bytes, one),
        (recorded[which] ?? new Uint8Array(0)).slice(skip),
      ),
    );
}

function apply(
  bytes: Uint8Array,
  { at, kind, value, span }: { at: number; kind: string; value: number; span: number },
): Uint8Array {
  if (bytes.length === 0) return bytes;
  const place = at % bytes.length;
  const [front, middle, back] = [
    bytes.subarray(0, place),
    bytes.subarray(place, place + span),
    bytes.subarray(place + span),
  ];
  if (kind === 'flip') return bytes.map((byte, index) => (index === place ? byte ^ value : byte));
  const parts =
    kind === 'drop'
      ? [front, back]
      : kind === 'double'
        ? [front, middle, middle, back]
        : [front, new Uint8Array(span).fill(value), middle, back];
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes in pieces: the places are taken modulo the length. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [
    ...new Set(places.map((place) => (bytes.length === 0 ? 0 : place % bytes.length))),
  ].sort((a, b) => a - b);
  return [...ends, bytes.length]
    .map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
    .filter(({ length }) => length > 0);
}

/** Where to cut: a few places anywhere, or every few bytes. */
export function cuts(): Arbitrary<readonly number[]> {
  const everywhere = fc
    .integer({ min: 1, max: 9 })
    .map((step) => Array.from({ length: Math.ceil(12_000 / step) }, (_, index) => index * step));
  return fc.oneof(
    { arbitrary: fc.array(fc.nat(12_000), { maxLength: 30 }), weight: 4 },
    { arbitrary: everywhere, weight: 1 },
  );
}
