import { Observable } from 'rxjs';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import { decodePacket, encodePacket, type Packet } from '../wire/packet.js';
import type { ProtocolHandle } from './connection.js';
import type { Stream } from './stream.js';

/** A protocol handle over TCPM: each frame of its handle is one packet. Source: PROTOCOL.md, "Packets". */
export class TcpmProtocolHandle implements ProtocolHandle {
  readonly number: number;
  readonly packets: Observable<Packet>;
  readonly #stream: Stream;
  readonly #forget: () => void;

  constructor(stream: Stream, forget: () => void) {
    this.number = stream.handle;
    this.packets = new Observable((out) =>
      stream.payloads.subscribe({
        next: (payload) => {
          try {
            out.next(decodePacket(payload));
          } catch (error) {
            out.error(error);
          }
        },
        error: (error: unknown) => {
          out.error(withoutCount(error));
        },
        complete: () => {
          out.complete();
        },
      }),
    );
    this.#stream = stream;
    this.#forget = forget;
  }

  send(packet: Packet): void {
    this.#stream.sendWhole(encodePacket(packet));
  }

  close(): void {
    this.#stream.complete();
    this.#forget();
  }
}

/** Why the connection was lost, and not how many bytes of packets had come: who asked wants to know what is wrong with the peer. */
function withoutCount(error: unknown): unknown {
  if (!isAmandaError(error) || !isAmandaError(error.cause, error.code)) return error;
  const { cause, code, peer, handle } = error;
  return new AmandaError(code, cause.message, { cause, peer, handle });
}
