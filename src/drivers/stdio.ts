import { Socket } from 'node:net';
import { Observable } from 'rxjs';
import type { Channel } from '../connection/channel.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { AmandaError } from '../wire/errors.js';
import type { Listener } from './driver.js';
import { socketChannel } from './socket.js';
import { StreamChannel } from './stream-channel.js';

export interface StdioOptions {
  /** The driver whose rules hold on the channel. */
  readonly auth: 'bsdtcp' | 'local';
}

/**
 * The one connection that inetd (bsdtcp) or the initiator itself (local) has put on standard input and output.
 *
 * Completes after that connection. Errors with `BAD_ARGUMENT` when they are no socket or pipes.
 * Source: PROTOCOL.md, "Starting a service".
 */
export function listenStdio({ auth }: StdioOptions): Listener {
  return {
    name: auth,
    accept: (options) =>
      new Observable((out) => {
        let channel: Channel;
        try {
          channel = auth === 'bsdtcp' ? inetdChannel() : pipeChannel();
        } catch (cause) {
          out.error(
            new AmandaError(
              'BAD_ARGUMENT',
              `Standard input and output are no channel for auth ${auth}: start this from inetd, xinetd or an initiator, or let it listen with -tcp=PORT.`,
              { cause },
            ),
          );
          return;
        }
        const connection = new TcpmConnection(channel, { side: 'target', namesUser: auth === 'bsdtcp' }, options);
        out.next(connection);
        out.add(
          connection.ended.subscribe({
            error: () => {
              out.complete();
            },
            complete: () => {
              out.complete();
            },
          }),
        );
      }),
  };
}

function inetdChannel(): Channel {
  const socket = new Socket({ fd: 0, readable: true, writable: true });
  if (socket.remoteAddress === undefined) throw new Error('standard input is no connected TCP socket');
  return socketChannel(socket, { driver: 'bsdtcp' });
}

function pipeChannel(): Channel {
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const output = new Socket({ fd: 1, readable: false, writable: true });
  return new StreamChannel({ input, output, peer: { driver: 'local', host: 'localhost' } });
}
