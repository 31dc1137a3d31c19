import { EMPTY, NEVER, concat, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import { ScriptedPeer } from '../../src/testing/scripted-peer.js';
import { decodePacket } from '../../src/wire/packet.js';
import { parseReply } from '../../src/wire/reply.js';
import { scripts, type Script } from '../support/edges.js';
import { patience } from '../fuzz/runs.js';
import { codeOf, mustCome, type Outcome, type Stop, type StreamSeen } from './initiator-model.js';
import {
  bytesOf,
  counted,
  damagedAt,
  isPacket,
  layout,
  places,
  type LaidFrame,
} from './recorded.js';

interface Seen extends Outcome {
  readonly timers: number;
  /** Who still listens to the channel. */
  readonly listeners: number;
}

/**
 * Asks what was asked in the recording, and reads all streams, while the target sends these bytes.
 */
function play(recorded: Script, bytes: Uint8Array, stop: Stop): Seen {
  const peer = new ScriptedPeer();
  const watched = counted(peer.channel);
  const connection = new TcpmConnection(
    watched.channel,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  const requests = requestsOf(recorded);
  const answers: string[] = [];
  let number = 1;
  const streams = new Map<number, StreamSeen>();
  let ended = 'open';
  connection.ended.subscribe({
    error: (error: unknown) => (ended = codeOf(error)),
    complete: () => (ended = 'complete'),
  });
  const read = (handle: number): void => {
    const note = (end: string, more = ''): unknown =>
      streams.set(handle, { text: (streams.get(handle)?.text ?? '') + more, end });
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
    for (; number < request.handle; number += 1) connection.openHandle().close();
    number += 1;
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
  ask(0);
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
  if (stop === 'silent') vi.advanceTimersByTime(300_000);
  const seen = { answers: [...answers], streams: new Map(streams), ended };
  connection.close();
  return { ...seen, timers: vi.getTimerCount(), listeners: watched.listeners() };
}

/** The first request on each handle, in the order in which an initiator of ours comes to them. */
function requestsOf(recorded: Script): readonly LaidFrame[] {
  const asked = layout(recorded, 'c2s').filter((frame) => isPacket(frame, 'REQ'));
  return asked
    .filter(({ handle }, at) => asked.findIndex((other) => other.handle === handle) === at)
    .toSorted((a, b) => a.handle - b.handle);
}

function right(recorded: Script, came: Uint8Array, stop: Stop): Outcome {
  const handles = requestsOf(recorded).map(({ handle }) => handle);
  return mustCome(came, handles, stop);
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

/**
 * The recorded conversations in which the target says something, and on handles that an initiator
 * of ours comes to.
 */
const all = scripts()
  .filter(
    (recorded) =>
      bytesOf(recorded, 's2c').length > 0 &&
      requestsOf(recorded).every(({ handle }) => handle > 0 && handle < 100),
  )
  .map((recorded) => [recorded.name, recorded] as const);

test('every recorded conversation is tried but those without an answer, and those on handles of 0 and beyond 2³¹', () => {
  const left = scripts().filter(({ name }) => !all.some(([tried]) => tried === name));
  const silent = [
    'edge-first_garbage_binary.1',
    'edge-first_garbage_text.1',
    'edge-first_oversize.1',
    'edge-idle.1',
  ];
  expect(left.map(({ name }) => name).sort()).toEqual(
    [...silent, ...[1, 2, 3, 4].map((number) => `edge-handles.${number}`)].sort(),
  );
});

describe('an initiator whose target stops after any byte comes to the right end of every request and stream', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 's2c');
    for (const stop of ['ended', 'reset', 'silent'] as const) {
      for (const length of [...places(recorded, 's2c'), bytes.length]) {
        cases += 1;
        const came = bytes.slice(0, length);
        expect([stop, length, play(recorded, came, stop)]).toEqual([
          stop,
          length,
          { ...right(recorded, came, stop), timers: 0, listeners: 0 },
        ]);
      }
    }
  });
});

describe('an initiator to which any one byte comes changed makes of every request and stream what the changed bytes say', () => {
  test.each(all)('%s', { timeout: patience }, (_, recorded) => {
    const bytes = bytesOf(recorded, 's2c');
    for (const stop of ['ended', 'silent'] as const) {
      for (const place of places(recorded, 's2c')) {
        cases += 1;
        const came = damagedAt(bytes, place);
        expect([stop, place, play(recorded, came, stop)]).toEqual([
          stop,
          place,
          { ...right(recorded, came, stop), timers: 0, listeners: 0 },
        ]);
      }
    }
  });
});
