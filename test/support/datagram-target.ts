import { connect as connectSocket, type Socket } from 'node:net';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { Subject, tap } from 'rxjs';
import { authorize } from '../../src/access/authorize.js';
import type { DatagramListenerOptions } from '../../src/drivers/datagram/datagram-listener.js';
import type { Listener } from '../../src/drivers/driver.js';
import {
  serve,
  type ServeOptions,
  type ServiceEvent,
  type ServiceMap,
} from '../../src/target/serve.js';
import { openRawUdp, type RawUdp } from './raw-udp.js';

const host = '127.0.0.1';
const user = userInfo().username;

/** A target on loopback, and an initiator of the test's own hand. */
export interface ByHand {
  readonly port: number;
  readonly events: Subject<ServiceEvent>;
  readonly initiator: RawUdp;
  /** Asks for a service, and gives the reply, which is not acknowledged yet. */
  readonly ask: (service: string, sequence?: number) => Promise<string>;
  readonly acknowledge: (sequence?: number) => void;
  /** Connects to an announced port. */
  readonly dial: (port: number) => Promise<Dialled>;
  readonly close: () => void;
}

/** A TCP connection, and how all that arrived on it ended. */
export interface Dialled {
  readonly socket: Socket;
  /** The bytes up to the end in hexadecimal; rejects with what broke the connection. */
  readonly all: Promise<string>;
}

export async function targetByHand(
  listen: (options: DatagramListenerOptions) => Listener,
  services: ServiceMap,
  options: ServeOptions & DatagramListenerOptions = {},
): Promise<ByHand> {
  const events = new Subject<ServiceEvent>();
  const rules = authorize({
    rules: `localhost ${user} ${Object.keys(services).join(' ')}`,
    reservedPort: false,
  });
  let stop = (): void => undefined;
  const port = await new Promise<number>((resolve, reject) => {
    const listener = listen({ host, port: 0, ...options, onListening: resolve });
    const serving = serve(listener, services, { authorize: rules, ...options })
      .pipe(tap(events))
      .subscribe({ error: reject });
    stop = () => serving.unsubscribe();
  });
  const initiator = await openRawUdp();
  const sockets: Socket[] = [];
  return {
    port,
    events,
    initiator,
    async ask(service, sequence = 1) {
      initiator.send(
        `Amanda 3.5 REQ HANDLE 000-00000000 SEQ ${sequence}\nSECURITY USER ${user}\nSERVICE ${service}\nOPTIONS hostname=h${sequence};\n`,
        port,
      );
      await initiator.next();
      return initiator.next();
    },
    acknowledge(sequence = 1) {
      initiator.send(`Amanda 3.5 ACK HANDLE 000-00000000 SEQ ${sequence}\n`, port);
    },
    async dial(at) {
      const socket = connectSocket({ host, port: at, allowHalfOpen: true });
      sockets.push(socket);
      const chunks: Buffer[] = [];
      const all = new Promise<string>((resolve, reject) => {
        socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        socket.on('end', () => resolve(Buffer.concat(chunks).toString('hex')));
      });
      all.catch(() => undefined);
      await once(socket, 'connect');
      return { socket, all };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      initiator.close();
      stop();
    },
  };
}
