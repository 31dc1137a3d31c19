import type { Peer } from '../../transport/channel.js';
import type { TargetOutcome } from '../../exchange/target-machine.js';
import type { ServiceEvent } from '../../target/serve.js';
import { isAmandaError } from '../../wire/errors.js';
import type { ParsedRequest } from '../../wire/request.js';
import { printable } from '../../wire/text.js';
import type { Log } from './amandad-log.js';

/** What is known of a request before it is over. */
interface Begun {
  readonly request?: ParsedRequest | undefined;
  readonly verdict: 'allowed' | 'refused';
  readonly reason?: string;
  readonly since: number;
}

/** What is known of a connection. */
interface Known {
  readonly requests: Map<number, Begun>;
  /** How many of its requests came to nothing: refused, or no request at all. */
  fruitless: number;
}

type Field = readonly [name: string, value: string | number | undefined];

/** Lines for requests of one connection that come to nothing; the others are counted. A stranger must not fill the disk. */
const MOST_FRUITLESS = 100;

/** Characters of a value that are shown. */
const SHOWN = 1_000;

/**
 * Tells one line for each request that is over, and one for each connection that broke or was turned away:
 *
 *     request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=noop verdict=allowed outcome=completed sent=45 received=51 seconds=0.012
 *
 * Fields that are not known are left out. Of a connection that is refused again and again the first hundred lines are told, and at its end how many more there were. What comes from the peer is in quotes unless it is plain, without a control character.
 */
export class RequestLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #known = new Map<Peer, Known>();

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  readonly note = (event: ServiceEvent): void => {
    const { peer } = event;
    switch (event.kind) {
      case 'connected':
        this.#known.set(peer, { requests: new Map(), fruitless: 0 });
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
        // An initiator that leaves is no news: what it left unfinished has been told.
        if (event.error instanceof Error && !isAmandaError(event.error, 'CONNECTION_LOST')) {
          this.#log(line('connection', [...who(peer), ['error', event.error.message]]));
        }
        return;
      case 'replied':
    }
  };

  /** Tells of the requests that are cut short now. */
  readonly end = (): void => {
    for (const [peer, { requests }] of this.#known)
      for (const handle of [...requests.keys()]) this.#over(peer, handle, 'stopped');
  };

  #begin(peer: Peer, handle: number, begun: Begun): void {
    this.#known.get(peer)?.requests.set(handle, begun);
  }

  #leave(peer: Peer): void {
    const { fruitless = 0 } = this.#known.get(peer) ?? {};
    this.#known.delete(peer);
    if (fruitless > MOST_FRUITLESS)
      this.#log(line('connection', [...who(peer), ['untold', fruitless - MOST_FRUITLESS]]));
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
    if (known !== undefined && verdict !== 'allowed' && ++known.fruitless > MOST_FRUITLESS) return;
    this.#log(
      line('request', [
        ...who(peer),
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

function who({ host, address, port, driver }: Peer): readonly Field[] {
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
      value === undefined ? [] : [`${name}=${shown(String(value))}`],
    ),
  ].join(' ');
}

/** Escapes are told from what only looks like one: a backslash of the peer's own is doubled. */
function shown(value: string): string {
  if (/^[\w.:/@%+-]+$/.test(value)) return value.slice(0, SHOWN);
  return `"${printable(value.replace(/[\\"]/g, '\\$&'), SHOWN)}"`;
}
