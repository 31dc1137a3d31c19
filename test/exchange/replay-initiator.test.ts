import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { exchange } from '../../src/exchange/exchange.js';
import { request, type Reply } from '../../src/exchange/request.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import { AmandaError } from '../../src/wire/errors.js';
import { encodeFrame, FrameDecoder, type Frame } from '../../src/wire/frame.js';
import { decodePacket, packetText } from '../../src/wire/packet.js';
import { parseReply } from '../../src/wire/reply.js';
import { of } from 'rxjs';
import { scripts, type Script } from '../support/edges.js';
import {
  initiatorCase,
  initiatorCaseNames,
  type InitiatorCase,
  type InitiatorFrame,
} from '../support/initiator-cases.js';
import { act, framesOf, isStream, lastTime, saidOn } from '../support/replay.js';

/**
 * Replays each recorded conversation with our initiator in the place of the real one. The target's
 * bytes come at their recorded times. Our initiator must ask, confirm and close as the real one
 * did.
 */

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('our initiator, answered what a real one was answered', () => {
  const ordinary = scripts().filter(({ name }) => !name.startsWith('edge-'));
  test.each(ordinary.map((recorded) => [recorded.name, recorded] as const))(
    '%s',
    (_name, recorded) => {
      const { said, received } = play(recorded);
      expect(said).toEqual(saidOn(framesOf(recorded, 'c2s').map(({ frame }) => frame)));
      const sent = saidOn(framesOf(recorded, 's2c').map(({ frame }) => frame));
      for (const [handle, text] of received)
        expect([handle, text, 'close']).toEqual([handle, ...withBytes(sent.get(handle) ?? [])]);
    },
  );
});

/** A stream that was closed without a byte has had no bytes. */
function withBytes(said: readonly string[]): readonly string[] {
  return said.length === 1 ? ['', ...said] : said;
}

function play(recorded: Script): {
  readonly said: ReturnType<typeof saidOn>;
  readonly received: ReadonlyMap<number, string>;
} {
  const [near, far] = memoryChannels();
  const initiator = new TcpmConnection(
    near,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  const frames: Frame[] = [];
  const decoder = new FrameDecoder();
  far.bytes.subscribe((bytes) => frames.push(...decoder.push(bytes)));
  const received = new Map<number, string>();
  const started = Date.now();
  const asked = framesOf(recorded, 'c2s').filter(
    ({ frame }) =>
      frame.payload.length > 0 &&
      !isStream(frame.handle) &&
      decodePacket(frame.payload).type === 'REQ',
  );
  // A real initiator counts its requests over all its connections.
  for (let unused = 1; unused < (asked[0]?.frame.handle ?? 1); unused += 1)
    initiator.openHandle().close();
  frames.length = 0;
  for (const step of recorded.script) {
    vi.advanceTimersByTime(Math.max(0, Math.ceil(step.time * 1000) - (Date.now() - started)));
    if (step.direction === 's2c') act(far, step);
    else if (step.kind === 'frame' && isStream(step.frame.handle)) {
      const stream = initiator.stream(step.frame.handle);
      if (step.frame.payload.length > 0) stream.next(step.frame.payload);
      else stream.complete();
    } else if (step.kind === 'frame' && asked.some(({ frame }) => frame === step.frame)) {
      exchange(initiator, decodePacket(step.frame.payload).body, defaultTiming).subscribe(
        ({ kind, packet }) => {
          if (kind === 'final')
            for (const { handle } of parseReply(packet.body).connect)
              if (handle !== undefined) readStream(initiator, handle, received);
        },
      );
    }
  }
  vi.advanceTimersByTime(lastTime(recorded) + 1_000);
  return { said: saidOn(frames), received };
}

function readStream(
  connection: TcpmConnection,
  handle: number,
  received: Map<number, string>,
): void {
  let text = '';
  connection.stream(handle).subscribe({
    next: (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    },
    error: () => undefined,
    complete: () => received.set(handle, text),
  });
}

/** Where a real initiator does what ours does not, and why. */
const differs: Readonly<Record<string, string>> = {
  unknown_types:
    'a REQ from the target is ignored by ours, as the other packets that make no sense there; the real one gives up',
  prep: 'a partial reply is not the reply: ours waits for the final one, as planner does and amservice does not',
};

describe('our initiator comes to the end that amservice came to', () => {
  const cases = initiatorCaseNames()
    .map(initiatorCase)
    .filter(({ command }) => command.includes('amservice'));
  test.each(
    cases.filter(({ name }) => differs[name] === undefined).map((one) => [one.name, one] as const),
  )('%s', (_name, one) => {
    expect(outcomeOf(one)).toEqual(recordedOutcome(one));
  });

  test.each(Object.entries(differs))('%s: %s', (name) => {
    const text = name === 'prep' ? 'partial 1\npartial 2\nall\n' : '';
    expect(outcomeOf(initiatorCase(name))).toEqual({
      text: `OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n${text}`,
      seconds: expect.any(Number) as number,
    });
  });
});

interface Outcome {
  readonly code?: string;
  readonly text?: string;
  /** Whole seconds from the REQ on. */
  readonly seconds: number;
}

/** What amservice's words mean in ours. */
function recordedOutcome({ output, steps }: InitiatorCase): Outcome {
  const first = steps.find((step) => step.kind === 'frame' && step.type === 'REQ')?.time ?? 0;
  const seconds = Math.round(
    (steps.findLast(({ kind }) => kind === 'frame' || kind === 'bytes')?.time ?? 0) - first,
  );
  const text = output.join('\n');
  const codes: readonly (readonly [RegExp, string])[] = [
    [/timeout waiting for ACK/, 'ACK_TIMEOUT'],
    [/timeout waiting for REP/, 'REP_TIMEOUT'],
    [/EOF on read/, 'CONNECTION_LOST'],
    [/invalid size: "/, 'TEXT_IN_CHANNEL'],
    [/invalid size/, 'FRAME_TOO_LARGE'],
  ];
  const code = codes.find(([words]) => words.test(text))?.[1];
  if (code !== undefined) return { code, seconds };
  const answer = steps.find(
    (step): step is InitiatorFrame & (typeof steps)[number] =>
      step.kind === 'frame' &&
      step.direction === 's2c' &&
      (step.type === 'REP' || step.type === 'NAK'),
  );
  // amservice prints the body of a NAK as it prints that of a REP.
  if (answer?.type === 'NAK')
    return { code: 'REFUSED', text: text.trimEnd().replace(/^ERROR /, ''), seconds };
  return { text: bodyText(answer), seconds };
}

function outcomeOf({ name, steps }: InitiatorCase): Outcome {
  const [near, far] = memoryChannels();
  const initiator = new TcpmConnection(
    near,
    { side: 'initiator', user: 'backup' },
    { gather: false },
  );
  far.bytes.subscribe();
  const first = steps.find((step) => step.kind === 'frame' && step.type === 'REQ')?.time ?? 0;
  let outcome: Outcome | undefined;
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  of<Connection>(initiator)
    .pipe(request('noop'))
    .subscribe({
      next: ({ kind, text }: Reply) => {
        if (kind === 'final') outcome = { text, seconds: seconds() };
      },
      error: (error: unknown) => {
        if (!(error instanceof AmandaError)) throw error;
        const { code, message } = error;
        outcome = { code, ...(code === 'REFUSED' ? { text: message } : {}), seconds: seconds() };
      },
    });
  for (const step of steps) {
    const at = Math.floor((step.time - first) * 1000) - (Date.now() - started);
    if (at > 0) vi.advanceTimersByTime(at);
    if (step.kind === 'frame' && step.direction === 's2c')
      far.write([encodeFrame({ handle: step.handle, payload: payloadOf(step) })]);
    else if (step.kind === 'bytes') far.write([step.bytes]);
  }
  // The stand-in's own close is not in the text.
  if (name.startsWith('close_')) far.close();
  vi.advanceTimersByTime(120_000);
  return outcome ?? { code: 'none', seconds: seconds() };
}

/** The payload of a frame of which only the front was kept: the rest is filled up. */
function payloadOf({ length, front = new Uint8Array(0) }: InitiatorFrame): Uint8Array {
  const payload = new Uint8Array(length).fill(0x78);
  payload.set(front);
  return payload;
}

function bodyText(frame: InitiatorFrame | undefined): string {
  return frame === undefined ? '' : packetText(decodePacket(payloadOf(frame)));
}
