import { EMPTY, NEVER, Observable, concat, from, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Service, ServiceReply, StreamHandler } from '../../src/exchange/service.js';
import { serveConnection, type ServiceEvent } from '../../src/target/serve.js';
import { ScriptedPeer } from '../../src/testing/scripted-peer.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { decodePacket } from '../../src/wire/packet.js';
import { splitConnect } from '../../src/wire/reply.js';
import type { Script } from '../support/edges.js';
import { patience } from '../fuzz/runs.js';
import { announced, bytesOf, counted, damagedAt, isPacket, layout, ordinary, places, streamOf, type LaidFrame } from './recorded.js';

/** How the bytes of the initiator stop: it hangs up, the channel breaks, or nothing comes any more. */
type Stop = 'ended' | 'reset' | 'silent';

interface Seen {
  readonly events: readonly ServiceEvent[];
  readonly streams: ReadonlyMap<number, { readonly text: string; readonly end: string }>;
  /** Services that nobody has told to stop. */
  readonly running: number;
  readonly timers: number;
  /** Who still listens to the channel. */
  readonly listeners: number;
}

const names = ['noop', 'selfcheck', 'sendsize', 'sendbackup', 'amindexd', 'amidxtaped'];
const codeOf = (error: unknown): string => (isAmandaError(error) ? error.code : `not ours: ${String(error)}`);

/** Serves what the recorded target answered, at once, while the initiator sends these bytes. */
function play(recorded: Script, bytes: Uint8Array, stop: Stop): Seen {
  const peer = new ScriptedPeer();
  const watched = counted(peer.channel);
  const connection = new TcpmConnection(watched.channel, { side: 'target', namesUser: recorded.driver === 'bsdtcp' }, { gather: false });
  const sent = layout(recorded, 's2c');
  const events: ServiceEvent[] = [];
  const streams = new Map<number, { text: string; end: string }>();
  let running = 0;
  const stream =
    (frames: readonly LaidFrame[]): StreamHandler =>
    (incoming) => {
      const seen = { text: '', end: 'open' };
      streams.set(incoming.handle, seen);
      incoming.subscribe({
        next: (chunk) => (seen.text += Buffer.from(chunk).toString('latin1')),
        error: (error: unknown) => (seen.end = codeOf(error)),
        complete: () => (seen.end = 'complete'),
      });
      const close = frames.findIndex(({ payload }) => payload.length === 0);
      const data = from(frames.slice(0, close < 0 ? undefined : close).map(({ payload }) => payload));
      return concat(data, close < 0 && stop !== 'silent' ? NEVER : EMPTY);
    };
  const service: Service = ({ handle }) => {
    const replies = sent
      .filter((frame) => frame.handle === handle && (isPacket(frame, 'REP') || isPacket(frame, 'PREP')))
      .map((frame): ServiceReply => {
        const { type, body } = decodePacket(frame.payload);
        const split = splitConnect(body);
        if (type === 'PREP' || split === undefined) return { kind: type === 'PREP' ? 'partial' : 'final', body };
        const entries = split.connect.map(({ name, number }) => [name, number < 0 ? undefined : stream(sent.filter((one) => one.handle === number))] as const);
        return { kind: 'final', body: split.rest, streams: Object.fromEntries(entries) };
      });
    return new Observable((out) => {
      running += 1;
      out.add(() => (running -= 1));
      // A service with streams is there for as long as it is wanted; one that nobody speaks to ends by itself.
      concat(from(replies), stop === 'silent' ? EMPTY : NEVER).subscribe(out);
    });
  };
  const services = Object.fromEntries(names.map((name) => [name, service]));
  serveConnection(connection, services, { gather: false, authorize: () => of(allowed) }).subscribe((event) => events.push(event));
  peer.sends(concat(of(bytes), stop === 'ended' ? EMPTY : stop === 'reset' ? throwError(() => new Error('read ECONNRESET')) : NEVER));
  if (stop === 'silent') vi.advanceTimersByTime(MOST_PATIENCE);
  return { events, streams, running, timers: vi.getTimerCount(), listeners: watched.listeners() };
}

/** Milliseconds: a reply is sent for 50 s, and a connection on which nothing runs is closed after another 30. */
const MOST_PATIENCE = 81_000;

interface Expected {
  readonly admitted: number;
  readonly completed: number;
  readonly streams: ReadonlyMap<number, { readonly text: string; readonly end: string }>;
}

/** What must have happened when the first bytes of a recording have come. */
function expected(recorded: Script, length: number): Expected {
  const whole = layout(recorded, 'c2s').filter(({ end }) => end <= length);
  const sent = layout(recorded, 's2c');
  const requests = whole.filter((frame) => isPacket(frame, 'REQ'));
  const streams = new Map<number, { text: string; end: string }>();
  let completed = 0;
  for (const { handle } of requests) {
    const reply = sent.find((frame) => frame.handle === handle && isPacket(frame, 'REP'));
    if (reply === undefined || !whole.some((frame) => frame.handle === handle && isPacket(frame, 'ACK'))) continue;
    const numbers = announced(reply);
    for (const number of numbers) {
      const { text, closed } = streamOf(whole, number);
      streams.set(number, { text, end: closed ? 'complete' : 'CONNECTION_LOST' });
    }
    if (numbers.every((number) => streamOf(whole, number).closed && streamOf(sent, number).closed)) completed += 1;
  }
  return { admitted: requests.length, completed, streams };
}

const endings = (events: readonly ServiceEvent[]) => events.filter((event) => event.kind === 'ended');

let cases = 0;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  console.log(`${cases} conversations cut or damaged on their way to a target`);
});

const all = ordinary.map((recorded) => [recorded.name, recorded] as const);

describe('a target whose initiator stops after any byte ends every request, stream and service rightly', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const stop of ['ended', 'reset'] as const) {
      for (const length of [...places(recorded, 'c2s'), bytes.length]) {
        cases += 1;
        const { events, streams, running, timers, listeners } = play(recorded, bytes.slice(0, length), stop);
        const right = expected(recorded, length);
        const kinds = events.map(({ kind }) => kind);
        const outcomes = endings(events).map(({ outcome }) => outcome);
        const lost = Array<string>(right.admitted - right.completed).fill('lost');
        expect([stop, length, running, timers, listeners]).toEqual([stop, length, 0, 0, 0]);
        expect([stop, length, streams]).toEqual([stop, length, right.streams]);
        expect([stop, length, kinds.filter((kind) => kind === 'admitted').length, outcomes.toSorted()]).toEqual([
          stop,
          length,
          right.admitted,
          [...Array<string>(right.completed).fill('completed'), ...lost],
        ]);
        expect([stop, length, kinds.indexOf('disconnected')]).toEqual([stop, length, kinds.length - 1]);
      }
    }
  });

  test.each(all)('%s, and when it falls silent instead', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const length of [...places(recorded, 'c2s'), bytes.length]) {
      cases += 1;
      const { events, running, timers, listeners } = play(recorded, bytes.slice(0, length), 'silent');
      const { admitted } = expected(recorded, length);
      expect([length, running, timers, listeners, endings(events).length, events.at(-1)?.kind]).toEqual([length, 0, 0, 0, admitted, 'disconnected']);
      for (const { outcome } of endings(events)) expect(['completed', 'unacknowledged']).toContain(outcome);
    }
  });
});

describe('a target to which any one byte comes changed ends every request, stream and service', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const place of places(recorded, 'c2s')) {
      for (const stop of ['ended', 'silent'] as const) {
        cases += 1;
        const { events, streams, running, timers, listeners } = play(recorded, damagedAt(bytes, place), stop);
        const open = [...streams.values()].filter(({ end }) => end === 'open' || end.startsWith('not ours'));
        expect([place, stop, running, timers, listeners, open]).toEqual([place, stop, 0, 0, 0, []]);
        expect([place, stop, events.filter(({ kind }) => kind === 'disconnected').length, events.at(-1)?.kind]).toEqual([place, stop, 1, 'disconnected']);
      }
    }
  });
});
