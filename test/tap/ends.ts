import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Subject } from 'rxjs';
import { onTestFinished } from 'vitest';
import { tapTcp, type TapTcpOptions } from '../../src/tap/relay.js';
import type { TapEvent } from '../../src/tap/tap-event.js';

/** A tap that runs until the test ends. */
export interface Running {
  readonly port: number;
  readonly events: readonly TapEvent[];
  /** Waits until there are enough events. */
  readonly until: (enough: (events: readonly TapEvent[]) => boolean) => Promise<void>;
  readonly stop: () => void;
  readonly completed: Promise<void>;
}

/** Both ends of a tapped connection, and the events. */
export interface Tapped extends Running {
  readonly initiator: Socket;
  readonly target: Socket;
}

/** Options of a tap; `onEvent` is called synchronously. */
export type StartOptions = Partial<TapTcpOptions> & {
  readonly onEvent?: (event: TapEvent) => void;
};

export async function startTap(
  target: number,
  { onEvent, ...options }: StartOptions = {},
): Promise<Running> {
  const events: TapEvent[] = [];
  const changed = new Subject<void>();
  let completed: () => void = () => {};
  const whole = new Promise<void>((resolve) => (completed = resolve));
  const { port, stop } = await new Promise<{ port: number; stop: () => void }>(
    (resolve, reject) => {
      const subscription = tapTcp({
        listen: { port: 0 },
        target: { host: '127.0.0.1', port: target },
        ...options,
        onListening: (bound) => resolve({ port: bound, stop: () => subscription.unsubscribe() }),
      }).subscribe({
        next: (event) => {
          events.push(event.kind === 'bytes' ? { ...event, chunk: event.chunk.slice() } : event);
          onEvent?.(event);
          changed.next();
        },
        error: reject,
        complete: completed,
      });
    },
  );
  onTestFinished(stop);
  return {
    port,
    events,
    stop,
    completed: whole,
    until: async (enough) => {
      while (!enough(events))
        await new Promise<void>((resolve) => changed.subscribe(() => resolve()));
    },
  };
}

/** A server that hands out its connections. */
export async function listen(): Promise<{
  readonly port: number;
  readonly server: Server;
  readonly next: () => Promise<Socket>;
}> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    next: async () => ((await once(server, 'connection')) as [Socket])[0],
  };
}

export async function dial(port: number, options: { localPort?: number } = {}): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...options });
  await once(socket, 'connect');
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

export async function tapped(options: Partial<TapTcpOptions> = {}): Promise<Tapped> {
  const { port, next } = await listen();
  const tap = await startTap(port, options);
  const accepted = next();
  const initiator = await dial(tap.port);
  return { ...tap, initiator, target: await accepted };
}

/** The bytes that a socket reads until its end, and how it ended. */
export async function readAll(
  socket: Socket,
): Promise<{ readonly text: string; readonly how: 'end' | 'reset' }> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const how = await new Promise<'end' | 'reset'>((resolve) => {
    socket
      .on('end', () => {
        // Node reads a reset after unread bytes as an end, but an empty write fails then.
        if (socket.writableEnded) resolve('end');
        else
          socket.write('', (error) =>
            resolve(error === null || error === undefined ? 'end' : 'reset'),
          );
      })
      .on('error', () => resolve('reset'))
      .on('close', () => resolve('reset'))
      .resume();
  });
  return { text: Buffer.concat(chunks).toString(), how };
}
