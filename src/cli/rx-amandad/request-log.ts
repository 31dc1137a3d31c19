import type { Peer } from '../../transport/channel.js';
import type { RequestOutcome } from '../../exchange/exchange-event.js';
import type { ServiceEvent } from '../../target/serve.js';
import { isAmandaError } from '../../wire/errors.js';
import type { ParsedRequest } from '../../wire/request.js';
import { requestSubject } from '../../wire/dle/requested-disks.js';
import { printable } from '../../wire/text.js';
import type { Log } from './amandad-log.js';

/** A request that is not over yet. */
interface RequestState {
  readonly request?: ParsedRequest | undefined;
  readonly verdict: 'allowed' | 'refused';
  readonly reason?: string;
  readonly since: number;
}

/** A connection and its requests. */
interface ConnectionLog {
  readonly requests: Map<number, RequestState>;
  /** Whether one of its requests was allowed. */
  wasAllowed: boolean;
}

type Field = readonly [name: string, value: string | number | undefined];

/**
 * Lines that strangers cause in a minute, over all connections. The rest is counted, so that they
 * cannot fill the disk.
 */
const MAX_STRANGER_LINES = 100;
/** Of these, lines of one address, so that one stranger does not hide the others. */
const MAX_ADDRESS_LINES = 20;
/** Milliseconds. */
const MINUTE = 60_000;

/** The most characters of a value. */
const MAX_VALUE = 1_000;

/**
 * Logs one line for each request that ends, and one for each connection that breaks or is rejected:
 *
 *     request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=sendbackup disk=/home level=0
 *         verdict=allowed outcome=failed sent=10240 received=251 seconds=0.012 error="…"
 *
 * Unknown fields are left out. A value from the peer is quoted unless it is plain.
 *
 * Of rejected requests, and of broken connections without an allowed one, a hundred lines a minute
 * are logged, and twenty for one address. The next minute begins with the number of the others.
 */
export class RequestLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #known = new Map<Peer, ConnectionLog>();
  /** Lines of strangers in this minute, by address. */
  readonly #strangers = new Map<string, number>();
  #strangerLines = 0;
  #untold = 0;
  #minute = 0;

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  readonly take = (event: ServiceEvent): void => {
    const { peer } = event;
    switch (event.kind) {
      case 'connected':
        this.#known.set(peer, { requests: new Map(), wasAllowed: false });
        return;
      case 'admitted':
        this.#begin(peer, event.handle, {
          request: event.request,
          verdict: 'allowed',
          since: this.#now(),
        });
        return;
      case 'refused':
        this.#begin(peer, event.handle, {
          request: event.request,
          verdict: 'refused',
          reason: event.reason,
          since: this.#now(),
        });
        return;
      case 'ended':
        this.#over(peer, event.handle, event.outcome, event.error, [
          ['sent', event.sent],
          ['received', event.received],
        ]);
        return;
      case 'disconnected':
        // A peer that leaves is normal, and the requests that it left have lines of their own.
        this.#disconnected(peer, event.error);
        this.#known.delete(peer);
        return;
      case 'replied':
    }
  };

  /** Logs the requests that are being stopped. */
  readonly end = (): void => {
    for (const [peer, { requests }] of this.#known)
      for (const handle of [...requests.keys()]) this.#over(peer, handle, 'stopped');
    this.#tellUntold();
  };

  #begin(peer: Peer, handle: number, begun: RequestState): void {
    const known = this.#known.get(peer);
    if (known === undefined) return;
    known.requests.set(handle, begun);
    if (begun.verdict === 'allowed') known.wasAllowed = true;
  }

  #disconnected(peer: Peer, error: unknown): void {
    if (!(error instanceof Error) || isAmandaError(error, 'CONNECTION_LOST')) return;
    this.#write(peer, this.#known.get(peer)?.wasAllowed === true, () =>
      line('connection', [...peerFields(peer), ['error', error.message]]),
    );
  }

  /** Writes a line, unless it is one too many of a stranger. */
  #write(peer: Peer, isAllowed: boolean, text: () => string): void {
    if (isAllowed || this.#hasRoom(peer)) this.#log(text());
    else this.#untold += 1;
  }

  #hasRoom({ address = '' }: Peer): boolean {
    if (this.#now() - this.#minute >= MINUTE) {
      this.#tellUntold();
      this.#minute = this.#now();
      this.#strangers.clear();
      this.#strangerLines = 0;
    }
    const lines = (this.#strangers.get(address) ?? 0) + 1;
    if (this.#strangerLines >= MAX_STRANGER_LINES || lines > MAX_ADDRESS_LINES) return false;
    this.#strangers.set(address, lines);
    this.#strangerLines += 1;
    return true;
  }

  #tellUntold(): void {
    if (this.#untold > 0) this.#log(line('rejected', [['untold', this.#untold]]));
    this.#untold = 0;
  }

  #over(
    peer: Peer,
    handle: number,
    outcome: RequestOutcome | 'stopped',
    error?: Error,
    traffic: readonly Field[] = [],
  ): void {
    const known = this.#known.get(peer);
    const { request, verdict, reason, since = this.#now() } = known?.requests.get(handle) ?? {};
    known?.requests.delete(handle);
    this.#write(peer, verdict === 'allowed', () =>
      line('request', [
        ...peerFields(peer),
        ['user', request?.user],
        ['service', request?.service],
        ...diskFields(request),
        ['verdict', verdict],
        ['reason', reason],
        ['outcome', outcome],
        ...traffic,
        ['seconds', ((this.#now() - since) / 1_000).toFixed(3)],
        ['error', error?.message],
      ]),
    );
  }
}

/** The disk and the level of a request that names one of each. */
function diskFields(request: ParsedRequest | undefined): readonly Field[] {
  if (request === undefined) return [];
  const { disk, level } = requestSubject(request);
  return [
    ['disk', disk],
    ['level', level],
  ];
}

function peerFields({ host, address, port, driver }: Peer): readonly Field[] {
  return [
    ['host', host],
    ['peer', address],
    ['port', port],
    ['auth', driver],
  ];
}

function line(what: string, fields: readonly Field[]): string {
  return [
    what,
    ...fields.flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${quoted(String(value))}`],
    ),
  ].join(' ');
}

/**
 * Quotes a value unless it is plain. A backslash of the peer is doubled, so that it cannot look
 * like an escape.
 */
function quoted(value: string): string {
  if (/^[\w.:/@%+-]+$/.test(value)) return value.slice(0, MAX_VALUE);
  return `"${printable(value.replace(/[\\"]/g, '\\$&'), MAX_VALUE)}"`;
}
