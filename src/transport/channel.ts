import type { Observable } from 'rxjs';

/** Who is at the other end of a connection, as far as the driver knows. */
export interface Peer {
  /** The driver that made the connection: `bsdtcp`, `local`, `memory`, … */
  readonly driver: string;
  /** The host's name: on the initiator the one that was asked for, on the target the one the driver vouches for. */
  readonly host?: string;
  /** The network address, numeric. */
  readonly address?: string;
  /** The port at the peer's end. */
  readonly port?: number;
  /** What TLS says about the peer and the channel, where the channel is TLS. */
  readonly tls?: TlsFacts;
}

/** A TLS session and whom it is with. */
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

/** The memory that a channel reads into, where it is of the channel's own choice. */
export interface ChannelMemory {
  /** A chunk that begins exactly so many bytes into its memory is the first one there, and what is in front of it is its subscriber's to write into. */
  readonly headroom: number;
  /** Says that nobody needs the bytes from `start` to `end` of a chunk's memory any more, each byte once at the most: they may be written to again. */
  giveBack(memory: ArrayBufferLike, start: number, end: number): void;
  /** Says where frames end, if they go on to be as long as they are: behind `missing` more bytes, and then each `size`. Reads end there where they can. */
  expect(missing: number, size: number): void;
}

/**
 * A duplex byte channel between an initiator and a target: what a driver makes and a connection uses.
 *
 * Nothing flows before `bytes` is subscribed. The subscriber may keep the chunks it gets: a channel
 * never writes into memory that it has handed out, but for what was given back.
 */
export interface Channel {
  readonly peer: Peer;
  /**
   * What arrives. One subscriber. Completes when the peer has ended its direction, errors with
   * `CONNECTION_LOST` when the channel breaks. Unsubscribing destroys the channel.
   */
  readonly bytes: Observable<Uint8Array>;
  /** Not there where chunks lie wherever they do. */
  readonly memory?: ChannelMemory | undefined;
  /** Emits each time the channel can take more after `write` returned false; nothing listens before the first time that it does. */
  readonly drain: Observable<void>;
  /** Whether all that was written has been copied out of its memory, which may change now. Not there where that is never known. */
  readonly isIdle?: boolean;
  /** Has the channel say when what one tick has produced is written to it, and calls back then. Not there where that is the end of the tick. */
  readonly schedule?: ((write: () => void) => void) | undefined;
  /** Sends the parts in order, in one system call where that can be; false asks to wait for `drain`. The parts must not change before the channel `isIdle`. */
  write(parts: readonly Uint8Array[]): boolean;
  /** Stops `bytes` until `resume`; what was on its way may still come. */
  pause(): void;
  resume(): void;
  /** Ends the sending direction behind what has been written, and then the channel. */
  close(): void;
  /** Ends the channel at once; what has not been sent is dropped. */
  destroy(): void;
}
