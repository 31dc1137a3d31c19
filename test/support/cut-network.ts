import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type AddressInfo, type Socket } from 'node:net';
import { resetSocket } from '../../src/transport/reset-socket.js';
import { startedProcesses } from '../../src/testing/compliance/resource-leaks.js';

/**
 * Something between an initiator and a target that can be cut: what is open then is lost, and what
 * comes after is let through.
 */
export interface Cuttable {
  /** Where the initiator goes to, on the target's address. */
  readonly port: number;
  cut(): void;
  close(): void;
}

/** Passes TCP connections on to a target; a cut resets both halves of each. */
export async function tcpNetwork(host: string, targetPort: number): Promise<Cuttable> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port: targetPort, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.setNoDelay(true).pipe(other);
      one.on('error', () => resetSocket(other)).on('close', () => open.delete(one));
    }
    // A half that is gone takes the other one along, once that has passed on what it had.
    near.on('close', () => far.destroySoon());
    far.on('close', () => near.destroySoon());
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => resetAll(open),
    close: () => {
      server.close();
      resetAll(open);
    },
  };
}

/**
 * Passes datagrams on to a target, for each initiator from a port of its own. A cut loses
 * everything that the known initiators send and get from then on.
 */
export async function udpNetwork(host: string, targetPort: number): Promise<Cuttable> {
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  const near = createSocket(type);
  const known = new Map<number, UdpSocket>();
  const lost = new Set<number>();
  /**
   * Cuts whose own datagram has not arrived; it follows everything that was under way at the cut.
   */
  let cuts = 0;
  near.on('message', (bytes, { port }) => {
    if (port === near.address().port) {
      cuts -= 1;
      return;
    }
    if (cuts > 0) lost.add(port);
    if (!lost.has(port)) (known.get(port) ?? join(port)).send(bytes, targetPort, host);
  });
  const join = (port: number): UdpSocket => {
    const far = createSocket(type).on('message', (bytes) => {
      if (!lost.has(port)) near.send(bytes, port, host);
    });
    known.set(port, far);
    return far;
  };
  near.bind(0, host);
  await once(near, 'listening');
  return {
    port: near.address().port,
    cut: () => {
      for (const port of known.keys()) lost.add(port);
      cuts += 1;
      near.send('', near.address().port, host);
    },
    close: () => {
      near.close();
      for (const far of known.values()) far.close();
    },
  };
}

/**
 * The TCP connections that this process accepts from now on, on whatever port; a cut resets them.
 */
export function acceptedConnections(): Omit<Cuttable, 'port'> {
  const open = new Set<Socket>();
  const note = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    open.add(socket.on('close', () => open.delete(socket)));
  };
  subscribe('net.server.socket', note);
  return {
    cut: () => resetAll(open),
    close: () => {
      unsubscribe('net.server.socket', note);
    },
  };
}

/**
 * The processes that this one starts from now on; a cut kills them, and those that they have
 * started.
 */
export function childProcesses(): Omit<Cuttable, 'port' | 'close'> {
  const before = startedProcesses();
  return {
    cut: () => {
      for (const id of startedProcesses().keys()) if (!before.has(id)) kill(id);
    },
  };
}

function resetAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of [...sockets]) resetSocket(socket);
}

function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
