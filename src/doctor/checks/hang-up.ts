import { fault, type CheckOutcome } from '../check.js';

/** The finding for a peer that ends each connection before it hears anything. */
export function hangUp(how: 'closed' | 'reset', host: string, port: number): CheckOutcome {
  return how === 'closed'
    ? fault('tcp-closed', {
        message: `${host} closes connections to port ${port} at once, without a word.`,
        fix: `On ${host}, see the log of xinetd. Either only_from or a TCP wrapper refuses this host, or the program of server does not start.`,
      })
    : fault('tcp-reset', {
        message: `${host} resets connections to port ${port} as soon as they are open.`,
        fix: `On ${host}, see whether amandad starts (log of xinetd, journalctl), and whether a firewall or a relay on the way resets connections.`,
      });
}
