import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP socket on loopback of which a test writes and reads the bytes itself. */
export interface RawUdp {
  readonly port: number;
  /** Sends text, to the port given or to the sender of the last datagram. */
  send(text: string | Uint8Array, port?: number): void;
  /** The next datagram as text, waited for. */
  next(): Promise<string>;
  /** Datagrams that arrived and were not asked for. */
  readonly waiting: readonly string[];
  close(): void;
}

export async function openRawUdp(port = 0, address = '127.0.0.1'): Promise<RawUdp> {
  const socket: Socket = createSocket('udp4');
  const arrived: string[] = [];
  const wanted: ((text: string) => void)[] = [];
  let last: RemoteInfo | undefined;
  socket.on('message', (bytes, from) => {
    last = from;
    const text = bytes.toString('latin1');
    const reader = wanted.shift();
    if (reader === undefined) arrived.push(text);
    else reader(text);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    waiting: arrived,
    send(text, to = last?.port) {
      socket.send(text, to, last?.address ?? '127.0.0.1');
    },
    next() {
      const text = arrived.shift();
      return text === undefined
        ? new Promise((resolve) => wanted.push(resolve))
        : Promise.resolve(text);
    },
    close() {
      socket.close();
    },
  };
}
