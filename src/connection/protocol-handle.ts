import { Observable } from 'rxjs';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import { decodePacket, encodePacket, type Packet } from '../wire/packet.js';
import type { ProtocolHandle } from './connection.js';
import type { StreamController } from './stream-controller.js';

/**
 * A protocol handle over TCPM: each frame of its handle is one packet. Source: PROTOCOL.md,
 * "Packets".
 */
export class TcpmProtocolHandle implements ProtocolHandle {
  readonly number: number;
  readonly packets: Observable<Packet>;
  readonly #controller: StreamController;
  readonly #forget: () => void;

  constructor(controller: StreamController, forget: () => void) {
    this.number = controller.handle;
    // Packets are decoded here and their payloads go no further, so their memory is not kept.
    const payloads = new Observable<Uint8Array>((out) => controller.readBy(out, false));
    this.packets = new Observable((out) =>
      payloads.subscribe({
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
    this.#controller = controller;
    this.#forget = forget;
  }

  send(packet: Packet): void {
    this.#controller.sendPacket(encodePacket(packet));
  }

  close(): void {
    this.#controller.close();
    this.#forget();
  }
}

/**
 * Why the connection was lost, without the count of packet bytes, which says nothing about the
 * peer.
 */
function withoutCount(error: unknown): unknown {
  if (!isAmandaError(error) || !isAmandaError(error.cause, error.code)) return error;
  const { cause, code, peer, handle } = error;
  return new AmandaError(code, cause.message, { cause, peer, handle });
}
