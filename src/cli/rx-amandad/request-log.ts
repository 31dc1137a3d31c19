import type { Peer } from '../../transport/channel.js';
import type { TargetOutcome } from '../../exchange/target-machine.js';
import type { ServiceEvent } from '../../target/serve.js';
import { isAmandaError } from '../../wire/errors.js';
import type { ParsedRequest } from '../../wire/request.js';
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
  /** Requests that were refused or invalid. */
  rejected: number;
}

type Field = readonly [name: string, value: string | number | undefined];

/**
 * Lines for rejected requests of one connection. The rest is counted, so that a stranger cannot
 * fill the disk.
 */
const MAX_REJECTED_LINES = 100;

/** The most characters of a value. */
const MAX_VALUE = 1_000;

/**
 * Logs one line for each request that ends, and one for each connection that breaks or is rejected:
 *
 *     request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=noop verdict=allowed
 *         outcome=completed sent=45 received=51 seconds=0.012
 *
 * Unknown fields are left out. A value from the peer is quoted unless it is plain. Of a connection,
 * the first hundred rejected requests are logged, and at its end the number of the others.
 */
export class RequestLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #known = new Map<Peer, ConnectionLog>();

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  readonly take = (event: ServiceEvent): void => {
    const { peer } = event;
    switch (event.kind) {
      case 'connected':
        this.#known.set(peer, { requests: new Map(), rejected: 0 });
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
        this.#leave(peer);
        // A peer that leaves is normal, and the requests that it left have lines of their own.
        if (event.error instanceof Error && !isAmandaError(event.error, 'CONNECTION_LOST')) {
          this.#log(line('connection', [...peerFields(peer), ['error', event.error.message]]));
        }
        return;
      case 'replied':
    }
  };

  /** Logs the requests that are being stopped. */
  readonly end = (): void => {
    for (const [peer, { requests }] of this.#known)
      for (const handle of [...requests.keys()]) this.#over(peer, handle, 'stopped');
  };

  #begin(peer: Peer, handle: number, begun: RequestState): void {
    this.#known.get(peer)?.requests.set(handle, begun);
  }

  #leave(peer: Peer): void {
    const { rejected = 0 } = this.#known.get(peer) ?? {};
    this.#known.delete(peer);
    if (rejected > MAX_REJECTED_LINES)
      this.#log(
        line('connection', [...peerFields(peer), ['untold', rejected - MAX_REJECTED_LINES]]),
      );
  }

  #over(
    peer: Peer,
    handle: number,
    outcome: TargetOutcome | 'stopped',
    error?: Error,
    traffic: readonly Field[] = [],
  ): void {
    const known = this.#known.get(peer);
    const { request, verdict, reason, since = this.#now() } = known?.requests.get(handle) ?? {};
    known?.requests.delete(handle);
    if (known !== undefined && verdict !== 'allowed' && ++known.rejected > MAX_REJECTED_LINES)
      return;
    this.#log(
      line('request', [
        ...peerFields(peer),
        ['user', request?.user],
        ['service', request?.service],
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
