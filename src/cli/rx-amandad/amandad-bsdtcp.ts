import { map } from 'rxjs';
import { acceptBsdtcp, listenBsdtcp } from '../../drivers/bsdtcp.js';
import { listenStdio } from '../../drivers/stdio.js';
import type { TcpWays } from './amandad-listening.js';

/** The ways into an amandad with `-auth=bsdtcp`. */
export function bsdtcpWays(): TcpWays {
  return {
    onPort: listenBsdtcp,
    onStdio: () => listenStdio({ auth: 'bsdtcp' }),
    onSockets: (options) => map((socket) => acceptBsdtcp(socket, options)),
  };
}
