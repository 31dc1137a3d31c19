import { map, type Observable } from 'rxjs';
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
    this.packets = stream.pipe(map(decodePacket));
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
