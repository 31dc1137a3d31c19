import { map } from 'rxjs';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { listenBsdtcp } from '../drivers/bsdtcp.js';
import { socketChannel } from '../drivers/socket.js';
import { listenStdio } from '../drivers/stdio.js';
import type { TcpWays } from './amandad-listening.js';

/** The ways into an amandad with `-auth=bsdtcp`. */
export function bsdtcpWays(): TcpWays {
  return {
    onPort: listenBsdtcp,
    onStdio: () => listenStdio({ auth: 'bsdtcp' }),
    onSockets: (options) => map((socket) => new TcpmConnection(socketChannel(socket, { driver: 'bsdtcp' }), { side: 'target', namesUser: true }, options)),
  };
}
