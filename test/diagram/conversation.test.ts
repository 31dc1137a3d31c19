import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/diagram/model.js';
import { Conversation, type ConversationOptions } from '../../src/diagram/conversation.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { conversation, conversationNames } from '../support/captures.js';
import { framesInOrder, listedFrames, packetBytes, roleOf, shownFrames } from './shown-frames.js';

const text = (value: string) => new TextEncoder().encode(value);
const close = new Uint8Array(0);
const REQ = packetBytes(0, 'SERVICE sendbackup\nOPTIONS ;\n');
const REP = packetBytes(1, 'CONNECT DATA 499999 MESG 499998\nOPTIONS ;\n');
const ACK = packetBytes(3);

function watching(options: Partial<ConversationOptions> = {}) {
  const changes: Change[] = [];
  const watched = new Conversation({
    name: 'wire',
    change: (change) => changes.push(change),
    ...options,
  });
  return { watched, changes };
}

/** A dump that is announced and acknowledged, from 0 to 30 ms. */
function dumping(options: Partial<ConversationOptions> = {}) {
  const made = watching(options);
  made.watched.frame(0, 'initiator', 1, REQ);
  made.watched.frame(10, 'target', 1, ACK);
  made.watched.frame(20, 'target', 1, REP);
  made.watched.frame(30, 'initiator', 1, ACK);
  return made;
}

/** Each change as a line. */
function lines(changes: readonly Change[]): readonly string[] {
  return changes.map((change) => {
    switch (change.kind) {
      case 'lane':
        return `${change.at} lane ${change.lane.name}: ${[change.lane.kind, change.lane.handle, change.lane.direction].filter((part) => part !== undefined).join(' ')}`;
      case 'event':
        return `${change.event.at} ${change.lane} ${[change.event.kind, change.event.direction].filter((part) => part !== undefined).join(' ')}: ${change.event.label}`;
      case 'span':
        return `${change.span.from} ${change.lane} begins ${change.span.label}`;
      case 'span-end':
        return `${change.at} ${change.lane} ends ${change.span}`;
    }
  });
}

describe('chunks that are joined', () => {
  test('are those of one time, and the last ones wait for another event or a flush', () => {
    const { watched, changes } = dumping({ joins: true });
    const told = (): readonly string[] => lines(changes.splice(0));
    told();
    for (const at of [40, 40, 50]) watched.frame(at, 'target', 499_999, text('data'));
    expect(told()).toEqual([
      '40 lane wire/DATA: stream 499999 in',
      '40 wire/DATA chunk: 2 chunks, 8 B',
    ]);
    watched.flush();
    watched.flush();
    expect(told()).toEqual(['50 wire/DATA chunk: 4 bytes']);
    watched.frame(60, 'target', 499_999, text('data'));
    watched.end(70, 'target');
    expect(told()).toEqual(['60 wire/DATA chunk: 4 bytes', '70 wire close in: the target ends']);
  });

  test('are one a stream, also when streams take turns within the time', () => {
    const { watched, changes } = dumping({ joins: true });
    for (const handle of [499_999, 499_998]) watched.frame(30, 'target', handle, text('data'));
    watched.flush();
    changes.splice(0);
    for (const handle of [499_999, 499_998, 499_999, 499_998, 499_999])
      watched.frame(40, 'target', handle, text('data'));
    watched.frame(40, 'initiator', 499_998, close);
    expect(lines(changes)).toEqual([
      '40 wire/DATA chunk: 3 chunks, 12 B',
      '40 wire/MESG chunk: 2 chunks, 8 B',
      '40 wire/MESG close out: close',
    ]);
  });

  test('count what comes while they are told with the next time', () => {
    const changes: Change[] = [];
    const watched = new Conversation({
      name: 'wire',
      joins: true,
      change: (change) => {
        changes.push(change);
        if (change.kind === 'event' && change.event.at === 40 && change.event.kind === 'chunk')
          watched.frame(41, 'target', 499_998, text('answer'));
      },
    });
    for (const handle of [499_999, 499_998]) watched.frame(30, 'target', handle, text('data'));
    watched.flush();
    changes.splice(0);
    for (const handle of [499_999, 499_998]) watched.frame(40, 'target', handle, text('data'));
    watched.flush();
    watched.flush();
    expect(lines(changes)).toEqual([
      '40 wire/handle 499999 chunk: 4 bytes',
      '40 wire/handle 499998 chunk: 4 bytes',
      '41 wire/handle 499998 chunk: 2 chunks, 12 B',
    ]);
  });

  test('have the front of the first as their preview, in memory of its own', () => {
    const { watched, changes } = dumping({ joins: true, preview: 4 });
    changes.splice(0);
    for (const [at, payloads] of [
      [50, ['longer', 'x']],
      [51, ['ab']],
      [52, ['other']],
    ] as const) {
      for (const payload of payloads) watched.frame(at, 'target', 499_999, text(payload));
    }
    watched.flush();
    const previews = changes.flatMap((change) =>
      change.kind === 'event' && 'preview' in change.event
        ? [Buffer.from(change.event.preview ?? []).toString()]
        : [],
    );
    expect(previews).toEqual(['long', 'ab', 'othe']);
  });

  test('are those of ten milliseconds while many come, until fewer do', () => {
    const { watched, changes } = dumping({ joins: true });
    const burst = (at: number, chunks: number): void => {
      for (let count = 0; count < chunks; count += 1)
        watched.frame(at, 'target', 499_999, text('data'));
    };
    burst(40, 1);
    watched.flush();
    changes.splice(0);
    for (const at of [50, 51, 60]) burst(at, 17);
    watched.frame(60, 'target', 499_998, text('answer'));
    // These ten have at most 16 chunks, and after them a millisecond counts again.
    burst(61, 15);
    for (const at of [71, 72]) burst(at, 1);
    watched.flush();
    expect(lines(changes)).toEqual([
      '50 wire/DATA chunk: 17 chunks, 68 B',
      '51 wire/DATA chunk: 34 chunks, 136 B',
      '60 lane wire/MESG: stream 499998 in',
      '60 wire/MESG chunk: 6 bytes',
      '61 wire/DATA chunk: 15 chunks, 60 B',
      '71 wire/DATA chunk: 4 bytes',
      '72 wire/DATA chunk: 4 bytes',
    ]);
    expect(changes[1]).toMatchObject({ event: { at: 51, until: 60, count: 34 } });
  });

  test('have the size that is told where only their front is given', () => {
    const { watched, changes } = dumping({ preview: 2 });
    watched.frame(40, 'target', 499_999, text('front'), 32_768);
    expect(changes.at(-1)).toEqual({
      kind: 'event',
      lane: 'wire/DATA',
      event: { kind: 'chunk', at: 40, bytes: 32_768, preview: text('fr'), label: '32768 bytes' },
    });
  });
});

describe('every recorded conversation', () => {
  test.each(conversationNames())('%s is told frame by frame as its list has it', (name) => {
    const recorded = conversation(name);
    const { watched, changes } = watching();
    for (const { step, payload } of framesInOrder(recorded))
      watched.frame(step.time * 1000, roleOf(step.direction), step.handle, payload);
    const told = shownFrames(changes);
    const listed = listedFrames(recorded);
    // The lists take a packet on a large handle for data; a request begins an exchange on any
    // handle.
    const isListedAsData = (index: number): boolean =>
      listed[index]?.what === 'data' && listed[index].stream === undefined;
    expect(
      told.map(({ lane: _, ...rest }, index) => ({
        ...rest,
        what: isListedAsData(index) ? 'data' : rest.what,
      })),
    ).toEqual(listed.map(({ stream: _, ...rest }) => rest));
    // Streams have the names of the list, with the direction if both directions carry bytes.
    const isNamed = told.map(({ lane }, index) => {
      const stream = listed[index]?.stream;
      return (
        stream === undefined ||
        [stream, `${stream} in`, `${stream} out`].includes(
          lane.replace('wire/', '').replace(/ \d+$/, ''),
        )
      );
    });
    expect(isNamed).not.toContain(false);
  });

  test('an exchange is named by its service', () => {
    const { watched, changes } = watching();
    for (const { step, payload } of framesInOrder(conversation('amdump.1')))
      watched.frame(step.time * 1000, roleOf(step.direction), step.handle, payload);
    expect(lines(changes).filter((line) => line.includes(' lane '))).toEqual([
      expect.stringMatching(/ lane wire: connection$/),
      expect.stringMatching(/ lane wire\/noop: handle 1$/),
      expect.stringMatching(/ lane wire\/sendsize: handle 2$/),
    ]);
  });
});

describe('a conversation', () => {
  test('tells packets, waits, streams, closes and the end', () => {
    const { watched, changes } = dumping();
    watched.frame(40, 'target', 499998, text('sendbackup: info end\n'));
    watched.frame(41, 'target', 499998, close);
    watched.frame(42, 'initiator', 499998, close);
    watched.frame(43, 'target', 1, close);
    watched.frame(44, 'initiator', 1, close);
    watched.end(50, 'initiator');
    watched.end(51, 'target');
    expect(lines(changes)).toEqual([
      '0 lane wire: connection',
      '0 lane wire/sendbackup: handle 1',
      '0 wire/sendbackup packet out: REQ sendbackup',
      '0 wire/sendbackup begins waiting for ACK',
      '10 wire/sendbackup packet in: ACK',
      '10 wire/sendbackup ends waiting',
      '10 wire/sendbackup begins waiting for REP',
      '20 wire/sendbackup packet in: REP DATA MESG',
      '20 wire/sendbackup ends waiting',
      '20 wire/sendbackup begins waiting for ACK',
      '30 wire/sendbackup packet out: ACK',
      '30 wire/sendbackup ends waiting',
      '40 lane wire/MESG: stream 499998 in',
      '40 wire/MESG chunk: 21 bytes',
      '41 wire/MESG close: close',
      '42 wire/MESG close out: close',
      '42 wire/MESG complete: complete',
      '43 wire/sendbackup close in: close',
      '44 wire/sendbackup close out: close',
      '44 wire/sendbackup complete: complete',
      '50 wire close out: the initiator ends',
      '51 wire close in: the target ends',
      '51 wire complete: complete',
    ]);
  });

  test('seen by the target has the directions the other way round', () => {
    const { changes } = dumping({ viewpoint: 'target' });
    expect(shownFrames(changes).map(({ direction }) => direction)).toEqual([
      'in',
      'out',
      'out',
      'in',
    ]);
  });

  test('has a lane for each direction of a stream that carries something', () => {
    const { watched, changes } = dumping();
    watched.frame(40, 'target', 499999, text('a'));
    watched.frame(41, 'initiator', 499999, text('b'));
    expect(lines(changes).slice(-4)).toEqual([
      '40 lane wire/DATA: stream 499999 in',
      '40 wire/DATA chunk: 1 byte',
      '41 lane wire/DATA out: stream 499999 out',
      '41 wire/DATA out chunk: 1 byte',
    ]);
  });

  test('begins a new lane for a request on a reused handle; a late close belongs to the old one', () => {
    const { watched, changes } = dumping();
    watched.frame(40, 'initiator', 1, REQ);
    watched.frame(41, 'target', 1, close);
    watched.frame(42, 'target', 1, ACK);
    expect(lines(changes).slice(12)).toEqual([
      '40 lane wire/sendbackup 2: handle 1',
      '40 wire/sendbackup 2 packet out: REQ sendbackup',
      '40 wire/sendbackup 2 begins waiting for ACK',
      '41 wire/sendbackup close in: close',
      '42 wire/sendbackup 2 packet in: ACK',
      '42 wire/sendbackup 2 ends waiting',
      '42 wire/sendbackup 2 begins waiting for REP',
    ]);
  });

  test('that ends shows what was cut off: open streams and unanswered requests', () => {
    const { watched, changes } = dumping();
    watched.frame(40, 'target', 499999, text('half of a dump'));
    watched.frame(41, 'initiator', 2, packetBytes(0, 'SERVICE noop\nOPTIONS ;\n'));
    watched.end(50, undefined, { code: 'CONNECTION_LOST', message: 'The peer is gone.' });
    watched.end(60, undefined);
    expect(lines(changes).slice(-6)).toEqual([
      '41 wire/noop begins waiting for ACK',
      '50 wire/sendbackup complete: complete',
      '50 wire/noop ends waiting',
      '50 wire/noop error: the connection ended before the reply',
      '50 wire/DATA error: the connection ended while the stream was open',
      '50 wire error: The peer is gone.',
    ]);
  });

  test('says when reading is paused and which stream holds up which', () => {
    const { watched, changes } = watching();
    watched.flow(1, { paused: false });
    watched.flow(2, { paused: true });
    watched.flow(3, { paused: true, stalled: 'stalled: 8 waits for 7' });
    watched.flow(4, { paused: false });
    expect(lines(changes)).toEqual([
      '1 lane wire: connection',
      '2 wire begins paused',
      '3 wire begins stalled: 8 waits for 7',
      '4 wire ends paused',
      '4 wire ends stalled',
    ]);
  });

  test('says what refuses', () => {
    const { watched, changes } = watching();
    watched.frame(0, 'initiator', 1, REQ);
    watched.frame(1, 'target', 1, packetBytes(4, 'ERROR not here\n'));
    expect(lines(changes).slice(-2)).toEqual([
      '1 wire/sendbackup packet in: NAK not here',
      '1 wire/sendbackup ends waiting',
    ]);
  });

  test('keeps a copy of the front of a payload, of the length of `preview`', () => {
    const payload = text('abcdefghijklmnopqrstuvwxyz');
    const previews = [undefined, 4, 0].map((preview) => {
      const { watched, changes } = dumping({ preview });
      watched.frame(40, 'target', 499999, payload);
      const last = changes.at(-1);
      return last?.kind === 'event' && last.event.kind === 'chunk' ? last.event.preview : undefined;
    });
    expect(previews).toEqual([text('abcdefghijklmnop'), text('abcd'), undefined]);
    expect(previews[0]?.buffer).not.toBe(payload.buffer);
    expect(previews[0]?.buffer.byteLength).toBe(16);
  });

  test('has lane names of its own beside another connection in the same diagram', () => {
    const names = ['one', 'two'].flatMap((name) =>
      lines(dumping({ name }).changes)
        .filter((line) => line.includes(' lane '))
        .map((line) => line.split(' ')[2]),
    );
    expect(names).toEqual(['one:', 'one/sendbackup:', 'two:', 'two/sendbackup:']);
  });

  test.each([
    { preview: -1 },
    { preview: 65_537 },
    { preview: 1.5 },
    { maxLanes: 0 },
    { maxLanes: Number.NaN },
  ])('refuses %o', (options) => {
    expect(() => watching(options)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});

describe('a hostile peer', () => {
  test('gets no more lanes than allowed, and the rest is told on the connection', () => {
    const { watched, changes } = watching({ maxLanes: 3 });
    for (let handle = 1; handle <= 100_000; handle += 1)
      watched.frame(handle, 'target', handle, text('x'));
    expect(changes.filter(({ kind }) => kind === 'lane')).toHaveLength(1 + 3);
    expect(shownFrames(changes)).toHaveLength(100_000);
    expect(lines(changes).at(-1)).toBe('100000 wire chunk in: 100000: 1 byte');
  });

  test('cannot announce more streams than there is room for, nor take over an open one', () => {
    const { watched, changes } = watching({ maxLanes: 4 });
    watched.frame(0, 'initiator', 1, REQ);
    for (let n = 0; n < 1_000; n += 1)
      watched.frame(n, 'target', 1, packetBytes(1, `CONNECT S${n} ${20_000 + n} DATA 499999\n`));
    watched.frame(1_000, 'target', 499999, text('x'));
    watched.frame(1_001, 'target', 20_500, text('x'));
    watched.frame(1_002, 'initiator', 1, packetBytes(1, 'CONNECT EVIL 499999\n'));
    watched.frame(1_003, 'target', 499999, text('x'));
    expect(
      lines(changes).filter((line) => line.startsWith('100') && line.includes('chunk')),
    ).toEqual([
      '1000 wire/DATA chunk: 1 byte',
      '1001 wire chunk in: 20500: 1 byte',
      '1003 wire/DATA chunk: 1 byte',
    ]);
  });

  test.each([
    ['control characters in a service', packetBytes(0, 'SERVICE a\u001b[31mb\nOPTIONS ;\n')],
    ['control characters in a refusal', packetBytes(4, 'ERROR \u0007\u001b]0;x\u0007\u202e\n')],
    ['control characters in a reply', packetBytes(1, '\u001b[2J\r\n')],
    ['a CONNECT line that cannot be used', packetBytes(1, 'CONNECT \u001b 1 x\n')],
    ['bytes that are no text', new Uint8Array([1, 0xff, 0xfe, 0x80, 0x9b])],
  ])('cannot reach the terminal with %s', (_, payload) => {
    const { watched, changes } = watching({ name: 'wi\u001bre' });
    watched.frame(0, payload[0] === 0 ? 'initiator' : 'target', 1, payload);
    const texts = changes.flatMap((change) =>
      change.kind === 'lane'
        ? [change.lane.name]
        : change.kind === 'event'
          ? [change.event.label]
          : [],
    );
    expect(texts.join('')).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202e]*$/);
  });

  test('costs no more for a packet of 4 MiB than for its front, and shortens an endless text', () => {
    const { watched, changes } = watching();
    const huge = new Uint8Array(4_194_304).fill(0x61);
    huge.set(text('\u0000SERVICE '));
    for (let n = 0; n < 50; n += 1) watched.frame(n, 'initiator', 1, huge);
    const lengths = changes.flatMap((change) =>
      change.kind === 'lane'
        ? [change.lane.name.length]
        : change.kind === 'event'
          ? [change.event.label.length]
          : [],
    );
    expect(Math.max(...lengths)).toBeLessThan(200);
  });

  test('never makes it throw, whatever the frames are', () => {
    const { watched } = watching();
    let seed = 1;
    const random = (most: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % most;
    };
    const handles = [0, 1, 2, 9_999, 10_000, 499_998, 499_999, 0x7fff_ffff, 0xffff_ffff];
    const payloads = [
      close,
      REQ,
      REP,
      ACK,
      packetBytes(2, 'CONNECT DATA 499999\n'),
      packetBytes(4),
      packetBytes(9),
      text('x'),
      new Uint8Array([0]),
    ];
    const failures: unknown[] = [];
    for (let n = 0; n < 20_000; n += 1) {
      try {
        watched.frame(
          n,
          random(2) === 0 ? 'initiator' : 'target',
          handles[random(handles.length)] ?? 0,
          payloads[random(payloads.length)] ?? close,
        );
        if (random(5_000) === 0) watched.end(n, random(2) === 0 ? 'initiator' : undefined);
      } catch (error) {
        failures.push(isAmandaError(error) ? error.message : error);
      }
    }
    expect(failures).toEqual([]);
  });
});

describe('a dump', () => {
  const dle = '<dle><program>GNUTAR</program><disk>/home "x"</disk><level>1</level></dle>\n';
  const asked = packetBytes(0, `SERVICE sendbackup\nOPTIONS ;\n${dle}`);

  test('is named by its disk and level', () => {
    const { watched, changes } = watching();
    watched.frame(0, 'initiator', 1, asked);
    expect(lines(changes)).toContain(
      '0 wire/sendbackup packet out: REQ sendbackup /home "x" level 1',
    );
  });

  test('that fails is an error in words, and strange lines are shown', () => {
    const { watched, changes } = dumping();
    const messages =
      'sendbackup: start [h:/home level 0]\n? /bin/tar: x: file changed\n| Total bytes written: 10240\nsendbackup: error [/bin/tar returned 2]\n';
    // Cut anywhere.
    for (const [index, part] of [
      messages.slice(0, 50),
      messages.slice(50, 120),
      messages.slice(120),
    ].entries())
      watched.frame(40 + index, 'target', 499_998, text(part));
    const told = lines(changes).filter((line) => /error|value/.test(line));
    expect(told).toEqual([
      '41 wire/MESG value: strange: ? /bin/tar: x: file changed',
      '42 wire/MESG error: the dump failed: [/bin/tar returned 2]',
    ]);
  });

  test('lines on other streams, or to the target, are no messages', () => {
    const { watched, changes } = dumping();
    watched.frame(40, 'target', 499_999, text('sendbackup: error [no]\n'));
    watched.frame(41, 'initiator', 499_998, text('sendbackup: error [no]\n'));
    expect(lines(changes).filter((line) => /error|value/.test(line))).toEqual([]);
  });
});
