import { NEVER } from 'rxjs';
import type { Channel, Peer } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { AmandaError } from '../wire/errors.js';
import { isTlsAlert, tlsFailure, type TlsContext } from './ssl-errors.js';
import type { SecuredSocket } from './ssl-handshake.js';
import { StreamChannel } from './stream-channel.js';

/**
 * A channel over an established session.
 *
 * Under TLS 1.3 an initiator is done with the handshake before the target has looked at its certificate, so that a refusal comes as an
 * alert, or as the end of a channel on which the target has said nothing yet. Errors with `CERTIFICATE_REFUSED` or `CONNECTION_LOST` then.
 */
export function sslChannel({ socket, peer }: SecuredSocket, context: Omit<TlsContext, 'peer'>): Channel {
  const name = peer.host ?? 'the peer';
  let heard = false;
  let failure: Error | undefined;
  socket.on('error', (error: Error) => {
    failure = error;
  });
  return new StreamChannel({
    input: socket,
    output: socket,
    peer,
    listen: (next) => {
      const take = (chunk: Buffer): void => {
        heard = true;
        next(chunk);
      };
      socket.on('data', take);
      return () => {
        socket.off('data', take);
      };
    },
    explain: () => {
      if (failure !== undefined && isTlsAlert(failure)) return Promise.resolve(tlsFailure(failure, { ...context, peer: name }));
      return Promise.resolve(heard || context.side === 'target' ? undefined : silentEnd(name, context.certFile));
    },
  });
}

function silentEnd(peer: string, certFile: string): AmandaError {
  return new AmandaError(
    'CONNECTION_LOST',
    `${peer} hung up after the TLS handshake without a word. A target that refuses a certificate does that: see its log, and check the common name and CA of ${certFile} and the fingerprint that it has on file.`,
  );
}

/** A connection that a peer was refused: it has ended, with the reason. */
export function refusedConnection(peer: Peer, reason: AmandaError): Connection {
  const nothing = (): void => undefined;
  const channel: Channel = { peer, bytes: NEVER, drain: NEVER, write: () => true, pause: nothing, resume: nothing, close: nothing, destroy: nothing };
  const connection = new TcpmConnection(channel, { side: 'target', namesUser: true });
  connection.abort(reason);
  return connection;
}
