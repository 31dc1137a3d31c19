import {
  NEVER,
  concat,
  concatMap,
  defer,
  from,
  ignoreElements,
  map,
  merge,
  of,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import {
  reply,
  type Service,
  type ServiceReply,
  type StreamHandler,
} from '../../src/exchange/service.js';
import { serveConnection, type ServiceMap } from '../../src/target/serve.js';
import { FrameDecoder, type Frame } from '../../src/wire/frame.js';
import { decodePacket } from '../../src/wire/packet.js';
import { splitConnect } from '../../src/wire/reply.js';
import { script, scripts, type Script } from '../support/edges.js';
import { act, framesOf, isStream, lastTime, saidOn, type Said } from '../support/replay.js';

/**
 * Replays each recorded conversation with our target in the place of the real amandad. The
 * initiator's bytes come at their recorded times, and services answer as the real ones did, when
 * they did. Our target must put the same on each handle.
 */

const rules =
  'localhost backup amdump noop selfcheck sendsize sendbackup amindexd amidxtaped amdumpd senddiscover restore ambackupd\nlocalhost root amindexd amidxtaped';
const file = '/var/backups/.amandahosts';
const families: Readonly<Record<string, readonly string[]>> = {
  amdump: ['noop', 'sendsize', 'sendbackup', 'selfcheck'],
};
const all = [
  'noop',
  'sendsize',
  'sendbackup',
  'selfcheck',
  'senddiscover',
  'restore',
  'amindexd',
  'amidxtaped',
  'amdumpd',
  'ambackupd',
];

interface Seen {
  readonly handles: Said;
  readonly end: 'open' | 'ended';
}

/** Emits at a recorded time, at once when that is past. */
type At = (time: number) => Observable<unknown>;

interface RecordedReply {
  readonly handle: number;
  readonly kind: 'partial' | 'final';
  readonly body: Uint8Array;
  readonly time: number;
}

class Recorded {
  readonly #recorded: Script;
  #replies: RecordedReply[] = [];

  constructor(recorded: Script) {
    this.#recorded = recorded;
    let last = '';
    for (const { time, frame } of framesOf(this.#recorded, 's2c')) {
      if (isStream(frame.handle)) continue;
      if (frame.payload.length === 0) {
        last = '';
        continue;
      }
      const { type, body } = decodePacket(frame.payload);
      const again = `${frame.handle} ${type} ${Buffer.from(body).toString('latin1')}`;
      if ((type === 'REP' || type === 'PREP') && again !== last)
        this.#replies.push({
          handle: frame.handle,
          kind: type === 'REP' ? 'final' : 'partial',
          body,
          time,
        });
      if (type === 'REP' || type === 'PREP') last = again;
    }
  }

  /** A service that answers as the real one did to the next request on the handle. */
  service(at: At): Service {
    return ({ handle }) => {
      const waiting = this.#replies.filter((one) => one.handle === handle);
      const final = waiting.findIndex(({ kind }) => kind === 'final');
      const mine = final < 0 ? waiting : waiting.slice(0, final + 1);
      this.#replies = this.#replies.filter((one) => !mine.includes(one));
      if (mine.length === 0) return NEVER;
      return merge(
        ...mine.map((reply) => at(reply.time).pipe(map(() => this.#toReply(reply, at)))),
      );
    };
  }

  #toReply(
    { kind, body }: { readonly kind: 'partial' | 'final'; readonly body: Uint8Array },
    at: At,
  ): ServiceReply {
    const split = splitConnect(body);
    if (kind === 'partial' || split === undefined) return { kind, body };
    const streams = split.connect.map(
      ({ name, number }) => [name, number < 0 ? undefined : this.#stream(number, at)] as const,
    );
    return { kind, body: split.rest, streams: Object.fromEntries(streams) };
  }

  /** Sends what the real service sent on a stream, when it did; takes all that comes. */
  #stream(handle: number, at: At): StreamHandler {
    const sent = framesOf(this.#recorded, 's2c').filter(({ frame }) => frame.handle === handle);
    const closed = sent.findIndex(({ frame }) => frame.payload.length === 0);
    const bytes = closed < 0 ? sent : sent.slice(0, closed);
    return (incoming) => {
      incoming.subscribe({ error: () => undefined });
      const data = from(bytes).pipe(
        concatMap(({ time, frame }) => at(time).pipe(map(() => frame.payload))),
      );
      const close = sent[closed];
      return concat(
        data,
        close === undefined ? NEVER : defer(() => at(close.time)).pipe(ignoreElements()),
      );
    };
  }
}

/**
 * Plays the initiator's part of a recording to our target, until a time in seconds; `own` services
 * stand in for recorded ones.
 */
function play(recorded: Script, until: number, own: ServiceMap = {}): Seen {
  const { driver, sourcePort, services: enabled } = recorded;
  const replies = new Recorded(recorded);
  const started = Date.now();
  const now = (): number => Date.now() - started;
  const peer = {
    driver,
    host: 'localhost',
    address: '127.0.0.1',
    ...(sourcePort === undefined ? {} : { port: sourcePort }),
  };
  const [near, far] = memoryChannels(peer, { driver });
  const names = enabled.length === 0 ? all : enabled.flatMap((name) => families[name] ?? [name]);
  const at: At = (time) => {
    const wait = Math.floor(time * 1000) - now();
    return wait > 0 ? timer(wait) : of(0);
  };
  const services: ServiceMap = {
    ...Object.fromEntries(names.map((name) => [name, replies.service(at)])),
    ...own,
  };
  const target = new TcpmConnection(
    far,
    { side: 'target', namesUser: driver === 'bsdtcp' },
    { gather: false },
  );
  const frames: Frame[] = [];
  let end: Seen['end'] = 'open';
  const decoder = new FrameDecoder();
  const work = serveConnection(target, services, {
    gather: false,
    authorize: authorize({
      localUser: { name: 'backup', uid: 34, home: '/var/backups' },
      file,
      rules,
    }),
  }).subscribe();
  const listening = near.bytes.subscribe({
    next: (bytes) => frames.push(...decoder.push(bytes)),
    complete: () => {
      end = 'ended';
    },
  });
  for (const step of recorded.script.filter(({ direction }) => direction === 'c2s')) {
    vi.advanceTimersByTime(Math.max(0, Math.ceil(step.time * 1000) + 1 - now()));
    act(near, step);
  }
  vi.advanceTimersByTime(Math.max(0, until * 1000 - now()));
  const seen = { handles: saidOn(frames), end };
  work.unsubscribe();
  listening.unsubscribe();
  return seen;
}

/** What the real target put on each handle, and whether it ended the connection. */
function reality(recorded: Script): Seen {
  const frames = framesOf(recorded, 's2c').map(({ frame }) => frame);
  const end = recorded.script.some(
    (step) =>
      step.direction === 's2c' &&
      (step.kind === 'eof' || step.kind === 'reset' || step.kind === 'close'),
  )
    ? 'ended'
    : 'open';
  return { handles: saidOn(frames), end };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * A real amandad looks every 30 s whether anything runs; ours counts 30 s from the end of the last
 * request.
 */
const IDLE_SECONDS = 31;

describe('our target, asked what a real one was asked', () => {
  for (const recorded of scripts().filter(({ oursDiffers }) => oursDiffers === undefined)) {
    test(`${recorded.name}: ${recorded.shows}`, () => {
      const real = reality(recorded);
      const seen = play(recorded, lastTime(recorded) + IDLE_SECONDS);
      for (const [handle, said] of real.handles)
        expect([handle, seen.handles.get(handle)]).toEqual([handle, said]);
      expect([...seen.handles.keys()].sort()).toEqual([...real.handles.keys()].sort());
      if (real.end === 'ended') expect(seen.end).toBe('ended');
    });
  }
});

const features = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';

describe('our target does better than a real one', () => {
  test.each(['edge-handles.1', 'edge-handles.3', 'edge-handles.4'])(
    '%s: an odd handle is served like any other',
    (name) => {
      const recorded = { ...script(name) };
      const request = recorded.script.find((step) => step.kind === 'frame');
      if (request?.kind !== 'frame') throw new Error('no REQ in the recording');
      const { handle } = request.frame;
      const seen = play(recorded, 31, { noop: () => of(reply({ lines: [features.trimEnd()] })) });
      expect(seen.handles.get(handle)?.slice(0, 2)).toEqual(['ACK ', `REP ${features}`]);
    },
  );

  test('edge-first_garbage_text.1: the connection ends at once, not after 100 characters', () => {
    const recorded = script('edge-first_garbage_text.1');
    expect(play(recorded, lastTime(recorded) + 0.1)).toEqual({ handles: new Map(), end: 'ended' });
  });

  test('edge-stream_before_ack.1: bytes on a stream before the ACK reach the service', () => {
    const recorded = script('edge-stream_before_ack.1');
    const taken: string[] = [];
    const amindexd: Service = () =>
      of(
        reply({
          lines: [''],
          streams: {
            MESG: (incoming) =>
              incoming.pipe(
                tap((bytes) => taken.push(Buffer.from(bytes).toString())),
                ignoreElements(),
              ),
          },
        }),
      );
    play(recorded, lastTime(recorded), { amindexd });
    const sent = recorded.script.flatMap((step) =>
      step.kind === 'frame' && step.direction === 'c2s' && isStream(step.frame.handle)
        ? [Buffer.from(step.frame.payload).toString()]
        : [],
    );
    expect(taken.join('')).toBe(sent.join(''));
    expect(taken.join('')).not.toBe('');
  });

  test.each(['edge-half_close_streams.1', 'edge-oversize_while_service.1'])(
    '%s: a stream that is cut off is not closed, which would pass for its end',
    (name) => {
      const recorded = script(name);
      const amindexd: Service = () =>
        of(
          reply({
            lines: [''],
            streams: {
              MESG: (incoming) =>
                merge(of(Buffer.from('220 ready\r\n')), incoming.pipe(ignoreElements()), NEVER),
            },
          }),
        );
      const seen = play(recorded, lastTime(recorded) + 0.1, { amindexd });
      expect(seen.handles.get(499_999)).toEqual(['220 ready\r\n']);
      expect(seen.end).toBe('ended');
    },
  );
});
