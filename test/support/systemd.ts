import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { keepWhileAlive, killGroup, type Sandbox } from './sandbox.js';
import type { Started } from './rx-amandad.js';

/**
 * What systemd does for a socket unit: it listens, and hands the program a socket as descriptor 3,
 * with LISTEN_FDS and LISTEN_PID to say so.
 *
 * - `Accept=no`: the program is started at the first connection with the listening socket, and
 *   accepts from there on.
 * - `Accept=yes`: it is started anew for each connection, with that.
 * - `StandardInput=socket`: the same, but the connection is its standard input, output and error,
 *   without the variables.
 */
export type Activation = 'Accept=no' | 'Accept=yes' | 'StandardInput=socket';

/** Activates a program in the sandbox, as user backup, at a port of the loopback. */
export async function activate(
  sandbox: Sandbox,
  activation: Activation,
  command: string,
  args: readonly string[],
): Promise<Omit<Started, 'pid'>> {
  const children = new Set<ChildProcess>();
  const said: string[] = [];
  const start = (socket: Socket | number): ChildProcess => {
    const child = startWith(sandbox, socket, activation === 'StandardInput=socket', [
      command,
      ...args,
    ]);
    keepWhileAlive(children, child);
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    return child;
  };
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (activation === 'Accept=no') {
    start(descriptorOf(server));
    server.close();
  } else {
    server.on('connection', (socket) => {
      start(socket);
      // The program has its own copy of the descriptor by now; ours must not keep the connection
      // open.
      socket.on('error', () => {});
      socket.destroy();
    });
  }
  return {
    port,
    messages: () => said.join(''),
    close: async () => {
      server.close();
      await Promise.all([...children].map((child) => ended(child)));
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit =
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  killGroup(child);
  await exit;
}

/** The shell becomes the program, so that its number is the program's. */
const sayWho = 'LISTEN_PID=$$ exec "$@"';

function startWith(
  sandbox: Sandbox,
  socket: Socket | number,
  isInput: boolean,
  command: readonly string[],
): ChildProcess {
  if (isInput)
    return sandbox.start('/bin/sh', ['-c', 'exec "$@"', 'sh', ...command], {
      cwd: '/',
      stdio: [socket, socket, socket],
    });
  return sandbox.start('/bin/sh', ['-c', sayWho, 'sh', ...command], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe', socket],
    environment: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'connection' },
  });
}

/**
 * The number of the descriptor that a server listens on, which Node knows and does not tell:
 * `spawn` takes sockets, but no servers.
 */
function descriptorOf(server: Server): number {
  const { fd } = Reflect.get(server, '_handle') as { readonly fd: number };
  return fd;
}
