import { Observable, defer } from 'rxjs';
import { servicePortsOfSystem, sourcePorts } from '../../access/reserved-port.js';
import type { Connection } from '../../connection/connection.js';
import { DatagramConnection, type DatagramLink } from '../../connection/datagram-connection.js';
import { switchFirst } from '../../operators/switch-first.js';
import { describePeer, type Peer } from '../../transport/channel.js';
import { connectUdp, type ConnectedUdp } from '../../transport/datagram-socket.js';
import { checkPort } from '../../transport/address.js';
import { checkOptions } from '../../wire/arguments.js';
import { decodeDatagram, type Datagram } from '../../wire/datagram.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import { AMANDA_PORT } from '../../wire/role.js';
import type { Driver } from '../driver.js';
import { ownUserName } from '../own-user.js';
import { yieldConnection } from '../yield-connection.js';
import type { PortRange } from './stream-listener.js';
import { TcpStreams, type StreamFramingFactory } from './tcp-streams.js';

/** How a target is reached over UDP. */
export interface DatagramDriverOptions {
  /**
   * Name or address of the target. A name stands for its first IPv4 address, or its first IPv6
   * address when it has no other.
   */
  readonly host: string;
  /** 1 … 65535, default 10080; UDP. */
  readonly port?: number;
  /** The name in `SECURITY USER`; default the user this process runs as. */
  readonly user?: string;
  /**
   * Range of UDP source ports, default 512 to 1023; `false` lets the system choose, which only
   * targets that do not check it accept.
   */
  readonly reservedPorts?: PortRange | false;
  /** Range of TCP source ports for streams (Amanda's `unreserved-tcp-port`); default any. */
  readonly streamPorts?: PortRange;
}

/** A driver whose packets are datagrams, with streams of the framing beside them. */
export function datagramDriver(
  name: 'bsd' | 'bsdudp',
  settings: DatagramDriverOptions,
  framing: StreamFramingFactory,
): Driver {
  checkOptions(name, settings, { host: 'name', user: 'name?', streamPorts: 'object?' });
  const { host, port = AMANDA_PORT, user = ownUserName(), reservedPorts } = settings;
  const { streamPorts: ports } = settings;
  checkPort(port);
  return {
    name,
    user,
    host,
    port,
    open: (options) =>
      defer(() =>
        connectUdp({
          host,
          port,
          sourcePorts:
            reservedPorts === false
              ? undefined
              : sourcePorts({ ...reservedPorts, taken: servicePortsOfSystem('udp') }),
        }),
      ).pipe(
        switchFirst((connected) => {
          const peer: Peer = { driver: name, host, address: connected.address, port };
          return new Observable<Connection>((out) => {
            const connection = new DatagramConnection(
              linkOver(connected, peer),
              { side: 'initiator', user },
              (owner) => new TcpStreams(peer, owner, { ports, wait: 0 }, framing, options),
              options,
            );
            return yieldConnection(connection, out);
          });
        }),
      ),
  };
}

/**
 * The socket hears only from the peer. Before its first answer, a report that the port is closed
 * ends the attempt.
 */
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
          // This one is the answer, and its end is missing. Whatever else arrives is dropped.
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
      // A closed socket or a full buffer loses this datagram; the exchange repeats it.
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

/** Decodes a datagram; undefined for one that is none of Amanda's, which anyone may send. */
export function readDatagram(bytes: Uint8Array): Datagram | undefined {
  try {
    return decodeDatagram(bytes);
  } catch {
    return undefined;
  }
}
