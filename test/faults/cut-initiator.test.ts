import { EMPTY, NEVER, concat, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import { ScriptedPeer } from '../../src/testing/scripted-peer.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { decodePacket } from '../../src/wire/packet.js';
import { parseReply } from '../../src/wire/reply.js';
import type { Script } from '../support/edges.js';
import { patience } from '../fuzz/runs.js';
import { announced, bytesOf, counted, damagedAt, isPacket, layout, ordinary, places, streamOf } from './recorded.js';

/** How the bytes of the target stop: it hangs up, the channel breaks, or nothing comes any more. */
type Stop = 'ended' | 'reset' | 'silent';

interface StreamSeen {
  readonly text: string;
  /** `complete`, the code of its error, or `open`. */
  readonly end: string;
}

interface Seen {
  /** For each request: `final`, or the code of its error. */
  readonly answers: readonly string[];
  readonly streams: ReadonlyMap<number, StreamSeen>;
  readonly ended: string;
  readonly timers: number;
  /** Who still listens to the channel. */
  readonly listeners: number;
}

const codeOf = (error: unknown): string => (isAmandaError(error) ? error.code : `not ours: ${String(error)}`);

/** Asks what was asked in the recording, and reads all streams, while the target sends these bytes. */
function play(recorded: Script, bytes: Uint8Array, stop: Stop): Seen {
  const peer = new ScriptedPeer();
  const watched = counted(peer.channel);
  const connection = new TcpmConnection(watched.channel, { side: 'initiator', user: undefined }, { gather: false });
  const requests = layout(recorded, 'c2s').filter((frame) => isPacket(frame, 'REQ'));
  const answers: string[] = [];
  const streams = new Map<number, StreamSeen>();
  let ended = 'open';
  connection.ended.subscribe({ error: (error: unknown) => (ended = codeOf(error)), complete: () => (ended = 'complete') });
  const read = (handle: number): void => {
    const note = (end: string, more = ''): unknown => streams.set(handle, { text: (streams.get(handle)?.text ?? '') + more, end });
    note('open');
    connection.stream(handle).subscribe({
      next: (chunk) => note('open', Buffer.from(chunk).toString('latin1')),
      error: (error: unknown) => note(codeOf(error)),
      complete: () => note('complete'),
    });
  };
  const answered = (body: Uint8Array): void => {
    try {
      for (const { handle } of parseReply(body).connect) if (handle !== undefined) read(handle);
    } catch (error) {
      answers[answers.length - 1] = codeOf(error);
    }
  };
  const ask = (which: number): void => {
    const request = requests[which];
    if (request === undefined) return;
    answers[which] = 'open';
    exchange(connection, decodePacket(request.payload).body, defaultTiming).subscribe({
      next: ({ kind, packet }) => {
        if (kind !== 'final') return;
        answers[which] = 'final';
        answered(packet.body);
        ask(which + 1);
      },
      error: (error: unknown) => (answers[which] = codeOf(error)),
    });
  };
  for (let unused = 1; unused < (requests[0]?.handle ?? 1); unused += 1) connection.handle().close();
  ask(0);
  peer.sends(concat(of(bytes), stop === 'ended' ? EMPTY : stop === 'reset' ? throwError(() => new Error('read ECONNRESET')) : NEVER));
  if (stop === 'silent') vi.advanceTimersByTime(300_000);
  const seen = { answers: [...answers], streams: new Map(streams), ended };
  connection.close();
  return { ...seen, timers: vi.getTimerCount(), listeners: watched.listeners() };
}

/** What must be seen of a recording whose first bytes have come. */
function expected(recorded: Script, length: number, stop: Stop): Omit<Seen, 'timers' | 'listeners' | 'ended'> {
  const whole = layout(recorded, 's2c').filter(({ end }) => end <= length);
  const open = stop === 'silent' ? 'open' : 'CONNECTION_LOST';
  const answers: string[] = [];
  const streams = new Map<number, StreamSeen>();
  for (const { handle } of layout(recorded, 'c2s').filter((frame) => isPacket(frame, 'REQ'))) {
    const reply = whole.find((frame) => frame.handle === handle && isPacket(frame, 'REP'));
    // Without the REP the request is sent anew, and then it is an ACK that does not come.
    answers.push(reply === undefined ? (stop === 'silent' ? 'ACK_TIMEOUT' : 'CONNECTION_LOST') : 'final');
    if (reply === undefined) break;
    for (const stream of announced(reply)) {
      const { text, closed } = streamOf(whole, stream);
      streams.set(stream, { text, end: closed ? 'complete' : open });
    }
  }
  return { answers, streams };
}

let cases = 0;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  console.log(`${cases} conversations cut or damaged on their way to an initiator`);
});

const all = ordinary.map((recorded) => [recorded.name, recorded] as const);

describe('an initiator whose target stops after any byte comes to the right end of every request and stream', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 's2c');
    for (const stop of ['ended', 'reset', 'silent'] as const) {
      for (const length of [...places(recorded, 's2c'), bytes.length]) {
        cases += 1;
        const { timers, listeners, ended, ...seen } = play(recorded, bytes.slice(0, length), stop);
        const isWhole = length === 0 || layout(recorded, 's2c').some(({ end }) => end === length);
        const right = stop === 'silent' ? 'open' : stop === 'ended' && isWhole ? 'complete' : 'CONNECTION_LOST';
        expect([stop, length, seen, timers, listeners, ended]).toEqual([stop, length, expected(recorded, length, stop), 0, 0, right]);
      }
    }
  });
});

describe('an initiator to which any one byte comes changed comes to an end of every request and stream', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 's2c');
    const codes = new Map<string, number>();
    for (const place of places(recorded, 's2c')) {
      cases += 1;
      const { answers, streams, ended, timers, listeners } = play(recorded, damagedAt(bytes, place), 'ended');
      const ends = [...answers, ended, ...[...streams.values()].map(({ end }) => end)];
      for (const end of ends) codes.set(end, (codes.get(end) ?? 0) + 1);
      expect([place, timers, listeners, ends.filter((end) => end === 'open' || end.startsWith('not ours'))]).toEqual([place, 0, 0, []]);
    }
    expect(known).toEqual(expect.arrayContaining([...codes.keys()]));
  });
});

const known = ['final', 'complete', 'CONNECTION_LOST', 'FRAME_TOO_LARGE', 'TEXT_IN_CHANNEL', 'BAD_REPLY', 'REFUSED', 'TOO_MANY_HANDLES'];
