import type { Channel } from '../../src/transport/channel.js';
import { encodeFrame, type Frame } from '../../src/wire/frame.js';
import { decodePacket } from '../../src/wire/packet.js';
import type { Script, ScriptStep } from './edges.js';

/** The numbers that a target gives to streams. */
export function isStream(handle: number): boolean {
  return handle >= 400_000 && handle < 500_000;
}

/**
 * What was put on each handle, in order: the text of packets, `close`, and the bytes of a stream
 * put together.
 */
export type Said = ReadonlyMap<number, readonly string[]>;

export function saidOn(frames: readonly Frame[]): Said {
  const handles = new Map<number, string[]>();
  for (const { handle, payload } of frames) {
    const list = handles.get(handle) ?? [];
    handles.set(handle, list);
    if (payload.length === 0) {
      // A second close says nothing; a real target sends one now and then.
      if (!isStream(handle) || list.at(-1) !== 'close') list.push('close');
    } else if (isStream(handle)) {
      const before = list.at(-1);
      const text = Buffer.from(payload).toString('latin1');
      if (before === undefined || before === 'close') list.push(text);
      else list[list.length - 1] = before + text;
    } else {
      const { type, body } = decodePacket(payload);
      list.push(`${type} ${Buffer.from(body).toString('latin1')}`);
    }
  }
  return handles;
}

/** The frames of one direction of a recording, with their times in seconds. */
export function framesOf(
  { script }: Script,
  direction: 'c2s' | 's2c',
): readonly { readonly time: number; readonly frame: Frame }[] {
  return script.flatMap((step) =>
    step.kind === 'frame' && step.direction === direction ? [step] : [],
  );
}

/** The time of the last step of a recording, in seconds. */
export function lastTime({ script }: Script): number {
  return Math.max(0, ...script.map(({ time }) => time));
}

/** Does on a channel what one side did in a recording. */
export function act(channel: Channel, step: ScriptStep): void {
  if (step.kind === 'frame') channel.write([encodeFrame(step.frame)]);
  else if (step.kind === 'bytes') channel.write([step.bytes]);
  else channel.close();
}
