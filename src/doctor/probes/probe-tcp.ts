import { connect as connectSocket } from 'node:net';
import { Observable } from 'rxjs';

/** What a TCP connection to an address does. */
export type TcpProbe =
  | { readonly kind: 'open'; readonly ms: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'silent' };

/** Connects and ends the connection at once. `silent` after `within` milliseconds. */
export function probeTcp(address: string, port: number, within: number): Observable<TcpProbe> {
  return new Observable((out) => {
    const started = performance.now();
    const end = (probe: TcpProbe): void => {
      out.next(probe);
      out.complete();
    };
    const socket = connectSocket({ host: address, port });
    const limit = setTimeout(() => end({ kind: 'silent' }), within);
    socket.once('connect', () => end({ kind: 'open', ms: performance.now() - started }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'failed', code: error.code ?? '', message: error.message }),
    );
    return () => {
      clearTimeout(limit);
      socket.destroy();
    };
  });
}

/** What a peer does with a connection over which it hears `words`. */
export interface Heard {
  /** How the peer ended the connection; undefined when it did not within the time. */
  readonly end: 'closed' | 'reset' | 'refused' | undefined;
  /** The first bytes that it sent. */
  readonly bytes: Uint8Array;
}

/** The most bytes that are kept of what a peer says. */
const MAX_HEARD = 512;

/**
 * Connects, sends `words`, and listens for `within` milliseconds, until `isEnough`, or until the
 * peer ends the connection.
 */
export function listenTo(
  address: string,
  port: number,
  words: string,
  within: number,
  isEnough: (bytes: Uint8Array) => boolean = () => false,
): Observable<Heard> {
  return new Observable((out) => {
    const chunks: Buffer[] = [];
    const end = (how: Heard['end']): void => {
      out.next({ end: how, bytes: Buffer.concat(chunks).subarray(0, MAX_HEARD) });
      out.complete();
    };
    const socket = connectSocket({ host: address, port });
    const limit = setTimeout(() => end(undefined), within);
    let isOpen = false;
    socket.once('connect', () => {
      isOpen = true;
      if (words !== '') socket.write(words);
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const heard = Buffer.concat(chunks);
      if (heard.length >= MAX_HEARD || isEnough(heard)) end(undefined);
    });
    socket.once('end', () => end('closed'));
    socket.on('error', () => end(isOpen ? 'reset' : 'refused'));
    return () => {
      clearTimeout(limit);
      socket.destroy();
    };
  });
}
