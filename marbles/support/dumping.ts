import {
  Subject,
  filter,
  map,
  mergeMap,
  of,
  tap,
  timer,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import type { ConnectionOptions } from '../../src/connection/options.js';
import {
  receiveDump,
  type DumpEvent,
  type ReceiveDumpOptions,
} from '../../src/initiator/receive-dump.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { handleLane, streamLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { mark, pageConnection } from '../../src/testing/index.js';
import { AmandaError } from '../../src/wire/errors.js';
import { decodeText } from '../../src/wire/text.js';

export const DATA = 499_999;
export const MESG = 499_998;

/** The messages of a target for the dump "abc"; 364b3fb7 is its CRC-32C. */
export const said = {
  A: mark.packet('ACK'),
  R: mark.packet('REP', `CONNECT DATA ${DATA} MESG ${MESG} INDEX -1\nOPTIONS ;\n`),
  C: mark.close(),
  i: {
    ...mark.chunk('sendbackup: info BACKUP=/bin/tar\nsendbackup: info end\n'),
    label: 'info …, info end',
  },
  e: {
    ...mark.chunk('sendbackup: client-CRC 364b3fb7:3\nsendbackup: size 1\nsendbackup: end\n'),
    label: 'client-CRC 364b3fb7:3, size 1, end',
  },
  x: mark.chunk('abc'),
  y: mark.chunk('a'),
  z: mark.chunk('bc'),
  b: mark.bulk(1_000),
  s: mark.value('started'),
  D: mark.value('done: success'),
};

/** Bytes that the sink of these pages rejects. */
export const FULL = 'too much';

interface Given {
  readonly target: Observable<Uint8Array>;
  readonly mesg: Observable<Uint8Array>;
  readonly data: Observable<Uint8Array>;
}

interface Receiving extends ReceiveDumpOptions, ConnectionOptions {
  /** Milliseconds that the sink takes for each chunk; default none. */
  readonly takes?: number;
  /** Whether an index is requested; the target of these pages announces none. */
  readonly index?: boolean;
  /** Which events are drawn besides the first and the last. */
  readonly tells?: DumpEvent['kind'];
}

/** A dump that is received: a page plays the target, and `saved` is what reaches the sink. */
export function receiving({ takes = 0, index = false, tells, ...options }: Receiving = {}) {
  return {
    about: 'receiveDump',
    given: {
      target: handleLane(1, 'in'),
      mesg: streamLane(MESG, 'in'),
      data: streamLane(DATA, 'in'),
    },
    expected: { saved: userLane<Uint8Array>(), events: userLane<string>() },
    wire: ({ target, mesg, data }: Given, scope: PageScope) => {
      const { connection, peer } = pageConnection(
        scope,
        { side: 'initiator', user: undefined },
        options,
      );
      const saved = new Subject<Uint8Array>();
      scope.ends.add(peer.send(1, target));
      scope.ends.add(peer.send(MESG, mesg));
      scope.ends.add(peer.send(DATA, data));
      const write = (bytes: Uint8Array): void => {
        if (decodeText(bytes) === FULL) throw new AmandaError('FILE_FAILED', 'The disk is full.');
        saved.next(bytes);
      };
      const save = (bytes: Uint8Array) =>
        (takes === 0 ? of(bytes) : timer(takes).pipe(map(() => bytes))).pipe(tap(write));
      const dumps: OperatorFunction<Connection, DumpEvent> = (connections) =>
        connections.pipe(
          sendbackup({ dle: { program: 'GNUTAR', disk: '/home', index } }),
          receiveDump(() => ({ data: save }), options),
        );
      const events = of<Connection>(connection).pipe(
        dumps,
        filter(({ kind }) => kind === 'started' || kind === 'done' || kind === tells),
        map(inWords),
      );
      return { saved, events };
    },
  };
}

/** A request for a dump that stays unread. */
export function beginning() {
  return {
    about: 'sendbackup',
    given: {
      target: handleLane(1, 'in'),
      mesg: streamLane(MESG, 'in'),
      data: streamLane(DATA, 'in'),
    },
    expected: {
      initiator: handleLane(1, 'out'),
      dumps: userLane<string>(),
      messages: userLane<string>(),
    },
    wire: ({ target, mesg, data }: Given, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      const messages = new Subject<string>();
      scope.ends.add(peer.send(1, target));
      scope.ends.add(peer.send(MESG, mesg));
      scope.ends.add(peer.send(DATA, data));
      const dumps = of<Connection>(connection).pipe(
        sendbackup({ dle: { program: 'GNUTAR', disk: '/home' } }),
        tap((dump) => {
          dump.data.discard();
          scope.ends.add(dump.messages.pipe(map(({ kind }) => kind)).subscribe(messages));
        }),
        mergeMap(({ level, dle }) => of(`level ${level} of ${dle.disk}`)),
      );
      return { initiator: peer.received(1), dumps, messages };
    },
  };
}

function inWords(event: DumpEvent): string {
  switch (event.kind) {
    case 'done':
      return `done: ${event.outcome.kind}`;
    case 'progress':
      return `${event.progress.bytes} bytes`;
    default:
      return event.kind;
  }
}
