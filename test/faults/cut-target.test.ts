import { EMPTY, NEVER, Observable, concat, from, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Service, ServiceReply, StreamHandler } from '../../src/exchange/service.js';
import { serveConnection, type ServiceEvent } from '../../src/target/serve.js';
import { ScriptedPeer } from '../../src/testing/scripted-peer.js';
import { decodePacket } from '../../src/wire/packet.js';
import { splitConnect } from '../../src/wire/reply.js';
import { decodeText } from '../../src/wire/text.js';
import { scripts, type Script } from '../support/edges.js';
import { patience } from '../fuzz/runs.js';
import { codeOf, type Stop, type StreamSeen } from './initiator-model.js';
import {
  announced,
  bytesOf,
  counted,
  damagedAt,
  isPacket,
  layout,
  places,
  type LaidFrame,
} from './recorded.js';
import { mustBeServed, type Served } from './target-model.js';

interface Seen {
  readonly events: readonly ServiceEvent[];
  readonly streams: ReadonlyMap<number, StreamSeen>;
  /** Services that were not stopped. */
  readonly running: number;
  readonly timers: number;
  /** Who still listens to the channel. */
  readonly listeners: number;
}

const names = ['noop', 'selfcheck', 'sendsize', 'sendbackup', 'amindexd', 'amidxtaped'];

/** Serves what the recorded target answered, at once, while the initiator sends these bytes. */
function play(recorded: Script, bytes: Uint8Array, stop: Stop): Seen {
  const peer = new ScriptedPeer();
  const watched = counted(peer.channel);
  const connection = new TcpmConnection(
    watched.channel,
    { side: 'target', namesUser: recorded.driver === 'bsdtcp' },
    { gather: false },
  );
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
      const data = from(
        frames.slice(0, close < 0 ? undefined : close).map(({ payload }) => payload),
      );
      return concat(data, close < 0 && stop !== 'silent' ? NEVER : EMPTY);
    };
  const service: Service = ({ handle }) => {
    const replies = sent
      .filter(
        (frame) => frame.handle === handle && (isPacket(frame, 'REP') || isPacket(frame, 'PREP')),
      )
      .map((frame): ServiceReply => {
        const { type, body } = decodePacket(frame.payload);
        const split = splitConnect(body);
        if (type === 'PREP' || split === undefined)
          return { kind: type === 'PREP' ? 'partial' : 'final', body };
        const entries = split.connect.map(
          ({ name, number }) =>
            [
              name,
              number < 0 ? undefined : stream(sent.filter((one) => one.handle === number)),
            ] as const,
        );
        return { kind: 'final', body: split.rest, streams: Object.fromEntries(entries) };
      });
    return new Observable((out) => {
      running += 1;
      out.add(() => (running -= 1));
      // A service with streams runs until it is stopped; one without an initiator ends by itself.
      concat(from(replies), stop === 'silent' ? EMPTY : NEVER).subscribe(out);
    });
  };
  const services = Object.fromEntries(names.map((name) => [name, service]));
  serveConnection(connection, services, { gather: false, authorize: () => of(allowed) }).subscribe(
    (event) => events.push(event),
  );
  peer.sendBytes(
    concat(
      of(bytes),
      stop === 'ended'
        ? EMPTY
        : stop === 'reset'
          ? throwError(() => new Error('read ECONNRESET'))
          : NEVER,
    ),
  );
  if (stop === 'silent') vi.advanceTimersByTime(MOST_PATIENCE);
  return { events, streams, running, timers: vi.getTimerCount(), listeners: watched.listeners() };
}

/**
 * Milliseconds: a reply is sent for 50 s, and a connection on which nothing runs is closed after
 * another 30.
 */
const MOST_PATIENCE = 81_000;

/**
 * What must have happened when these bytes have come, of services that answer as the recorded ones.
 */
function right(recorded: Script, came: Uint8Array): Served {
  const sent = layout(recorded, 's2c');
  return mustBeServed(came, {
    namesUser: recorded.driver === 'bsdtcp',
    services: names,
    answers: (handle) => {
      const reply = sent.find((frame) => frame.handle === handle && isPacket(frame, 'REP'));
      return (
        reply && {
          streams: announced(reply).map((number) => ({
            isClosed: sent.some((frame) => frame.handle === number && frame.payload.length === 0),
          })),
          isFailed: /^ERROR /m.test(decodeText(decodePacket(reply.payload).body)),
          isDumpFailed: sent.some(({ payload }) =>
            /^sendbackup: error /m.test(decodeText(payload)),
          ),
        }
      );
    },
  });
}

/** The same of what was seen. */
function served({ events, streams }: Seen): Served {
  const outcomes = events.flatMap((event) => (event.kind === 'ended' ? [event.outcome] : []));
  return {
    admitted: events.filter(({ kind }) => kind === 'admitted').length,
    outcomes: outcomes.sort(),
    streams,
  };
}

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

/** Each recorded conversation in which the initiator says something. */
const all = scripts()
  .filter((recorded) => bytesOf(recorded, 'c2s').length > 0)
  .map((recorded) => [recorded.name, recorded] as const);

test('every recorded conversation is tried but the one in which nothing is said', () => {
  const left = scripts().filter(({ name }) => !all.some(([tried]) => tried === name));
  expect(left.map(({ name }) => name)).toEqual(['edge-idle.1']);
});

describe('a target whose initiator stops after any byte ends every request, stream and service rightly', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const stop of ['ended', 'reset'] as const) {
      for (const length of [...places(recorded, 'c2s'), bytes.length])
        expectServed(recorded, bytes.slice(0, length), stop, length);
    }
  });

  test.each(all)('%s, and when it falls silent instead', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const length of [...places(recorded, 'c2s'), bytes.length])
      expectOver(recorded, bytes.slice(0, length), length);
  });
});

describe('a target to which any one byte comes changed makes of every request and stream what the changed bytes say', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 'c2s');
    for (const place of places(recorded, 'c2s')) {
      const came = damagedAt(bytes, place);
      expectServed(recorded, came, 'ended', place);
      expectOver(recorded, came, place);
    }
  });
});

/** Nothing is left, and what happened is what the bytes say. */
function expectServed(
  recorded: Script,
  came: Uint8Array,
  stop: 'ended' | 'reset',
  place: number,
): void {
  cases += 1;
  const seen = play(recorded, came, stop);
  const { events, running, timers, listeners } = seen;
  expect([stop, place, running, timers, listeners]).toEqual([stop, place, 0, 0, 0]);
  expect([stop, place, served(seen)]).toEqual([stop, place, right(recorded, came)]);
  expect([stop, place, events.findIndex(({ kind }) => kind === 'disconnected')]).toEqual([
    stop,
    place,
    events.length - 1,
  ]);
}

/** Neither side closes the connection, and yet everything ends. */
function expectOver(recorded: Script, came: Uint8Array, place: number): void {
  cases += 1;
  const seen = play(recorded, came, 'silent');
  const { events, running, timers, listeners } = seen;
  const { admitted, outcomes } = right(recorded, came);
  expect([place, running, timers, listeners, events.at(-1)?.kind]).toEqual([
    place,
    0,
    0,
    0,
    'disconnected',
  ]);
  expect([
    place,
    [...seen.streams.values()].filter(({ end }) => end === 'open' || end.startsWith('not ours')),
  ]).toEqual([place, []]);
  // What would have been lost is over in another way, in its own time.
  expect([place, served(seen).admitted, served(seen).outcomes.length]).toEqual([
    place,
    admitted,
    outcomes.length,
  ]);
}
