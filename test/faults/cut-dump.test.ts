import { EMPTY, NEVER, concat, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { DumpOutcome } from '../../src/initiator/dump-outcome.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { ScriptedPeer } from '../../src/testing/scripted-peer.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { isAmandaError, type AmandaErrorCode } from '../../src/wire/errors.js';
import { encodeFrame } from '../../src/wire/frame.js';
import { parseReply } from '../../src/wire/reply.js';
import { script, type Script } from '../support/edges.js';
import { patience } from '../fuzz/runs.js';
import {
  bytesOf,
  counted,
  damagedAt,
  isPacket,
  layout,
  places,
  type LaidFrame,
} from './recorded.js';

/** Recorded dumps, whole in the recording. */
const gnutar: Dle = { program: 'GNUTAR', disk: 'gnutar', index: true };
const amgtar: Dle = {
  program: 'APPLICATION',
  disk: 'amgtar',
  index: true,
  backupProgram: { plugin: 'amgtar', properties: [] },
};
const dumps: readonly (readonly [string, Dle])[] = [
  ['amdump.2', gnutar],
  ['amdump.3', amgtar],
  ['edge-sendbackup_no_close.1', gnutar],
  ['edge-sendbackup_no_index.1', { ...gnutar, index: false }],
  ['edge-sendbackup_no_index.2', gnutar],
];

interface Result {
  /** The outcome of a dump that is vouched for. */
  readonly outcome: DumpOutcome | undefined;
  readonly code: string;
  readonly data: string;
  readonly index: string;
  readonly timers: number;
  /** Who still listens to the channel. */
  readonly listeners: number;
}

function receive(dle: Dle, bytes: Uint8Array, stop: 'ended' | 'reset' | 'silent'): Result {
  const peer = new ScriptedPeer();
  const watched = counted(peer.channel);
  const connection = new TcpmConnection(
    watched.channel,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  const [data, index]: [Uint8Array[], Uint8Array[]] = [[], []];
  const into = (chunks: Uint8Array[]) => (chunk: Uint8Array) => of(chunks.push(chunk));
  let outcome: DumpOutcome | undefined;
  let code = 'open';
  of<Connection>(connection)
    .pipe(
      sendbackup({ dle }),
      receiveDump(() => ({ data: into(data), index: into(index) }), {
        progressInterval: 10_000_000,
        dataTimeout: 60_000,
      }),
    )
    .subscribe({
      next: (event) => {
        if (event.kind === 'done') outcome = event.outcome;
      },
      error: (error: unknown) =>
        (code = isAmandaError(error) ? error.code : `not ours: ${String(error)}`),
      complete: () => (code = 'complete'),
    });
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
  connection.close();
  return {
    outcome,
    code,
    data: Buffer.concat(data).toString('latin1'),
    index: Buffer.concat(index).toString('latin1'),
    timers: vi.getTimerCount(),
    listeners: watched.listeners(),
  };
}

/** The numbers of the streams of a recorded dump, by name. */
function streamsOf(recorded: Script): ReadonlyMap<string, number> {
  const reply = layout(recorded, 's2c').find((frame) => isPacket(frame, 'REP'));
  const { connect } = parseReply(reply?.payload.slice(1, -1) ?? new Uint8Array(0));
  return new Map(
    connect.flatMap(({ name, handle }) => (handle === undefined ? [] : [[name, handle] as const])),
  );
}

const brokenCodes: readonly AmandaErrorCode[] = [
  ...([
    'CONNECTION_LOST',
    'FRAME_TOO_LARGE',
    'TEXT_IN_CHANNEL',
    'BAD_REPLY',
    'REFUSED',
    'SERVICE_FAILED',
  ] as const),
  ...([
    'RETRY_LATER',
    'INCOMPLETE_DUMP',
    'CHECKSUM_MISMATCH',
    'DATA_TIMEOUT',
    'ACK_TIMEOUT',
    'REP_TIMEOUT',
  ] as const),
];

let cases = 0;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  console.log(`${cases} dumps cut or damaged`);
});

describe('a dump whose target stops after any byte is none', () => {
  test.each(dumps)('%s', { timeout: patience }, (name, dle) => {
    const recorded = script(name);
    const bytes = bytesOf(recorded, 's2c');
    const whole = receive(dle, bytes, 'ended');
    expect(whole).toMatchObject({ code: 'complete', outcome: { kind: 'success', bytes: 10_240 } });
    for (const stop of ['ended', 'reset', 'silent'] as const) {
      for (const length of places(recorded, 's2c')) {
        cases += 1;
        const { outcome, code, data, timers, listeners } = receive(
          dle,
          bytes.slice(0, length),
          stop,
        );
        const right: unknown =
          stop === 'silent' ? expect.stringMatching(/^(?:ACK|DATA)_TIMEOUT$/) : 'CONNECTION_LOST';
        expect([
          stop,
          length,
          outcome,
          code,
          timers,
          listeners,
          whole.data.startsWith(data),
        ]).toEqual([stop, length, undefined, right, 0, 0, true]);
      }
    }
  });
});

describe('a dump in which any one byte comes changed is none, unless its image is what was sent', () => {
  test.each(dumps)('%s', { timeout: patience }, (name, dle) => {
    const recorded = script(name);
    const bytes = bytesOf(recorded, 's2c');
    const whole = receive(dle, bytes, 'ended');
    const streams = streamsOf(recorded);
    let unnoticed = 0;
    for (const place of places(recorded, 's2c')) {
      cases += 1;
      const { outcome, code, data, index, timers, listeners } = receive(
        dle,
        damagedAt(bytes, place),
        'ended',
      );
      const frame = layout(recorded, 's2c').find(({ start, end }) => start <= place && place < end);
      const inPayload = frame !== undefined && place >= frame.start + 8;
      const inData = inPayload && frame.handle === streams.get('DATA');
      const inIndex = inPayload && frame.handle === streams.get('INDEX');
      expect([place, timers, listeners, outcome !== undefined]).toEqual([
        place,
        0,
        0,
        code === 'complete',
      ]);
      if (outcome === undefined) expect(brokenCodes).toContain(code);
      else expect([place, data === whole.data]).toEqual([place, true]);
      if (inData) expect([place, code]).toEqual([place, 'CHECKSUM_MISMATCH']);
      // Nothing in the protocol vouches for the index.
      if (inIndex) expect([place, code, index === whole.index]).toEqual([place, 'complete', false]);
      if (outcome !== undefined && index !== whole.index) unnoticed += 1;
    }
    console.log(`${name}: ${unnoticed} damages of the index could not be noticed`);
  });
});

describe('a dump of which a frame is lost or comes twice is none, unless its image is what was sent', () => {
  test.each(dumps)('%s', (name, dle) => {
    const recorded = script(name);
    const frames = layout(recorded, 's2c');
    const whole = receive(dle, bytesOf(recorded, 's2c'), 'ended');
    const streams = streamsOf(recorded);
    for (const [place, frame] of frames.entries()) {
      for (const copies of [0, 2]) {
        cases += 1;
        const others = frames.flatMap((one, at) =>
          at === place ? Array<LaidFrame>(copies).fill(one) : [one],
        );
        const { outcome, code, data } = receive(
          dle,
          new Uint8Array(Buffer.concat(others.map(encodeFrame))),
          'ended',
        );
        if (outcome !== undefined)
          expect([place, copies, data === whole.data]).toEqual([place, copies, true]);
        const isClose = frame.payload.length === 0;
        if (frame.handle === streams.get('DATA') && !isClose)
          expect([code, copies]).toEqual([
            copies === 0 ? 'INCOMPLETE_DUMP' : 'CHECKSUM_MISMATCH',
            copies,
          ]);
        if (copies === 0 && isClose && [...streams.values()].includes(frame.handle))
          expect([place, code]).toEqual([place, 'CONNECTION_LOST']);
        const endsIt = Buffer.from(frame.payload).includes('sendbackup: end\n');
        if (copies === 0 && endsIt) expect([place, code]).toEqual([place, 'INCOMPLETE_DUMP']);
      }
    }
  });
});
