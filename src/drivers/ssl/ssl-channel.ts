import { NEVER } from 'rxjs';
import type { Channel, Peer } from '../../transport/channel.js';
import type { Connection } from '../../connection/connection.js';
import { TcpmConnection } from '../../connection/tcpm-connection.js';
import type { AmandaError } from '../../wire/errors.js';
import { closedAfterHandshake, isTlsAlert, tlsFailure, type TlsContext } from './ssl-errors.js';
import type { SecuredSocket } from './ssl-handshake.js';
import { StreamChannel, dataEvents, type ByteStreams } from '../../transport/stream-channel.js';

/**
 * A channel over an established session.
 *
 * Under TLS 1.3 an initiator completes the handshake before the target has checked its certificate.
 * A refusal arrives as an alert, or as the end of a channel on which the target has said nothing.
 * Errors with `CERTIFICATE_REFUSED` or `CONNECTION_LOST` then.
 */
export function sslChannel(
  { socket, peer, reader }: SecuredSocket,
  context: Omit<TlsContext, 'peer'>,
): Channel {
  const name = peer.host ?? 'the peer';
  const listen = reader === undefined ? dataEvents(socket) : reader.listen.bind(reader);
  let heard = false;
  return new TlsChannel({
    input: socket,
    output: socket,
    peer,
    listen: (next) =>
      listen((chunk) => {
        heard = true;
        next(chunk);
      }),
    explain: () => {
      if (socket.errored !== null && isTlsAlert(socket.errored))
        return Promise.resolve(tlsFailure(socket.errored, { ...context, peer: name }));
      return Promise.resolve(
        heard || context.side === 'target'
          ? undefined
          : closedAfterHandshake(name, context.certFile),
      );
    },
  });
}

/**
 * Writes each frame into TLS records of its own.
 *
 * Real Amanda waits until its socket is readable before it reads a frame. OpenSSL takes a whole
 * record from the socket, so a second frame in that record is found only when a third one arrives.
 */
class TlsChannel extends StreamChannel {
  constructor(streams: ByteStreams) {
    super({ ...streams, framesApart: true });
    // Without this, Node joins waiting writes into one.
    Object.assign(streams.output, { _writev: undefined });
  }
}

/** A connection of a refused peer: it has ended with the reason. */
export function refusedConnection(peer: Peer, reason: AmandaError): Connection {
  const nothing = (): void => undefined;
  const channel: Channel = {
    peer,
    bytes: NEVER,
    drain: NEVER,
    isIdle: true,
    framesApart: true,
    write: () => true,
    pause: nothing,
    resume: nothing,
    close: nothing,
    destroy: nothing,
  };
  const connection = new TcpmConnection(channel, { side: 'target', namesUser: true });
  connection.abort(reason);
  return connection;
}
