import { connect, createServer, type Socket } from 'node:net';

/** A tunnel to a local port that can be cut, like that of an ssh on a sleeping laptop. */
export interface Tunnel {
  readonly port: number;
  /** Breaks the current connections. New ones are accepted. */
  readonly cut: () => void;
  readonly close: () => void;
}

export function openTunnel(to: number): Promise<Tunnel> {
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far).pipe(near);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({
        port,
        cut,
        close: () => {
          cut();
          server.close();
        },
      });
    });
  });
}
