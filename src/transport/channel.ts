import type { Observable } from 'rxjs';

/** The other end of a connection, as far as the driver knows it. */
export interface Peer {
  /** The driver that made the connection: `bsdtcp`, `local`, `memory`, … */
  readonly driver: string;
  /**
   * The host's name: on the initiator the one asked for, on the target the one that the driver
   * vouches for.
   */
  readonly host?: string;
  /** The network address, numeric. */
  readonly address?: string;
  /** The port at the peer's end. */
  readonly port?: number;
  /** What TLS says about the peer and the channel; absent without TLS. */
  readonly tls?: TlsFacts;
}

/** A TLS session and its peer. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite as TLS names it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** SHA-256 of the peer's certificate: 32 bytes in capital hexadecimal, colons between. */
  readonly fingerprint256: string;
  /** The common name of the peer's certificate. */
  readonly commonName: string;
}

/** The peer as a person would name it: host, address and port, as far as known. */
export function describePeer({ driver, host, address, port }: Peer): string {
  const place =
    address === undefined
      ? ''
      : port === undefined
        ? address
        : address.includes(':')
          ? `[${address}]:${port}`
          : `${address}:${port}`;
  if (host !== undefined && place !== '' && host !== address)
    return `${host} (${place}, ${driver})`;
  return `${host ?? (place === '' ? 'peer' : place)} (${driver})`;
}

/** The peer's host as a sentence names it. */
export function hostOf({ host, address }: Peer): string {
  return host ?? address ?? 'the target';
}

/**
 * A duplex byte channel between an initiator and a target: what a driver makes and a connection
 * uses.
 *
 * Nothing flows before `bytes` is subscribed. The subscriber may keep the chunks it gets. `bytes`
 * is never re-entrant.
 */
export interface Channel {
  /** The other end. */
  readonly peer: Peer;
  /**
   * What arrives. One subscriber. Completes when the peer has ended its direction, errors with
   * `CONNECTION_LOST` when the channel breaks. Unsubscribing destroys the channel.
   */
  readonly bytes: Observable<Uint8Array>;
  /** Emits each time the channel can take more after `write` returned false. */
  readonly drain: Observable<void>;
  /** True when all writes were sent; their memory may change. */
  readonly isIdle: boolean;
  /**
   * Whether each frame is written by itself and in one part, as TLS needs it. Source: PROTOCOL.md,
   * "Drivers".
   */
  readonly framesApart: boolean;
  /**
   * Sends the parts in order, in one system call if possible; false asks to wait for `drain`. The
   * parts must not change before the channel `isIdle`.
   */
  write(parts: readonly Uint8Array[]): boolean;
  /** Stops `bytes` until `resume`; a read that has begun may still arrive. */
  pause(): void;
  /** Lets `bytes` flow again. */
  resume(): void;
  /** Ends the sending direction after what has been written, and then the channel. */
  close(): void;
  /** Ends the channel at once; what has not been sent is dropped. */
  destroy(): void;
}
