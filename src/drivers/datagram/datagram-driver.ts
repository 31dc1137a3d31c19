import { readFileSync } from 'node:fs';
import { Observable, type Subscriber } from 'rxjs';
import { servicePorts, sourcePorts } from '../../access/reserved-port.js';
import { describePeer, type Peer } from '../../transport/channel.js';
import type { Connection } from '../../connection/connection.js';
import { DatagramConnection, type DatagramLink } from '../../connection/datagram-connection.js';
import { decodeDatagram, type Datagram } from '../../wire/datagram.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import type { PortRange } from './datagram-door.js';
import type { SideFactory } from './datagram-side.js';
import { connectUdp, type ConnectedUdp } from '../../transport/datagram-socket.js';
import type { Driver } from '../driver.js';

/** How a target is reached over UDP. */
export interface DatagramDriverOptions {
  /** Name or address of the target. A name stands for its first IPv4 address, or its first IPv6 address when it has no other. */
  readonly host: string;
  /** 1 … 65535, default 10080; UDP. */
  readonly port?: number;
  /** The name in `SECURITY USER`; default the user this process runs as. */
  readonly user?: string;
  /** Range of UDP source ports, default 512 to 1023; `false` lets the system choose, which only targets that do not check it accept. */
  readonly reservedPorts?: PortRange | false;
  /** Range of TCP source ports for streams (Amanda's `unreserved-tcp-port`); default any. */
  readonly streamPorts?: PortRange;
}

/** The same with its defaults filled in. */
interface Reached extends DatagramDriverOptions {
  readonly name: 'bsd' | 'bsdudp';
  readonly port: number;
  readonly user: string;
}

/** A driver whose packets are datagrams; `streamsOf` makes its streams. */
export function datagramDriver(
  { name, host, port, user, reservedPorts, streamPorts }: Reached,
  streamsOf: SideFactory,
): Driver {
  return {
    name,
    user,
    open: (options) =>
      new Observable<Connection>((out) => {
        const ports =
          reservedPorts === false
            ? undefined
            : sourcePorts({ ...reservedPorts, taken: takenPorts() });
        const reaching = connectUdp({ host, port, sourcePorts: ports }).subscribe({
          next: (connected) => {
            const peer: Peer = { driver: name, host, address: connected.address, port };
            const side = { ports: streamPorts, wait: 0 };
            const role = { side: 'initiator', user } as const;
            yieldFrom(
              new DatagramConnection(
                linkOver(connected, peer),
                role,
                (owner) => streamsOf(peer, owner, side, options),
                options,
              ),
              out,
            );
          },
          error: (error: unknown) => {
            out.error(error);
          },
        });
        out.add(reaching);
      }),
  };
}

/** Emits the connection and lives as long as it does; unsubscribing ends it. */
function yieldFrom(connection: DatagramConnection, out: Subscriber<Connection>): void {
  out.add(() => {
    connection.dispose();
  });
  out.next(connection);
  out.add(connection.ended.subscribe(out));
}

/** The socket hears only from the peer; until it has, a report that the port is closed ends the attempt. */
function linkOver({ socket }: ConnectedUdp, peer: Peer): DatagramLink {
  return {
    peer,
    datagrams: new Observable((out) => {
      let isAnswered = false;
      const receive = (bytes: Uint8Array): void => {
        isAnswered = true;
        try {
          out.next(decodeDatagram(bytes));
        } catch (error) {
          // Whatever else arrives is nobody's; this one is the answer, and its end is missing.
          if (isAmandaError(error, 'DATAGRAM_TOO_LARGE')) out.error(error);
        }
      };
      const fail = (cause: Error): void => {
        if (!isAnswered) out.error(unreachable(peer, cause));
      };
      socket.on('message', receive).on('error', fail);
      return () => {
        socket.off('message', receive).off('error', fail);
      };
    }),
    send: (bytes) => {
      // A socket that was closed meanwhile, or a full buffer: lost like any datagram, and repeated like any.
      socket.send(bytes, (error) => {
        if (error !== null && !isClosed(error)) socket.emit('error', error);
      });
    },
  };
}

function isClosed(error: Error): boolean {
  return (error as { readonly code?: string }).code === 'ERR_SOCKET_DGRAM_NOT_RUNNING';
}

function unreachable(peer: Peer, cause: Error): AmandaError {
  const refused = (cause as { readonly code?: string }).code === 'ECONNREFUSED';
  const why = refused
    ? `nothing listens on port ${peer.port}/udp; is amandad set up with "wait" for this auth, and is this its port?`
    : `${cause.message}.`;
  return new AmandaError('CONNECT_FAILED', `Cannot reach ${describePeer(peer)}: ${why}`, {
    cause,
    peer: describePeer(peer),
  });
}

/** A datagram as it can be read; undefined for one that is none of Amanda's, which everybody may send. */
export function readDatagram(bytes: Uint8Array): Datagram | undefined {
  try {
    return decodeDatagram(bytes);
  } catch {
    return undefined;
  }
}

/** Ports below 1024 that belong to a service: taking one as a source port would be in its way. */
function takenPorts(): ReadonlySet<number> {
  try {
    return servicePorts(readFileSync('/etc/services', 'utf8'), 'udp');
  } catch {
    return new Set();
  }
}
