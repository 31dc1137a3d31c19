import type {
  Change,
  Direction,
  Happening,
  LaneEvent,
  LaneKind,
  LaneStart,
  Span,
  SpanKind,
} from '../diagram/model.js';
import { packetTypes, type PacketType } from '../wire/packet.js';
import type { TapChange } from './tap-change.js';
import type { TapClosing } from './tap-event.js';

/** Reads a line of a recording. Undefined when it is not a step. Unknown fields are left out. */
export function readTapChange(value: unknown): TapChange | undefined {
  const fields = fieldsOf(value);
  const connection = wholeNumber(fields.connection);
  if (connection === undefined) return undefined;
  if (fields.kind === 'change') {
    const change = readChange(fields.change);
    return change && { kind: 'change', connection, change };
  }
  const at = time(fields.at);
  if (at === undefined) return undefined;
  if (fields.kind === 'opened') {
    const { address, port } = fieldsOf(fields.peer);
    const target = text(fields.target);
    return target === undefined
      ? undefined
      : {
          kind: 'opened',
          connection,
          at,
          peer: { address: text(address), port: wholeNumber(port) },
          target,
        };
  }
  const how = oneOf(closings, fields.how);
  const reason = text(fields.reason);
  if (fields.kind !== 'closed' || how === undefined || reason === undefined) return undefined;
  return { kind: 'closed', connection, at, how, reason };
}

const closings: readonly TapClosing[] = ['ended', 'reset', 'unreached', 'stopped'];
const laneKinds: readonly LaneKind[] = ['connection', 'handle', 'stream', 'user'];
const directions: readonly Direction[] = ['in', 'out'];
const spanKinds: readonly SpanKind[] = ['paused', 'stalled', 'waiting'];
const types: readonly PacketType[] = [
  ...(Object.keys(packetTypes) as (keyof typeof packetTypes)[]),
  'BOGUS',
];

function readChange(value: unknown): Change | undefined {
  const fields = fieldsOf(value);
  if (fields.kind === 'lane') {
    const [at, lane] = [time(fields.at), readLane(fields.lane)];
    return at === undefined || lane === undefined ? undefined : { kind: 'lane', at, lane };
  }
  const lane = text(fields.lane);
  if (lane === undefined) return undefined;
  if (fields.kind === 'event') {
    const event = readEvent(fields.event);
    return event && { kind: 'event', lane, event };
  }
  if (fields.kind === 'span') {
    const span = readSpan(fields.span);
    return span && { kind: 'span', lane, span };
  }
  const [span, at] = [oneOf(spanKinds, fields.span), time(fields.at)];
  return fields.kind !== 'span-end' || span === undefined || at === undefined
    ? undefined
    : { kind: 'span-end', lane, span, at };
}

function readLane(value: unknown): LaneStart | undefined {
  const fields = fieldsOf(value);
  const [name, kind] = [text(fields.name), oneOf(laneKinds, fields.kind)];
  if (name === undefined || kind === undefined) return undefined;
  return {
    name,
    kind,
    direction: oneOf(directions, fields.direction),
    handle: wholeNumber(fields.handle),
    under: text(fields.under),
  };
}

function readEvent(value: unknown): LaneEvent | undefined {
  const fields = fieldsOf(value);
  const [at, label, happening] = [time(fields.at), text(fields.label), readHappening(fields)];
  if (at === undefined || label === undefined || happening === undefined) return undefined;
  return {
    ...happening,
    at,
    label,
    ...present('direction', oneOf(directions, fields.direction)),
    ...present('count', wholeNumber(fields.count)),
    ...present('until', time(fields.until)),
  };
}

function readHappening(fields: Fields): Happening | undefined {
  const bytes = wholeNumber(fields.bytes);
  const handle = wholeNumber(fields.handle);
  const preview = present('preview', hex(fields.preview));
  switch (fields.kind) {
    case 'frame':
      return bytes === undefined || handle === undefined
        ? undefined
        : { kind: 'frame', handle, bytes, ...preview };
    case 'packet': {
      const type = oneOf(types, fields.type);
      return bytes === undefined || type === undefined
        ? undefined
        : { kind: 'packet', type, bytes, ...preview };
    }
    case 'chunk':
      return bytes === undefined ? undefined : { kind: 'chunk', bytes, ...preview };
    case 'close':
      return { kind: 'close', ...present('handle', handle) };
    case 'error':
      return { kind: 'error', ...present('code', text(fields.code)) };
    case 'value':
    case 'complete':
      return { kind: fields.kind };
    default:
      return undefined;
  }
}

function readSpan(value: unknown): Span | undefined {
  const fields = fieldsOf(value);
  const [kind, label, from] = [
    oneOf(spanKinds, fields.kind),
    text(fields.label),
    time(fields.from),
  ];
  return kind === undefined || label === undefined || from === undefined
    ? undefined
    : { kind, label, from, to: time(fields.to) };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Milliseconds. */
function time(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}

function hex(value: unknown): Uint8Array | undefined {
  const digits = text(fieldsOf(value).hex);
  return digits !== undefined && /^(?:[0-9a-f]{2})*$/.test(digits)
    ? new Uint8Array(Buffer.from(digits, 'hex'))
    : undefined;
}

function oneOf<T extends string>(words: readonly T[], value: unknown): T | undefined {
  return words.find((word) => word === value);
}

/** A field that exists only with a value. */
function present<Name extends string, T>(
  name: Name,
  value: T | undefined,
): Partial<Readonly<Record<Name, T>>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<Name, T>>);
}
