import { Subject, map, of, tap, type Observable, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { handleLane, streamLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { index, type IndexSession } from '../../src/initiator/recover/index-session.js';
import { restoreImage } from '../../src/initiator/recover/restore-image.js';
import { encodeDumpHeader } from '../../src/wire/dumpfile.js';
import { Features } from '../../src/wire/features.js';
import { mark, pageConnection } from '../../src/testing/index.js';

export const MESG = 499_999;
const CTL = 499_999;
const DATA = 499_998;
const FEATURES = Features.amanda351.toString();

const dump = {
  datestamp: '20261103010000',
  level: 0,
  volumes: [{ storage: 'main', label: 'lab-1', files: [1] }],
};
const place = { host: 'db1', disk: '/home' };

/** The header of a dump with the content "abc"; 364b3fb7 is its CRC-32C. */
const header = encodeDumpHeader({
  type: 'FILE',
  datestamp: dump.datestamp,
  ...place,
  level: 0,
  program: '/bin/tar',
  clientChecksum: { crc: 0x364b_3fb7, bytes: 3 },
}).subarray(0, 512);

const said = (text: string, label: string) => ({ ...mark.chunk(text), label });

/** What an index server and an initiator say to each other. */
export const indexSays = {
  A: mark.packet('ACK'),
  R: mark.packet('REP', `CONNECT MESG ${MESG}\n\n`),
  C: mark.close(),
  g: said('220 lab ready.\r\n', '220 ready'),
  f: said(`200 FEATURES ${FEATURES}\r\n`, '200 FEATURES'),
  s: said('200 Config set to daily.\r\n', '200 Config set'),
  q: said('200 Good bye.\r\n', '200 Good bye'),
  F: said(`FEATURES ${FEATURES}\r\n`, 'FEATURES'),
  S: said('SCNF daily\r\n', 'SCNF daily'),
  Q: said('QUIT\r\n', 'QUIT'),
};

/** What amidxtaped and an initiator say to each other. */
export const tapeSays = {
  A: mark.packet('ACK'),
  R: mark.packet('REP', `CONNECT CTL ${CTL} DATA ${DATA}\n\n`),
  C: mark.close(),
  f: said(`FEATURES=${FEATURES}\r\n`, 'FEATURES'),
  h: said('HEADER-SEND-SIZE 512\r\n', 'HEADER-SEND-SIZE'),
  d: said('DATA-SEND\r\n', 'DATA-SEND'),
  m: said('MESSAGE No matching dumps found\r\n', 'MESSAGE No matching dumps found'),
  w: said('FEEDME lab-1\r\n', 'FEEDME lab-1'),
  H: said(Buffer.from(header).toString(), 'the header'),
  x: mark.chunk('abc'),
  y: mark.chunk('abd'),
  z: mark.value('started'),
  D: mark.value('done'),
};

interface Talk {
  readonly target: Observable<Uint8Array>;
  readonly mesg: Observable<Uint8Array>;
}

/** A look into the index; a page plays the server. */
export function looking(work: (session: IndexSession) => Observable<string>) {
  return {
    about: 'index',
    given: { target: handleLane(1, 'in'), mesg: streamLane(MESG, 'in') },
    expected: { asks: streamLane(MESG, 'out'), results: userLane<string>() },
    wire: ({ target, mesg }: Talk, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      scope.ends.add(peer.send(1, target));
      scope.ends.add(peer.send(MESG, mesg));
      return {
        asks: peer.received(MESG),
        results: of<Connection>(connection).pipe(index({ config: 'daily' }, work)),
      };
    },
  };
}

interface Restoring {
  readonly target: Observable<Uint8Array>;
  readonly ctl: Observable<Uint8Array>;
  readonly data: Observable<Uint8Array>;
}

/** A restore; a page plays amidxtaped, and `saved` is what reaches the sink. */
export function restoring() {
  return {
    about: 'restoreImage',
    given: {
      target: handleLane(1, 'in'),
      ctl: streamLane(CTL, 'in'),
      data: streamLane(DATA, 'in'),
    },
    expected: { saved: userLane<Uint8Array>(), events: userLane<string>() },
    wire: ({ target, ctl, data }: Restoring, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      const saved = new Subject<Uint8Array>();
      scope.ends.add(peer.send(1, target));
      scope.ends.add(peer.send(CTL, ctl));
      scope.ends.add(peer.send(DATA, data));
      const restore: OperatorFunction<Connection, { readonly kind: string }> = restoreImage(
        { config: 'daily', ...place, dump },
        () => ({
          data: (bytes) =>
            of(bytes).pipe(
              tap((one) => {
                saved.next(one);
              }),
            ),
        }),
      );
      return {
        saved,
        events: of<Connection>(connection).pipe(
          restore,
          map(({ kind }) => kind),
        ),
      };
    },
  };
}
