import type { Change } from '../../src/diagram/model.js';
import type { Role } from '../../src/wire/role.js';
import {
  payloadOf,
  type Conversation,
  type Direction,
  type ListedFrame,
} from '../support/captures.js';

export function roleOf(direction: Direction): Role {
  return direction === 'c2s' ? 'initiator' : 'target';
}

/** What a diagram shows of a frame. */
export interface ShownFrame {
  readonly lane: string;
  readonly handle: number | undefined;
  readonly direction: 'in' | 'out' | undefined;
  readonly what: string;
  readonly bytes: number;
}

/** The frames that changes show, in order. */
export function shownFrames(changes: readonly Change[]): readonly ShownFrame[] {
  const lanes = new Map(
    changes.flatMap((change) =>
      change.kind === 'lane' ? [[change.lane.name, change.lane] as const] : [],
    ),
  );
  return changes.flatMap((change): readonly ShownFrame[] => {
    if (change.kind !== 'event') return [];
    const { lane: name, event } = change;
    const lane = lanes.get(name);
    const rest = {
      lane: name,
      handle: lane?.handle,
      direction: event.direction ?? lane?.direction,
    };
    if (event.kind === 'packet') return [{ ...rest, what: event.type, bytes: event.bytes }];
    if (event.kind === 'chunk') return [{ ...rest, what: 'data', bytes: event.bytes }];
    if (event.kind === 'close')
      return [{ ...rest, handle: rest.handle ?? event.handle, what: 'close', bytes: 0 }];
    return [];
  });
}

/** The frames of a list as a diagram has to show them. */
export function listedFrames({
  steps,
}: Conversation): readonly (Omit<ShownFrame, 'lane'> & { readonly stream: string | undefined })[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'frame') return [];
    const { direction, handle, length, close, type, stream } = step;
    return [
      {
        handle,
        direction: direction === 'c2s' ? ('out' as const) : ('in' as const),
        what: close ? 'close' : (type?.replace(/\(\d+\)$/, '') ?? 'data'),
        bytes: length,
        stream,
      },
    ];
  });
}

/** The frames of a recorded conversation in the order of its list. */
export function framesInOrder(
  recorded: Conversation,
): readonly { readonly step: ListedFrame; readonly payload: Uint8Array }[] {
  return recorded.steps.flatMap((step) =>
    step.kind === 'frame' ? [{ step, payload: payloadOf(recorded, step) }] : [],
  );
}

/** A frame's bytes, written by hand. */
export function frameBytes(handle: number, payload: string | Uint8Array): Uint8Array {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt32BE(handle, 4);
  return new Uint8Array(Buffer.concat([header, body]));
}

/** A packet's payload, written by hand. */
export function packetBytes(type: number, text = ''): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from([type]), Buffer.from(text), Buffer.from([0])]));
}
