import type { LaneEvent, LaneStart, Span } from '../../diagram/model.js';
import { printable } from '../../wire/text.js';
import type { Closed, KnownLane, Opened } from './steps.js';
import type {
  ClosedFacts,
  ConnectionFacts,
  EventFacts,
  LaneFacts,
  SpanFacts,
} from './page-messages.js';

/** The most bytes of a payload that are kept. */
const PREVIEW_BYTES = 512;
/** The most characters of a name or a sentence. */
const WORDS = 300;

export function connectionFacts({
  connection,
  at,
  peer: { address, port },
  target,
}: Opened): ConnectionFacts {
  const place =
    address === undefined
      ? 'standard input'
      : port === undefined
        ? address
        : address.includes(':')
          ? `[${address}]:${port}`
          : `${address}:${port}`;
  return { id: connection, at, peer: words(place), target: words(target) };
}

export function closedFacts({ at, how, reason }: Closed): ClosedFacts {
  return { at, how, reason: words(reason) };
}

export function laneFacts(
  index: number,
  { name, kind, direction, handle }: LaneStart,
  above: KnownLane | undefined,
): LaneFacts {
  // The name of a lane begins with the name of the lane above it.
  const own =
    above !== undefined && name.startsWith(`${above.start.name}/`)
      ? name.slice(above.start.name.length + 1)
      : name;
  return { index, name: words(own), kind, ...defined({ direction, handle, under: above?.index }) };
}

export function eventFacts(event: LaneEvent): EventFacts {
  const { at, kind, label, direction, count, until } = event;
  const { type, handle, bytes, code, preview } = {
    type: undefined,
    handle: undefined,
    bytes: undefined,
    code: undefined,
    preview: undefined,
    ...event,
  };
  const front = preview === undefined ? undefined : Buffer.from(preview).toString('base64');
  return {
    at,
    kind,
    label: words(label),
    ...defined({ direction, count, until, type, handle, bytes, code, preview: front }),
  };
}

export function spanFacts({ kind, label, from, to }: Span): SpanFacts {
  return { span: kind, label: words(label), from, ...defined({ to }) };
}

/**
 * Copies the preview of an event when it is a view into a larger chunk, which it would keep in
 * memory.
 */
export function compact(event: LaneEvent): LaneEvent {
  if (!('preview' in event) || event.preview === undefined) return event;
  const { preview } = event;
  return preview.length <= PREVIEW_BYTES && preview.buffer.byteLength <= PREVIEW_BYTES
    ? event
    : { ...event, preview: new Uint8Array(preview.subarray(0, PREVIEW_BYTES)) };
}

/** The service, disk and level that a request names; `FAILED` for the end of a failed dump. */
export function serviceOf(event: LaneEvent): string | undefined {
  if (event.kind === 'error' && event.code === 'SERVICE_FAILED') return words('FAILED');
  const asked =
    event.kind === 'packet' && event.type === 'REQ'
      ? /^REQ (\S{1,64}(?: .*)?)$/s.exec(event.label)?.[1]
      : undefined;
  return asked === undefined || asked.startsWith('that cannot be read') ? undefined : words(asked);
}

function words(text: string): string {
  return printable(text, WORDS);
}

type Defined<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
