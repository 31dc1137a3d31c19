import { EMPTY, Subject, filter, map, of, timer, type Observable } from 'rxjs';
import { allowed } from '../../src/access/verdict.js';
import {
  DatagramConnection,
  type DatagramStreams,
} from '../../src/connection/datagram-connection.js';
import { reply } from '../../src/exchange/service.js';
import type { Mark } from '../../src/diagram/page/page.js';
import { serveConnection } from '../../src/target/serve.js';
import {
  handleLane,
  mark,
  page,
  type PageScope,
  textBytes,
  userLane,
} from '../../src/testing/index.js';
import { decodeDatagram } from '../../src/wire/datagram.js';
import { AmandaError } from '../../src/wire/errors.js';
import type { PacketType } from '../../src/wire/packet.js';
import { inWords } from '../support/serving.js';

/** A datagram as it travels: a line of text, and the packet. */
function datagram(type: Exclude<PacketType, 'BOGUS'>, body = '', sequence = 7): Mark<Uint8Array> {
  const bytes = textBytes(`Amanda 3.5 ${type} HANDLE 000-00000000 SEQ ${sequence}\n${body}`);
  const { shows, label } = mark.packet(type, body);
  return { value: bytes, shows, label: `${label}, SEQ ${sequence}` };
}

const noStreams: DatagramStreams = {
  flow: EMPTY,
  isOpen: false,
  stream: (number) => {
    throw new AmandaError('BAD_ARGUMENT', `There is no stream ${number} on these pages.`);
  },
  announce: () => of([]),
  end: () => undefined,
};

/** A target over UDP, whose service replies two milliseconds after it was asked. */
const serving = {
  about: 'serveConnection',
  given: { initiator: handleLane(1, 'in', { hot: true }) },
  expected: { target: handleLane(1, 'out'), events: userLane<string>() },
  wire: ({ initiator }: { readonly initiator: Observable<Uint8Array> }, scope: PageScope) => {
    const sent = new Subject<Uint8Array>();
    const link = {
      peer: { driver: 'bsd', host: 'server' },
      datagrams: initiator.pipe(map(decodeDatagram)),
      send: (bytes: Uint8Array) => sent.next(bytes),
    };
    const connection = new DatagramConnection(
      link,
      { side: 'target', namesUser: true },
      () => noStreams,
    );
    scope.ends.add(() => connection.close());
    const noop = () => timer(2).pipe(map(() => reply({ lines: ['OPTIONS ;'] })));
    return {
      target: sent,
      events: serveConnection(connection, { noop }, { authorize: () => of(allowed) }).pipe(
        map(inWords),
        filter((words) => words !== 'connected'),
      ),
    };
  },
};

const legend = {
  Q: datagram('REQ', 'SECURITY USER backup\nSERVICE noop\nOPTIONS ;\n'),
  K: datagram('ACK'),
  R: datagram('REP', 'OPTIONS ;\n'),
  X: datagram('ACK', '', 8),
  a: mark.value('admitted', 'the request is admitted'),
  y: mark.value('replied', 'the REP was sent'),
  e: mark.value('ended: completed', 'the request is completed'),
};

/** Packets as datagrams (bsd, bsdudp), which get lost, doubled and late. */
export const pages = [
  page({
    ...serving,
    title: 'One datagram a packet',
    sentence:
      'The exchange is the same as over a byte channel; a handle and a number tell whose a datagram is.',
    picture: `
      initiator  -Q----K
      target     -K-R
      events     -a-y--e
    `,
    legend,
  }),

  page({
    ...serving,
    title: 'A REQ that comes twice',
    sentence:
      'The same handle and number are the same request: the second one is acknowledged again, and the service runs once.',
    picture: `
      initiator  -QQ---K
      target     -KKR
      events     -a-y--e
    `,
    legend,
  }),

  page({
    ...serving,
    title: 'A REQ that comes late',
    sentence: 'A copy of a finished request does not start it again.',
    picture: `
      initiator  -Q----K--Q
      target     -K-R
      events     -a-y--e
    `,
    legend,
  }),

  page({
    ...serving,
    title: 'A lost reply',
    sentence: 'A packet that is not acknowledged within 10 s is sent again.',
    picture: `
      initiator  -Q-- 10s  -K
      target     -K-R 9s 999ms R
      events     -a-y 10s  -e
    `,
    legend,
  }),

  page({
    ...serving,
    title: 'A datagram that belongs to nothing',
    sentence:
      'An ACK with another number is not the ACK of this request: it is dropped without an answer.',
    picture: `
      initiator  -Q--X-K
      target     -K-R
      events     -a-y--e
    `,
    legend,
  }),
];
