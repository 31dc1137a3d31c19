import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TcpReassembly, type TcpEvent } from '../../src/capture/tcp-reassembly.js';
import { readSegment } from '../../src/capture/tcp-segment.js';
import { flags, onEthernet, segmentsOf, type Segment } from './packets.js';
import { connectionsOf } from './readers.js';

/** The only connection of these segments, one a millisecond. */
function only(segments: readonly Segment[]) {
  const connections = all(segments);
  expect(connections).toHaveLength(1);
  return connections[0] ?? expect.unreachable();
}

function all(segments: readonly Segment[], options = {}) {
  return connectionsOf(
    segments.map((segment, index) => ({
      number: index + 1,
      at: segment.at ?? index,
      link: 1,
      bytes: onEthernet(segment),
    })),
    options,
  );
}

const text = (told: {
  readonly bytes: { readonly initiator: Buffer; readonly target: Buffer };
}): readonly string[] => [told.bytes.initiator.toString(), told.bytes.target.toString()];

const syn: Segment = { sequence: 99, flags: flags.syn };
const synAck: Segment = {
  from: 'target',
  sequence: 499,
  acknowledged: 100,
  flags: flags.syn | flags.ack,
};
const data = (sequence: number, payload: string): Segment => ({ sequence, payload });
const answer = (sequence: number, payload: string): Segment => ({
  from: 'target',
  sequence,
  payload,
});
const fin = (sequence: number, from: 'initiator' | 'target' = 'initiator'): Segment => ({
  from,
  sequence,
  flags: flags.fin | flags.ack,
});

describe('segments of a connection', () => {
  it('are put together in both directions, to their ends', () => {
    const told = only([
      syn,
      synAck,
      data(100, 'abc'),
      answer(500, 'xy'),
      data(103, 'de'),
      fin(105),
      fin(502, 'target'),
      { sequence: 106 },
    ]);
    expect(told).toMatchObject({
      initiator: '127.0.0.1:700',
      target: '127.0.0.2:10080',
      isWhole: true,
    });
    expect(text(told)).toEqual(['abcde', 'xy']);
    expect(told.said).toEqual(['open', 'end initiator', 'end target', 'over']);
  });

  it('are put together in whatever order they come, doubled, overlapping and across the end of the numbers', () => {
    const bytes = {
      c2s: Buffer.from(Array.from({ length: 2_000 }, (_, index) => index % 251)),
      s2c: Buffer.from('answer '.repeat(150)),
    };
    const [first, second, ...rest] = segmentsOf(bytes, { most: 100 });
    const overlaps = rest.map((segment, index): Segment => {
      const before = rest[index - 1];
      if (
        before === undefined ||
        before.from !== segment.from ||
        before.payload === undefined ||
        segment.payload === undefined
      )
        return segment;
      return {
        ...segment,
        sequence: segment.sequence - 30,
        payload: Buffer.concat([
          Buffer.from(before.payload).subarray(-30),
          Buffer.from(segment.payload),
        ]),
      };
    });
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...rest, ...overlaps]),
        fc.shuffledSubarray(rest, { minLength: rest.length }),
        fc.boolean(),
        (some, every, before) => {
          const shuffled = before ? [...some, ...every] : [...every, ...some];
          const told = only([first ?? syn, second ?? synAck, ...shuffled]);
          expect(told.bytes.initiator.equals(bytes.c2s)).toBe(true);
          expect(told.bytes.target.equals(bytes.s2c)).toBe(true);
          expect(told.said.toSorted()).toEqual(['end initiator', 'end target', 'open', 'over']);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that never come leave a gap, where their direction ends; the other one goes on', () => {
    const told = only([
      syn,
      synAck,
      data(100, 'abc'),
      data(105, 'fg'),
      answer(500, 'xy'),
      data(107, 'h'),
      answer(502, 'z'),
      fin(503, 'target'),
    ]);
    expect(text(told)).toEqual(['abc', 'xyz']);
    expect(told.said).toEqual([
      'open',
      'end target',
      'gap initiator at 3 of 2: they are not in the capture',
      'over',
    ]);
  });

  it('that were not captured as a whole leave a gap after what there is of them', () => {
    const cut = onEthernet(data(100, 'abcdefgh')).subarray(0, -3);
    const packets = [onEthernet(syn), onEthernet(synAck), cut, onEthernet(data(108, 'ij'))].map(
      (bytes, index) => ({
        number: index,
        at: index,
        link: 1,
        bytes,
      }),
    );
    const [told] = connectionsOf(packets);
    expect(told?.bytes.initiator.toString()).toBe('abcde');
    expect(told?.said).toEqual([
      'open',
      'gap initiator at 5 of 3: the packet was not captured as a whole',
      'over',
    ]);
  });

  it('before the capture are said to be missing; who asked is told by the ports', () => {
    const told = only([answer(502, 'zz'), data(205, 'b'), { sequence: 206, flags: flags.rst }]);
    expect(told).toMatchObject({
      initiator: '127.0.0.1:700',
      target: '127.0.0.2:10080',
      isWhole: false,
    });
    expect(text(told)).toEqual(['b', 'zz']);
    expect(told.said).toEqual(['open', 'reset initiator', 'over']);
  });

  it('belong together when only the answer to the SYN was captured', () => {
    const told = only([synAck, data(103, 'd'), data(100, 'abc')]);
    expect(told).toMatchObject({ initiator: '127.0.0.1:700', isWhole: true });
    expect(text(told)).toEqual(['abcd', '']);
  });

  it('may come with the SYN', () => {
    expect(text(only([{ ...syn, payload: 'ab' }, synAck, data(102, 'c')]))).toEqual(['abc', '']);
  });

  it('end the connection with a RST', () => {
    const told = only([
      syn,
      synAck,
      data(100, 'abc'),
      { from: 'target', sequence: 500, flags: flags.rst },
      data(103, 'no more'),
    ]);
    expect(text(told)).toEqual(['abc', '']);
    expect(told.said).toEqual(['open', 'reset target', 'over']);
  });

  it('of a SYN with another number are a new connection between the same ports', () => {
    const second = 70_000;
    const told = all([
      syn,
      synAck,
      data(100, 'one'),
      syn,
      { ...syn, sequence: second - 1 },
      data(second, 'two'),
      data(103, 'late'),
    ]);
    expect(told.map(({ bytes }) => bytes.initiator.toString())).toEqual(['one', 'two']);
    expect(told.map(({ said }) => said)).toEqual([
      ['open', 'over'],
      ['open', 'over'],
    ]);
  });

  it('of a SYN after the end of a connection are a new one, whatever its number', () => {
    const whole = [
      syn,
      synAck,
      data(100, 'one'),
      answer(500, 'xy'),
      fin(103),
      fin(502, 'target'),
      { sequence: 104 },
    ];
    const broken = [
      syn,
      synAck,
      data(100, 'two'),
      { from: 'target' as const, sequence: 500, flags: flags.rst },
    ];
    const told = all([...whole, ...broken, ...whole]);
    expect(told.map(text)).toEqual([
      ['one', 'xy'],
      ['two', ''],
      ['one', 'xy'],
    ]);
  });

  it('that keep a connection alive or are acknowledgements of an old one change nothing', () => {
    expect(all([{ sequence: 5 }, fin(5)])).toEqual([]);
    expect(
      text(
        only([
          syn,
          synAck,
          data(100, 'ab'),
          data(101, 'b'),
          data(101, '?'),
          { sequence: 101 },
          data(102, 'c'),
        ]),
      ),
    ).toEqual(['abc', '']);
  });

  it('do not make time run backwards', () => {
    const events: TcpEvent[] = [];
    const reassembly = new TcpReassembly((event) => events.push(event));
    for (const [at, segment] of [
      [50, syn] as const,
      [20, synAck] as const,
      [40, data(100, 'a')] as const,
    ]) {
      const read = readSegment({ number: 1, at, link: 1, bytes: onEthernet(segment) });
      if (typeof read === 'object') reassembly.push(read);
    }
    expect(events.map(({ at, kind }) => [kind, at])).toEqual([
      ['open', 50],
      ['bytes', 50],
    ]);
  });
});

describe('what is kept', () => {
  it('of a direction is bounded: one whose next bytes do not come ends there', () => {
    const far = Array.from({ length: 100 }, (_, index) => data(200 + index * 10, '0123456789'));
    const [told] = all([syn, synAck, data(100, 'ab'), ...far], { maxBuffered: 50_000 });
    expect(text(told ?? expect.unreachable())).toEqual(['ab', '']);
    expect(told?.said).toEqual([
      'open',
      'gap initiator at 2 of 98: they do not come, and too many bytes after them have',
      'over',
    ]);
  });

  it('of all connections together is bounded, too, and what was put together counts no more', () => {
    const packet = (port: number, segment: Segment) => ({
      number: 1,
      at: 0,
      link: 1,
      bytes: onEthernet(segment, { initiator: port, target: 10_080 }),
    });
    const early = (port: number) => [
      packet(port, syn),
      packet(port, data(1_100, 'x'.repeat(1_000))),
    ];
    const told = connectionsOf(
      [...early(1), ...early(2), packet(1, data(100, 'y'.repeat(1_000))), ...early(3), ...early(4)],
      { maxBufferedTogether: 5_000 },
    );
    expect(told.map(({ said }) => said.filter((one) => one.startsWith('gap')))).toEqual([
      [],
      ['gap initiator at 0 of 1000: they are not in the capture'],
      ['gap initiator at 0 of 1000: they are not in the capture'],
      ['gap initiator at 0 of 1000: they do not come, and too many bytes after them have'],
    ]);
    expect(told[0]?.bytes.initiator.toString()).toBe('y'.repeat(1_000) + 'x'.repeat(1_000));
  });

  it('is of so many connections at once; the one that was silent longest is given up', () => {
    const packet = (port: number, segment: Segment) => ({
      number: 1,
      at: 0,
      link: 1,
      bytes: onEthernet(segment, { initiator: port, target: 10_080 }),
    });
    const told = connectionsOf(
      [
        packet(1, syn),
        packet(2, syn),
        packet(1, data(100, 'a')),
        packet(3, syn),
        packet(1, data(101, 'b')),
        packet(2, data(100, 'lost')),
      ],
      { maxConnections: 2 },
    );
    expect(
      told.map(({ initiator, bytes, isWhole }) => [initiator, bytes.initiator.toString(), isWhole]),
    ).toEqual([
      ['127.0.0.1:1', 'ab', true],
      ['127.0.0.1:2', '', true],
      ['127.0.0.1:3', '', true],
      ['127.0.0.1:2', 'lost', false],
    ]);
  });
});
